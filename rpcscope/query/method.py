"""One method in a time: who calls it, how long each of its stages takes, who works on it, its slowest calls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rpcscope.model import MessageKind, Outcome, Process
from rpcscope.query.calls import KIND_WORDS
from rpcscope.query.looked import Looked, looked_at
from rpcscope.query.method_calls import Slow, executed, is_error, slowest, took, waited, weigh
from rpcscope.query.method_workers import Worker, workers
from rpcscope.query.processes import processes
from rpcscope.query.service_names import UNKNOWN, service_of
from rpcscope.query.shares import Percentiles, Share, in_ms, shares
from rpcscope.query.times import between
from rpcscope.query.unevenness import unevenness
from rpcscope.store.protocol import Reader
from rpcscope.store.traffic import MethodCall

MOST_OPERATIONS = 2_000
"""Operations whose kind is looked up for the shares of kinds."""
MOST_WORKERS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One method in a time. Counts are estimates where not all calls were looked at."""

    name: str
    looked: Looked
    looked_calls: int
    kinds: Mapping[str, float]  # call, cast, fanout
    count: float
    known: float
    failed: float
    expected: float
    timed_out: float
    failures: tuple[Share, ...]  # classes of exceptions
    total: Percentiles  # nanoseconds, publish to reply
    wait: Percentiles  # in the queue
    execution: Percentiles  # in the server
    reply_wait: Percentiles
    request_bytes: Percentiles
    reply_bytes: Percentiles  # of those that were answered
    callers: tuple[Share, ...]  # methods, with the service that sent it
    operation_kinds: tuple[Share, ...]
    workers: tuple[Worker, ...]
    worker_count: int
    unevenness: float | None
    slowest: tuple[Slow, ...]

    @property
    def error_share(self) -> float | None:
        """Unexpected failures and timeouts, of the calls whose outcome is known."""
        return (self.failed + self.timed_out) / self.known if self.known else None

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        stages = ("total", "wait", "execution", "reply_wait")
        lists = ("failures", "callers", "operation_kinds", "workers", "slowest")
        return {
            "method": self.name,
            "looked": self.looked.as_dict(),
            "looked_calls": self.looked_calls,
            "kinds": {kind: round(count) for kind, count in self.kinds.items()},
            **{name: round(getattr(self, name)) for name in ("count", "known", "failed", "expected", "timed_out")},
            "error_share": None if self.error_share is None else round(self.error_share, 4),
            **{f"{name}_ms": getattr(self, name).as_dict(in_ms) for name in stages},
            **{name: getattr(self, name).as_dict(round) for name in ("request_bytes", "reply_bytes")},
            **{name: [one.as_dict() for one in getattr(self, name)] for name in lists},
            "processes": self.worker_count,
            "unevenness": None if self.unevenness is None else round(self.unevenness, 4),
        }


def method(reader: Reader, name: str, from_ns: int, to_ns: int) -> Method:
    """Calls of a method that began from one time up to another; without calls when there were none."""
    traffic = reader.method_traffic(name, from_ns, to_ns)
    calls, ends = traffic.calls, processes(reader)
    failed = [call for call in calls if call.outcome == Outcome.FAILED]
    shared = workers(calls, ends)
    return Method(
        name=name,
        looked=looked_at(reader, traffic.windows, from_ns, to_ns, traffic.every),
        looked_calls=len(calls),
        kinds=_kinds(calls),
        count=weigh(calls),
        known=weigh(call for call in calls if call.outcome in (Outcome.OK, Outcome.FAILED, Outcome.TIMED_OUT)),
        failed=weigh(call for call in failed if is_error(call)),
        expected=weigh(call for call in failed if not is_error(call)),
        timed_out=weigh(call for call in calls if call.outcome == Outcome.TIMED_OUT),
        failures=shares(((call.failure, ""), call.weight) for call in failed if call.failure),
        total=Percentiles.of(took(call) for call in calls),
        wait=Percentiles.of(waited(call) for call in calls),
        execution=Percentiles.of(executed(call) for call in calls),
        reply_wait=Percentiles.of(between(call.replied_ns, call.reply_delivered_ns) for call in calls),
        request_bytes=Percentiles.of(call.request_bytes for call in calls),
        reply_bytes=Percentiles.of(call.reply_bytes for call in calls if call.replies),
        callers=_callers(calls, ends),
        operation_kinds=_operation_kinds(reader, calls),
        workers=shared[:MOST_WORKERS],
        worker_count=len(shared),
        unevenness=unevenness([worker.calls for worker in shared]),
        slowest=slowest(reader, calls, ends),
    )


def _kinds(calls: Sequence[MethodCall]) -> dict[str, float]:
    found: defaultdict[str, float] = defaultdict(float)
    for call in calls:
        found[KIND_WORDS[MessageKind(call.kind)]] += call.weight
    return dict(found)


def _callers(calls: Sequence[MethodCall], ends: Mapping[int, Process]) -> tuple[Share, ...]:
    return shares(((call.parent_method, _service(ends.get(call.from_process))), call.weight) for call in calls)


def _service(process: Process | None) -> str:
    return (service_of(process.program, process.role) if process else "") or UNKNOWN


def _operation_kinds(reader: Reader, calls: Sequence[MethodCall]) -> tuple[Share, ...]:
    """Of the newest operations, where there are very many."""
    causes: defaultdict[int, float] = defaultdict(float)
    for call in reversed(calls):
        causes[call.cause_id] += call.weight
    chosen = dict(list(causes.items())[:MOST_OPERATIONS])
    kinds = reader.operation_kinds([number for number in chosen if number])
    return shares(((kinds.get(number, ""), ""), weight) for number, weight in chosen.items())
