"""Why an operation is odd, as a sentence; and the picture of a usual step."""

from __future__ import annotations

from collections.abc import Sequence

from rpcscope.query.reasons import Reason
from rpcscope.query.usual_tree import UsualCall
from rpcscope_web.trace.names import cut
from rpcscope_web.words import lasted

_LONGEST = 70


def nth(place: int) -> str:
    """1st, 2nd, 11th."""
    ending = "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"


def why(reason: Reason) -> str:
    """The sentence, without its full stop."""
    name = cut(reason.method, _LONGEST)
    step = f"{nth(reason.place)} {name}" if reason.place > 1 else name
    below = f" below {cut(reason.below, _LONGEST)}" if reason.below else ""
    times = f"{lasted(reason.took_ns)}, usually {lasted(reason.usual_ns)}"
    match reason.sort:
        case "stuck":
            return f"stuck: {name} was not answered" if name else "stuck"
        case "failed":
            if reason.error or not reason.call:
                return f"{step or 'it'} failed: {cut(reason.error or 'nobody knows why', _LONGEST)}"
            return f"{step} timed out"
        case "slow":
            return f"{step} {'waited in its queue for' if reason.in_queue else 'took'} {times}"
        case "long":
            return f"it took {times}, though none of its steps was slow"
        case "missing":
            return f"missing: {_counted(reason, step, name)}{below}"
    return f"extra: {_counted(reason, step, name)}{below}"


def _counted(reason: Reason, step: str, name: str) -> str:
    return f"{reason.count} times {name}" if reason.count > 1 else step


def until(steps: Sequence[UsualCall]) -> float:
    """Milliseconds that some steps usually take together."""
    return max((one.begins.p50 + _length(one) for one in steps if one.begins.p50 is not None), default=0.0) or 1.0


def bar(one: UsualCall, whole: float) -> tuple[float, float]:
    """Where a usual step begins and how long it is, in per cent of all of them."""
    return 100 * (one.begins.p50 or 0.0) / whole, max(0.6, 100 * _length(one) / whole)


def _length(one: UsualCall) -> float:
    return one.whole.p50 if one.whole.p50 is not None else (one.wait.p50 or 0.0)
