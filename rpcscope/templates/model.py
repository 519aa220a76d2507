"""A template: the call tree of one kind of operation, with its variants, times and sizes as distributions.

A file holds one template as YAML. Hosts are roles ("source", "dest"), never names. Times are seconds, sizes
bytes of the message's body.

Template live-migration, variant 1 of 2 (share 0.9)
  CAST api -> conductor live_migrate_instance
    CALL conductor -> scheduler select_destinations
    CALL conductor -> compute @dest check_can_live_migrate_destination
      CALL compute @dest -> compute @source check_can_live_migrate_source
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

FORMAT = 1
SOURCE, DEST = "source", "dest"
"""Roles of hosts. A boot has no source, a delete no dest."""
EVERY_INSTANCE = -1
RpcKind = Literal["call", "cast", "fanout"]


class Lognormal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fit of what was measured: exp(N(mu, sigma)), in s."""

    mu: float
    sigma: float
    ks: float  # largest distance between the fit's and the measured distribution function (Kolmogorov-Smirnov)


class Times(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How long something took. Empty: not known, played as no time at all."""

    quantiles_s: tuple[float, ...] = ()  # measured, ascending, at equal steps of probability from 0 to 1; one: always
    fit: Lognormal | None = None
    count: int = 0  # measured


class Sizes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Body sizes, ascending, at equal steps of probability from 0 to 1. Empty: there is no such message."""

    quantiles: tuple[int, ...] = ()


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One RPC, and those that its handling causes."""

    method: str  # as rpcscope names it: object_action(Instance.save)
    kind: RpcKind
    topic: str  # as declared: conductor, compute, compute-alt
    exchange: str = ""  # the control exchange; "" for a fanout, which goes to <topic>_fanout
    namespace: str = ""
    version: str = ""
    sender: str = ""  # service that sends a root: api, conductor, scheduler, compute; "" below: who handles the parent
    sender_host: str = ""  # of a root sent by a compute: its role
    host: str = ""  # role of the host it is addressed to; "" for whoever takes it from the shared queue
    after: int = -1  # sibling whose end it waits for; -1: the delivery of its parent; of roots: the start
    delay: Times = Times()  # from there to its publish
    work: Times = Times()  # from its delivery, or the end of the last step it waited for, to its reply
    request: Sizes = Sizes()
    reply: Sizes = Sizes()  # of a call
    timeout_s: float = 60.0  # the caller's
    failure: str = ""  # class of the exception that answers it
    wait: str = ""  # what a flow may put in the place of its `delay`: "memory-copy", "spawn"
    repeats_s: float | None = None
    """Sent again and again, at this interval from the beginning of the wait, until the step whose `wait` it names is
    due; not once in a shorter wait. When its `after` repeats too, it is sent once in each round of that one, `delay`
    after its end. Nothing else waits for it."""
    stale: bool = False  # carries the request id under which its sender was started, not the operation's
    instance: int = EVERY_INSTANCE  # position of the server it is about
    detail: str = ""  # what its arguments must tell: an action event's name, a migration's status
    steps: tuple[Step, ...] = ()


class Variant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One shape that operations of the kind took."""

    operations: int  # that had it
    share: float  # of all, 0 to 1
    roots: tuple[Step, ...]
    error: str = ""  # operations of this shape failed: class of what made them; "" of those that were done
    note: str = ""


class Provenance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where the numbers come from."""

    release: str = ""  # nova 34.0.0 (2026.2)
    driver: str = ""  # "fake": no hypervisor took part; said wherever the template is used
    conditions: str = ""  # one sentence
    sources: tuple[str, ...] = ()  # names of the recordings
    operations: int = 0
    recorded: str = ""  # day of the first operation, ISO 8601


class Template(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What operations of one kind do on the bus."""

    kind: str
    variants: tuple[Variant, ...]
    format: int = FORMAT
    instances: int = 1  # servers that one operation is about
    background: bool = False
    interval_s: float | None = None  # of a periodic task
    provenance: Provenance = Provenance()


def walk(steps: Iterable[Step]) -> Iterator[Step]:
    """Every step of the trees, parents before children; a step's number is its position here, from 0."""
    for step in steps:
        yield step
        yield from walk(step.steps)
