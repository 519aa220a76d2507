"""Records for the tests of the store: each field different from its neighbours, so that a mix-up shows."""

from __future__ import annotations

from typing import Any

from rpcscope.model import (
    Call,
    Clock,
    MessageKind,
    Operation,
    Outcome,
    ParentSource,
    Process,
    Resume,
    Status,
    Tally,
)
from rpcscope.store import Store
from rpcscope.store.writer import SqlWriter

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND


def begin(writer: SqlWriter, **words: Any) -> Resume:
    defaults: dict[str, Any] = {
        "source": "firehose",
        "scope": "broker/vhost/queue",
        "digest": "",
        "label": "openstack",
        "tap_mode": "control",
        "conditions": "fake driver, 2 workers",
        "started_ns": START,
    }
    return writer.start(**(defaults | words))


def begun(store: Store, **words: Any) -> tuple[SqlWriter, int]:
    """A writer that has begun a recording, and the first id of the recording less one."""
    writer = store.writer()
    return writer, begin(writer, **words).recording.id << 40


def recording_of(base: int) -> int:
    return base >> 40


def make_call(number: int, **words: Any) -> Call:
    at = words.get("published_ns", START + (number & 0xFFFF) * SECOND)
    defaults: dict[str, Any] = {
        "id": number,
        "kind": MessageKind.REQUEST,
        "outcome": Outcome.FAILED,
        "flags": 17,
        "unique_id": f"{number:032x}",
        "msg_id": f"{number + 1:032x}",
        "operation_id": 0,
        "cause_id": 0,
        "parent_id": 7,
        "parent_unique_id": "c" * 32,
        "parent_source": ParentSource.INFERRED,
        "method": "build_and_run_instance",
        "namespace": "baseapi",
        "version": "6.0",
        "exchange": "nova",
        "topic": "compute",
        "server": "host-1",
        "from_process": 8,
        "to_process": 9,
        "published_ns": at,
        "delivered_ns": None if at is None else at + 10,
        "replied_ns": None if at is None else at + 20,
        "reply_delivered_ns": None if at is None else at + 30,
        "last_ns": START if at is None else at + 40,
        "expiration_ms": 60_000,
        "clock": Clock.BROKER,
        "publishes": 1,
        "replies": 2,
        "heartbeats": 3,
        "copies": 4,
        "request_bytes": 500,
        "reply_bytes": 600,
        "routed": -1,
        "failure": "InstanceGroupNotFound",
    }
    return Call(**(defaults | words))


def make_operation(number: int, **words: Any) -> Operation:
    started = words.get("started_ns", START + (number & 0xFFFF) * SECOND)
    defaults: dict[str, Any] = {
        "id": number,
        "request_id": f"req-{number}",
        "global_request_id": f"req-global-{number}",
        "kind": "create",
        "kind_rank": 3,
        "background": False,
        "status": Status.RUNNING,
        "error": "NoValidHost",
        "instances": ("uuid-b", "uuid-a"),
        "source_host": "host-1",
        "dest_host": "host-2",
        "project_id": "project",
        "started_ns": started,
        "last_ns": started + 50,
        "finished_ns": started + 40,
        "complete": True,
        "by_request": Tally(calls=1, casts=2, fanouts=3, replies=4, heartbeats=5, notifications=6, copies=7, bytes=8),
        "by_cause": Tally(
            calls=11, casts=12, fanouts=13, replies=14, heartbeats=15, notifications=16, copies=17, bytes=18
        ),
        "owed_call": 21,
        "owed_method": "select_destinations",
        "owed_process": 22,
        "owed_host": "host-3",
        "owed_since_ns": started + 30,
    }
    return Operation(**(defaults | words))


def make_process(number: int, **words: Any) -> Process:
    defaults: dict[str, Any] = {
        "id": number,
        "key": f"10.0.0.1:nova-compute:{number}",
        "program": "nova-compute",
        "pid": number & 0xFFFF,
        "peer": "10.0.0.1",
        "host": "host-1",
        "role": "compute",
        "seen_ns": START,
        "gone_ns": None,
    }
    return Process(**(defaults | words))
