"""What a fleet file says. Its JSON schema and its reference page are made from these records.

Sizes: GB and MB are 10^9 and 10^6 bytes, GiB and MiB 2^30 and 2^20; rates are per second.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

FORMAT = 1
Positive = Annotated[float, Meta(gt=0, le=1e12)]
NotNegative = Annotated[float, Meta(ge=0, le=1e12)]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Some = Annotated[int, Meta(ge=1, le=1_000_000_000)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of the file."""


class Flavor(_Part, frozen=True, kw_only=True):
    """A kind of server."""

    memory_gib: Positive
    vcpus: Some = 1
    disk_gb: NotNegative = 0.0  # local disk that a block migration copies; 0: on shared storage
    dirty_mb_s: NotNegative = 50.0  # memory it writes
    working_set_gib: NotNegative | None = None  # memory it writes again and again; None: all of it
    disk_write_mb_s: NotNegative = 0.0  # to its local disk
    role: str = ""  # servers of one role are kept apart: database, web
    cpu: Annotated[tuple[Share, ...], Meta(min_length=1, max_length=1440)] = (
        0.3,
    )  # of its vcpus, over the day in equal steps


class Hosts(_Part, frozen=True, kw_only=True):
    """Some equal compute hosts."""

    count: Some
    name: str = "compute-{n:04}"  # {n} is the number, from 1 over the whole file
    zone: str = "nova"
    rack: str = ""
    cores: Some = 32
    memory_gib: Positive = 256.0
    nic_gbit_s: Positive = 10.0
    disk_mb_s: Positive = 1000.0  # read and write, for block migration
    diskless: bool = False
    servers: dict[str, Count] = {}  # on each host: flavor -> how many


class Timing(_Part, frozen=True, kw_only=True):
    """What hosts take."""

    reboot_s: NotNegative = 300.0  # of a host with disks
    boot_image_s: NotNegative = 180.0  # of a diskless one: image into memory
    check_s: NotNegative = 30.0  # after it, before the host may join
    detect_s: NotNegative = 60.0  # until a dead host counts as down ([DEFAULT] service_down_time)
    failure_share: Share = 0.0  # of these checks that fail


class Control(_Part, frozen=True, kw_only=True):
    """The control plane."""

    api: Some = 2  # processes
    conductor: Some = 4
    scheduler: Some = 2
    pool: Some = 64  # executor_thread_pool_size
    send_pool: Some = 30  # rpc_conn_pool_size
    rpc_timeout_s: Positive = 60.0  # rpc_response_timeout
    heartbeat_s: NotNegative = 60.0  # heartbeat_timeout_threshold; 0: off
    profile: Literal["classic", "quorum+stream"] = "classic"
    shape: Literal["2026", "2025", "reduced"] = "2026"  # connections of a compute: 5, 4, or 1 (not what nova does)
    service_times: dict[str, Positive] = {}  # method, or * for all: factor of the recorded ones
    background: bool = True  # periodic tasks of the hosts


class Migration(_Part, frozen=True, kw_only=True):
    """Live migration, with nova's names ([libvirt] live_migration_*) and defaults."""

    bandwidth_mib_s: NotNegative = 0.0  # of each; 0: no limit but the links
    downtime_ms: Annotated[int, Meta(ge=100, le=1_000_000)] = 500
    downtime_steps: Annotated[int, Meta(ge=3, le=1000)] = 10
    downtime_delay_s: Annotated[int, Meta(ge=3, le=1_000_000)] = 75  # per GiB
    completion_timeout_s: Count = 800  # per GiB; 0: none
    timeout_action: Literal["abort", "force_complete"] = "abort"
    permit_post_copy: bool = False
    permit_auto_converge: bool = False
    monitor_interval_s: Positive = 5.0
    max_concurrent: Some = 1  # [DEFAULT] max_concurrent_live_migrations: outgoing of one host
    setup_s: NotNegative = 0.3
    resume_s: NotNegative = 0.02


class Network(_Part, frozen=True, kw_only=True):
    """What the hosts share."""

    spine_gbit_s: NotNegative = 0.0  # between racks, all together; 0: no limit


class FleetFile(_Part, frozen=True, kw_only=True):
    """The whole file."""

    hosts: Annotated[tuple[Hosts, ...], Meta(min_length=1)]
    format: Literal[1] = 1
    name: str = "fleet"
    flavors: dict[str, Flavor] = {}
    timing: Timing = Timing()
    control: Control = Control()
    migration: Migration = Migration()
    network: Network = Network()
    seed: Count = 1  # of everything drawn by chance
