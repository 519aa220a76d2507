"""Why one operation is not like the others of its kind, in parts that a sentence is made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rpcscope.model import Call, MessageKind
from rpcscope.query.alignment import Path
from rpcscope.query.lifelines import short
from rpcscope.query.times import ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One way in which an operation is not like the others."""

    sort: str  # stuck | failed | slow | long | missing | extra
    method: str  # of the step; "" for the operation itself
    below: str  # method of the call that has or should have caused the step; "" of a root
    place: int = 1  # of the step among its like
    call: str = ""  # unique id of the call that shows it
    error: str = ""  # class name
    count: int = 1  # such steps, one after the other, of what is missing or extra
    in_queue: bool = False  # the times are of its wait in the queue: nobody answers it
    took_ns: int | None = None
    usual_ns: int | None = None  # the median of all

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        times = {f"{name}_ms": ms(ns) for name, ns in (("took", self.took_ns), ("usual", self.usual_ns))}
        words = {name: getattr(self, name) or None for name in ("method", "below", "call", "error")}
        return {
            "sort": self.sort, "place": self.place, "count": self.count, "in_queue": self.in_queue, **words, **times,
        }  # fmt: skip


def together(reasons: Iterable[Reason]) -> list[Reason]:
    """Steps of one method below one method as one reason with their count."""
    found: dict[tuple[str, str], Reason] = {}
    for reason in reasons:
        key = (reason.method, reason.below)
        found[key] = replace(found[key], count=found[key].count + 1) if key in found else reason
    return list(found.values())


def reason_of(
    sort: str, path: Path, call: Call | None = None, *, error: str = "", took_ns: int | None = None,
    usual_ns: int | None = None,
) -> Reason:  # fmt: skip
    """The reason that a step is.

    Args:
        call: that shows it; none of what is missing.
    """
    return Reason(
        sort=sort, method=short(path[-1].method), below=short(path[-2].method) if len(path) > 1 else "",
        place=path[-1].place, call=call.unique_id if call else "", error=error, took_ns=took_ns, usual_ns=usual_ns,
        in_queue=sort == "slow" and call is not None and call.kind is not MessageKind.REQUEST,
    )  # fmt: skip
