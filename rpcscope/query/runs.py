"""Runs of the emulator: what was expected beside what the recording of the run has.

Expected is a plan. Measured is what a tap saw of the vhost that the run made for itself, in the time of the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rpcscope.model import Status
from rpcscope.query.gaps import Loss, gaps_touching
from rpcscope.query.times import SECOND, iso, percentile
from rpcscope.store.protocol import Reader
from rpcscope.store.run_query import RecordedKind
from rpcscope.store.run_rows import Run, RunState

SILENT_S = 30.0
"""A run that said nothing for so long was killed, or can not reach the database."""
MOST_MESSAGES = 2_000_000
"""Of a recording whose methods are counted; of more they are not, for every call is read."""
STARTUP = "startup"
"""What services do when they start goes under several request ids, and counts as one kind."""
_SUMS = ("operations", "done", "failed", "rpcs", "messages", "bytes")
_OVER_NS = 60 * SECOND
"""What a run made may reach its recorder a little later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Operations of one kind. None is unknown."""

    operations: int
    done: int
    failed: int  # also those that timed out
    rpcs: int
    messages: int
    bytes: int
    p50_s: float | None  # of those that are done, by the wall's clock
    p95_s: float | None

    @property
    def others(self) -> int:
        """Neither done nor failed: not over, or not judged."""
        return self.operations - self.done - self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A kind of operation, or a method; None where only the other side has it."""

    name: str
    expected: Amount | None
    measured: Amount | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodPair:
    """RPCs of one method, with their messages and bytes."""

    method: str
    expected: tuple[int, int, int] | None
    measured: tuple[int, int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Expected beside measured."""

    run: Run
    recordings: tuple[int, ...]  # Recording.id; none: nobody recorded it
    kinds: tuple[Pair, ...]
    methods: tuple[MethodPair, ...]
    methods_left_out: bool  # too many messages to count them here
    background_operations: int  # that timers started
    background_messages: int
    gaps: tuple[Loss, ...]  # when a tap was blind meanwhile: what was measured is at least so much
    from_ns: int
    to_ns: int  # the run's end; of one that still runs, what it said last

    @property
    def took_s(self) -> float:
        """By the wall's clock."""
        return (self.to_ns - self.from_ns) / SECOND

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            **summary(self.run),
            "asked": self.run.asked,
            "expected": {name: self.run.expected.get(name) for name in EXPECTED},
            "outcome": self.run.outcome,
            "recordings": list(self.recordings),
            "kinds": [_pair(one) for one in self.kinds],
            "methods": None if self.methods_left_out else [_method(one) for one in self.methods],
            "background_operations": self.background_operations,
            "background_messages": self.background_messages,
            "gaps": [loss.as_dict() for loss in self.gaps],
        }


EXPECTED = (
    "took_s", "operations", "rpcs", "messages", "bytes", "operations_peak", "link_peak", "copied_bytes", "stuck", "idle"
)  # fmt: skip
"""Of the plan as a whole."""


def summary(run: Run) -> dict[str, object]:
    """What a list says of a run."""
    return {
        "id": run.id,
        "label": run.label or None,
        "what": run.what,
        "vhost": run.vhost,
        "state": run.state.word,
        "started_at": iso(run.started_ns),
        "heard_at": iso(run.heard_ns),
        "ended_at": iso(run.ended_ns),
    }


def _pair(one: Pair) -> dict[str, object]:
    return {
        "kind": one.name,
        "expected": None if one.expected is None else asdict(one.expected),
        "measured": None if one.measured is None else asdict(one.measured),
    }


def _method(one: MethodPair) -> dict[str, object]:
    def told(counts: tuple[int, int, int] | None) -> dict[str, int] | None:
        return None if counts is None else dict(zip(("rpcs", "messages", "bytes"), counts, strict=True))

    return {"method": one.method, "expected": told(one.expected), "measured": told(one.measured)}


def is_silent(run: Run, now_ns: int) -> bool:
    """A run that is not over, and says nothing any more."""
    return run.state is RunState.RUNNING and now_ns - run.heard_ns > SILENT_S * SECOND


def compared(reader: Reader, run: Run, *, all_methods: bool = False) -> Compared:
    """What was expected of a run beside what was recorded of it.

    Args:
        all_methods: count methods however many messages there are.
    """
    infos = [info for info in reader.recordings() if info.recording.label == run.vhost]
    numbers = tuple(info.recording.id for info in infos)
    from_ns, to_ns = run.started_ns, run.ended_ns or run.heard_ns
    until_ns = to_ns + _OVER_NS
    rows = [row for number in numbers for row in reader.recorded_kinds(number, from_ns, until_ns)]
    timers = [row for row in rows if row.background and wire_kind(row.kind) != STARTUP]
    wanted = _amounts(run.expected.get("kinds") or {})
    found = _measured(reader, numbers, from_ns, until_ns, [row for row in rows if row not in timers])
    left_out = not all_methods and sum(info.counters.messages for info in infos) > MOST_MESSAGES
    return Compared(
        run=run,
        recordings=numbers,
        kinds=tuple(
            Pair(name=kind, expected=wanted.get(kind), measured=found.get(kind))
            for kind in sorted({*wanted, *found}, key=lambda kind: (-_messages(wanted, kind), kind))
        ),
        methods=() if left_out else _methods(reader, run, numbers, from_ns, until_ns),
        methods_left_out=left_out,
        background_operations=sum(row.operations for row in timers),
        background_messages=sum(row.messages for row in timers),
        gaps=gaps_touching(reader, from_ns, to_ns, numbers),
        from_ns=from_ns,
        to_ns=to_ns,
    )


def wire_kind(kind: str) -> str:
    """What a kind of template is called once it is recorded."""
    if kind.startswith(STARTUP):
        return STARTUP
    return "create" if kind == "create-no-valid-host" else kind


def _amounts(kinds: Mapping[str, Any]) -> dict[str, Amount]:
    found: dict[str, Amount] = {}
    for kind, one in kinds.items():
        amount = Amount(
            operations=one["asked"], done=one["done"], failed=one["failed"] + one["timed_out"],
            rpcs=one["rpcs"], messages=one["messages"], bytes=one["bytes"],
            p50_s=one["took_p50_s"], p95_s=one["took_p95_s"],
        )  # fmt: skip
        name = wire_kind(kind)
        found[name] = _together(found[name], amount) if name in found else amount
    return found


def _together(one: Amount, other: Amount) -> Amount:
    """Durations are those of the one of which more came to its end."""
    better = max(one, other, key=lambda amount: amount.done)
    sums = {name: getattr(one, name) + getattr(other, name) for name in _SUMS}
    return Amount(**sums, p50_s=better.p50_s, p95_s=better.p95_s)


def _measured(
    reader: Reader, numbers: Iterable[int], from_ns: int, to_ns: int, rows: list[RecordedKind]
) -> dict[str, Amount]:
    took: dict[str, list[int]] = {}
    for number in numbers:
        for kind, some in reader.recorded_durations(number, from_ns, to_ns).items():
            took.setdefault(kind, []).extend(some)
    kinds: dict[str, list[RecordedKind]] = {}
    for row in rows:
        if row.messages:
            kinds.setdefault(wire_kind(row.kind), []).append(row)
    return {kind: _amount(mine, took.get(kind, [])) for kind, mine in kinds.items()}


def _amount(rows: list[RecordedKind], took_ns: list[int]) -> Amount:
    statuses: Counter[Status] = Counter()
    for row in rows:
        statuses[row.status] += row.operations
    ordered = sorted(one / SECOND for one in took_ns)
    return Amount(
        operations=statuses.total(), done=statuses[Status.DONE], failed=statuses[Status.FAILED],
        rpcs=sum(row.rpcs for row in rows), messages=sum(row.messages for row in rows),
        bytes=sum(row.bytes for row in rows),
        p50_s=percentile(ordered, 0.5), p95_s=percentile(ordered, 0.95),
    )  # fmt: skip


def _messages(amounts: Mapping[str, Amount], kind: str) -> int:
    return amounts[kind].messages if kind in amounts else 0


def _methods(reader: Reader, run: Run, numbers: Iterable[int], from_ns: int, to_ns: int) -> tuple[MethodPair, ...]:
    wanted = {
        method: (one["rpcs"], one["messages"], one["bytes"])
        for method, one in (run.expected.get("methods") or {}).items()
    }
    found: dict[str, tuple[int, int, int]] = {}
    for number in numbers:
        for row in reader.recorded_methods(number, from_ns, to_ns):
            before = found.get(row.method, (0, 0, 0))
            found[row.method] = (before[0] + row.rpcs, before[1] + row.messages, before[2] + row.bytes)
    names = {*wanted, *found}
    most = {name: max((wanted.get(name) or (0, 0, 0))[1], (found.get(name) or (0, 0, 0))[1]) for name in names}
    return tuple(
        MethodPair(method=name, expected=wanted.get(name), measured=found.get(name))
        for name in sorted(names, key=lambda name: (-most[name], name))
    )
