"""One operation as its page shows it: only what the chosen view needs is worked out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rpcscope.errors import UsageError
from rpcscope.query.breakdown import Spent, by_host, by_method, by_service
from rpcscope.query.calls import CallView
from rpcscope.query.critical import Holder, critical_path, holders
from rpcscope.query.ids import recording_of
from rpcscope.query.relatives import Relative, relatives
from rpcscope.query.stages import begin
from rpcscope.query.trace import Trace
from rpcscope.query.usual import Usual, UsualStep, steps, usual
from rpcscope.store.protocol import Reader
from rpcscope_web.trace.sequence import Sequence, sequence
from rpcscope_web.trace.waterfall import Waterfall, waterfall

VIEWS = {
    "": "Waterfall",
    "tree": "Tree",
    "sequence": "Sequence",
    "numbers": "Numbers",
    "related": "Related",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What it spent."""

    methods: list[Spent]
    services: list[Spent]
    hosts: list[Spent]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One operation; of the views, the one that was asked for."""

    trace: Trace
    recordings: tuple[str, ...]  # that saw a part of it
    last: CallView | None  # the call of which the last was seen
    usual: Usual | None = None
    holders: tuple[Holder, ...] = ()
    waterfall: Waterfall | None = None
    sequence: Sequence | None = None
    numbers: Numbers | None = None
    relatives: list[Relative] | None = None
    selected: CallView | None = None
    selected_step: UsualStep | None = None


def look(reader: Reader, trace: Trace, view: str, zoom: str = "") -> Look:
    """The operation with one of its views. Raises UsageError for a view that there is not."""
    if view not in VIEWS:
        raise UsageError(f"`view` wants one of {', '.join(filter(None, VIEWS))}")
    plain = _plain(reader, trace)
    if view == "":
        path, others = critical_path(trace), usual(reader, trace)
        picture = waterfall(trace, path, others, zoom)
        return replace(plain, usual=others, holders=_most(holders(path)), waterfall=picture)
    if view == "sequence":
        return replace(plain, sequence=sequence(trace.calls))
    if view == "numbers":
        calls = trace.calls
        return replace(
            plain, numbers=Numbers(methods=by_method(calls), services=by_service(calls), hosts=by_host(calls))
        )
    return replace(plain, relatives=relatives(reader, trace)) if view == "related" else plain


def look_at_call(reader: Reader, trace: Trace, unique_id: str) -> Look | None:
    """The operation with one of its calls; None when it has no such call."""
    return next(iter(looks_at_calls(reader, trace, [unique_id])), None)


def looks_at_calls(reader: Reader, trace: Trace, unique_ids: Iterable[str]) -> list[Look]:
    """The operation with each of these calls; those that it does not have are left out."""
    found = {view.call.unique_id: view for view in (*trace.others, *trace.calls)}
    wanted = [unique_id for unique_id in unique_ids if unique_id in found]
    if not wanted:
        return []
    others, plain = usual(reader, trace), _plain(reader, trace)
    known = steps(sorted((view.call for view in trace.calls), key=begin))
    return [
        replace(plain, usual=others, selected=found[name], selected_step=others.steps.get(known[name]))
        if name in known
        else replace(plain, usual=others, selected=found[name])
        for name in wanted
    ]


def _most(found: list[Holder]) -> tuple[Holder, ...]:
    """Those that are worth a word."""
    return tuple(one for one in found if one.share >= 0.01)[:5]


def _plain(reader: Reader, trace: Trace) -> Look:
    labels = {info.recording.id: info.recording.label for info in reader.recordings()}
    seen = dict.fromkeys(recording_of(part) for part in trace.operation.ids)
    return Look(
        trace=trace,
        recordings=tuple(labels.get(number, "") for number in seen),
        last=max(trace.calls, key=lambda view: view.call.last_ns, default=None),
    )
