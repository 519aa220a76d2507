"""What one call of a method took, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rpcscope.model import Clock, Flag, Outcome, Process
from rpcscope.query.operations import process_name
from rpcscope.query.times import between, iso, ms
from rpcscope.store.protocol import Reader
from rpcscope.store.traffic import MethodCall

SLOWEST = 10


def took(call: MethodCall) -> int | None:
    """From the publish to the reply, in nanoseconds."""
    return between(call.published_ns, call.replied_ns)


def waited(call: MethodCall) -> int | None:
    """In the queue. Times of two clocks are not set against each other."""
    return between(call.published_ns, call.delivered_ns) if call.clock == Clock.TAP else None


def executed(call: MethodCall) -> int | None:
    """From the delivery to the reply: waiting in the worker's pool and executing."""
    return between(call.delivered_ns, call.replied_ns) if call.clock == Clock.TAP else None


def is_error(call: MethodCall) -> bool:
    """It failed though the rules do not expect that, or its time ran out."""
    failed = call.outcome == Outcome.FAILED and not call.flags & Flag.EXPECTED_FAILURE
    return failed or call.outcome == Outcome.TIMED_OUT


def weigh(calls: Iterable[MethodCall]) -> float:
    """How many calls these stand for."""
    return sum(call.weight for call in calls)


@dataclass(frozen=True, slots=True)
class Slow:
    """One of the slowest calls."""

    call: MethodCall
    request_id: str  # of its operation; "" unknown
    worker: str

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        call = self.call
        return {
            "unique_id": call.unique_id,
            "request_id": self.request_id or None,
            "published_at": iso(call.published_ns),
            "total_ms": ms(took(call)),
            "broker_wait_ms": ms(waited(call)),
            "server_ms": ms(executed(call)),
            "outcome": Outcome(call.outcome).name.lower(),
            "worker": self.worker or None,
        }


def slowest(reader: Reader, calls: Sequence[MethodCall], ends: Mapping[int, Process]) -> tuple[Slow, ...]:
    """The slowest of some calls, of those whose publish and reply were seen."""
    timed = [call for call in calls if took(call) is not None]
    chosen = sorted(timed, key=lambda call: (-(took(call) or 0), call.id))[:SLOWEST]
    names = reader.request_ids({call.cause_id or call.operation_id for call in chosen})
    return tuple(
        Slow(call, names.get(call.cause_id or call.operation_id, ""), process_name(ends.get(call.to_process)))
        for call in chosen
    )
