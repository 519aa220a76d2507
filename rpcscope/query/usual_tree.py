"""The usual call tree of a kind: many operations laid over each other, each step with how often and how long."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low

from rpcscope.model import Call, Flag, MessageKind, Outcome
from rpcscope.query.alignment import Path, Step, aligned
from rpcscope.query.calls import KIND_WORDS
from rpcscope.query.cost import Spread
from rpcscope.query.stages import EXECUTION, REPLY_WAIT, WAIT, begin, stages
from rpcscope.query.times import MS, between


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """One operation with the paths of its calls."""

    request_id: str
    started_ns: int
    steps: Mapping[Path, Call]
    foreign: frozenset[str]  # unique ids of calls that carry the request id of another operation


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualCall:
    """One step of the tree. Times in ms, sizes in bytes; None where no operation showed them."""

    path: Path
    kind: str  # call | cast | fanout, as most of them are
    operations: int  # that have it
    share: float  # of all that were laid over each other, 0 to 1
    foreign: int  # of `operations`: it carried the request id of another operation
    failed: int | None  # of `operations`: it failed unexpectedly or timed out; None where replies were not to be seen
    begins: Spread  # after the operation began
    wait: Spread  # in the queue
    execution: Spread  # in the server, of calls
    reply_wait: Spread
    whole: Spread  # publish to reply, of calls
    request_bytes: Spread
    reply_bytes: Spread

    @property
    def step(self) -> Step:
        """Its last step."""
        return self.path[-1]

    @property
    def depth(self) -> int:
        """0 for a root."""
        return len(self.path) - 1

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        times = ("begins", "wait", "execution", "reply_wait", "whole")
        return {
            "depth": self.depth, **self.step._asdict(), "kind": self.kind, "operations": self.operations,
            "share": round(self.share, 4), "foreign": self.foreign, "failed": self.failed,
            **{f"{name}_ms": getattr(self, name).as_dict(3) for name in times},
            "request_bytes": self.request_bytes.as_dict(), "reply_bytes": self.reply_bytes.as_dict(),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class UsualTree:
    """Steps with parents before children, siblings by when they usually begin."""

    operations: int
    calls: tuple[UsualCall, ...]

    def share(self, path: Path) -> float:
        """Of the operations, those that have a step; 0 of what none has."""
        return next((one.share for one in self.calls if one.path == path), 0.0)

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {"operations": self.operations, "steps": [one.as_dict() for one in self.calls]}


def traced(request_id: str, started_ns: int, calls: Sequence[Call], ids: frozenset[int]) -> Traced:
    """One operation's calls by their paths.

    Args:
        calls: what it caused, by time.
        ids: Operation.id of its parts.
    """
    return Traced(
        request_id=request_id,
        started_ns=started_ns,
        steps=aligned(calls),
        foreign=frozenset(call.unique_id for call in calls if call.operation_id not in ids),
    )


def usual_tree(several: Sequence[Traced]) -> UsualTree:
    """These operations laid over each other."""
    found: defaultdict[Path, list[tuple[Traced, Call]]] = defaultdict(list)
    for one in several:
        for path, call in one.steps.items():
            found[path].append((one, call))
    calls = (_usual(path, found[path], len(several)) for path in _ordered(found))
    return UsualTree(len(several), tuple(calls))


def is_failed(call: Call) -> bool:
    """It failed unexpectedly, or its caller gave up."""
    expected = bool(call.flags & Flag.EXPECTED_FAILURE)
    return call.outcome is Outcome.TIMED_OUT or (call.outcome is Outcome.FAILED and not expected)


def failures(calls: Iterable[Call]) -> int | None:
    """How many failed; None where that is not known of some."""
    known = list(calls)
    if any(call.kind is MessageKind.REQUEST and call.outcome is Outcome.NONE for call in known):
        return None
    return sum(map(is_failed, known))


def _ordered(found: Mapping[Path, Sequence[tuple[Traced, Call]]]) -> Iterator[Path]:
    """Siblings by the median of their beginning."""
    begins = {path: median_low(begin(call) - one.started_ns for one, call in mine) for path, mine in found.items()}
    key: dict[Path, tuple[tuple[int, Step], ...]] = {}
    for path in sorted(found, key=len):
        key[path] = (*key.get(path[:-1], ()), (begins[path], path[-1]))
    yield from sorted(found, key=key.__getitem__)


def _usual(path: Path, mine: Sequence[tuple[Traced, Call]], operations: int) -> UsualCall:
    calls = [call for _, call in mine]
    took: defaultdict[str, list[float]] = defaultdict(list)
    for call in calls:
        for stage in stages(call):
            took[stage.name].append(stage.took_ns / MS)
    kinds = [call.kind for call in calls]
    answered = [call for call in calls if call.replied_ns is not None]
    wholes = (between(call.published_ns, call.replied_ns) for call in answered)
    return UsualCall(
        path=path,
        kind=KIND_WORDS[max(sorted(set(kinds), key=int), key=kinds.count, default=MessageKind.REQUEST)],
        operations=len(calls),
        share=len(calls) / operations,
        foreign=sum(1 for one, call in mine if call.unique_id in one.foreign),
        failed=failures(calls),
        begins=Spread.of(max(0, begin(call) - one.started_ns) / MS for one, call in mine),
        wait=Spread.of(took[WAIT]),
        execution=Spread.of(took[EXECUTION]),
        reply_wait=Spread.of(took[REPLY_WAIT]),
        whole=Spread.of(whole / MS for whole in wholes if whole is not None),
        request_bytes=Spread.of(call.request_bytes for call in calls if call.publishes),
        reply_bytes=Spread.of(call.reply_bytes for call in answered),
    )
