"""What an operation spent, by method, by service and by host."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rpcscope.model import RPCS, Flag, Outcome
from rpcscope.query.calls import KIND_WORDS, CallView
from rpcscope.query.stages import EXECUTION, POOL_WAIT, REPLY_WAIT, WAIT, staged
from rpcscope.query.times import ms

_Names = Callable[[CallView], Iterable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """RPCs of one name added up. A time is None when it is not known of any of them."""

    name: str
    rpcs: dict[str, int]  # by kind: call, cast, fanout
    total_ns: int | None  # publish to reply, of calls
    wait_ns: int | None  # in the queue
    pool_wait_ns: int | None  # in the server until a thread began, where processes told of it
    execution_ns: int | None  # in the server, of calls; where the pool wait is not told, with it
    reply_wait_ns: int | None
    bytes: int | None  # requests and replies; None where replies were not to be seen, or sizes not told
    failed: int  # but for failures that are expected, and with those that timed out

    @property
    def count(self) -> int:
        """Calls, casts and fanouts."""
        return sum(self.rpcs.values())

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        words = ("total", "wait", "pool_wait", "execution", "reply_wait")
        times = {f"{name}_ms": ms(getattr(self, f"{name}_ns")) for name in words}
        rpcs = {"rpcs": self.count, **{f"{kind}s": self.rpcs.get(kind, 0) for kind in ("call", "cast", "fanout")}}
        return {"name": self.name, **rpcs, **times, "bytes": self.bytes, "failed": self.failed}


def by_method(views: Iterable[CallView]) -> list[Spent]:
    """What took longest first."""
    return _spent(views, lambda view: (view.call.method,))


def by_service(views: Iterable[CallView]) -> list[Spent]:
    """By the program that worked on them."""
    return _spent(views, lambda view: (_program(view),))


def by_host(views: Iterable[CallView]) -> list[Spent]:
    """By each host that a call came from or went to; one between two hosts is in both."""
    return _spent(views, lambda view: sorted({end.host for end in (view.sender, view.worker)} - {""}))


def _program(view: CallView) -> str:
    process = view.worker.process
    return process.partition(":")[0] if process and "->" not in process else view.call.topic


def _spent(views: Iterable[CallView], names: _Names) -> list[Spent]:
    groups: defaultdict[str, list[CallView]] = defaultdict(list)
    for view in views:
        if view.call.kind in RPCS:
            for name in names(view):
                groups[name].append(view)
    found = [_added(name, group) for name, group in groups.items()]
    return sorted(found, key=lambda row: (-(row.total_ns or 0), -row.count, row.name))


def _added(name: str, views: list[CallView]) -> Spent:
    rpcs: defaultdict[str, int] = defaultdict(int)
    times: defaultdict[str, int] = defaultdict(int)
    for view in views:
        rpcs[KIND_WORDS[view.call.kind]] += 1
        for stage in staged(view):
            times[stage.name] += stage.took_ns
        if view.total_ns is not None:
            times["total"] += view.total_ns
    unseen = any(view.reply_is_unseen or view.bytes_untold for view in views)
    return Spent(
        name=name,
        rpcs=dict(rpcs),
        total_ns=times.get("total"),
        wait_ns=times.get(WAIT),
        pool_wait_ns=times.get(POOL_WAIT),
        execution_ns=times.get(EXECUTION),
        reply_wait_ns=times.get(REPLY_WAIT),
        bytes=None if unseen else sum(view.call.request_bytes + view.call.reply_bytes for view in views),
        failed=sum(map(_failed, views)),
    )


def _failed(view: CallView) -> bool:
    expected = bool(view.call.flags & Flag.EXPECTED_FAILURE)
    return view.outcome is Outcome.TIMED_OUT or (view.outcome is Outcome.FAILED and not expected)
