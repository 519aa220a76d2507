"""A recording held against a budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rpcscope.compare.budgets import Bound, KindBudget, MethodBudget
from rpcscope.compare.news import RPC_KINDS, Usual, named
from rpcscope.compare.population import KindSide, Population
from rpcscope.compare.sample import Sample, Used
from rpcscope.compare.words import size
from rpcscope.query.times import SECOND, percentile

_EXAMPLES = 3
_KINDS = {"rpcs": RPC_KINDS, "messages": (*RPC_KINDS, "notification")}
_COUNTS = ("rpcs", "messages", "calls", "casts", "fanouts", "notifications")
Number = Callable[[Sample], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One bound of a budget, and whether it holds."""

    kind: str
    what: str  # `rpcs at most 15`
    saw: str  # what was recorded
    failure: str = ""  # why it does not hold, in a sentence; "" when it does
    examples: tuple[str, ...] = ()  # request ids of operations that break it

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "kind": self.kind, "budget": self.what, "holds": not self.failure, "saw": self.saw,
            "failure": self.failure or None, "examples": list(self.examples),
        }  # fmt: skip


def check(budgets: Mapping[str, KindBudget], recorded: Population, baseline: Population | None = None) -> list[Check]:
    """Every bound of every budget, in the order in which they are written.

    Args:
        baseline: a recording of what is usual; RPCs that it does not have are new.
    """
    found: list[Check] = []
    for kind, budget in budgets.items():
        side = recorded.kinds.get(kind, KindSide())
        usual = Usual.of(budget.usual, baseline.kinds.get(kind) if baseline else None)
        found += _KindChecks(kind, budget, side, usual).all()
    return found


class _KindChecks:
    """The bounds of one kind."""

    def __init__(self, kind: str, budget: KindBudget, side: KindSide, usual: Usual | None) -> None:
        self._kind, self._budget, self._side, self._usual = kind, budget, side, usual
        self._samples = side.done

    def all(self) -> Iterator[Check]:
        """How many were done first: without any, nothing else can be said. One that failed early is not cheap."""
        yield self._enough()
        if self._budget.failed is not None:
            yield self._held(f"failed {self._budget.failed}", self._budget.failed, [float(len(self._side.failed))], "")
        if not self._samples:
            return
        for name in _COUNTS:
            yield from self._each(name, getattr(self._budget, name), _number(name))
        yield from self._each("bytes", self._budget.bytes, lambda one: one.bytes)
        for name, share in (("duration_p50_s", 0.5), ("duration_p95_s", 0.95)):
            yield from self._percentile(name, getattr(self._budget, name), share, lambda one: one.duration_ns)
        yield from self._news()
        for method, budget in self._budget.methods.items():
            yield from self._method(method, budget)

    def _enough(self) -> Check:
        least, seen = self._budget.operations_at_least, len(self._samples)
        left = (
            (len(self._side.failed), "failed"),
            (self._side.touched, "left out because a tap was blind during them"),
        )
        saw = f"{seen} {_operations(seen)}" + "".join(f", {count} {why}" for count, why in left if count)
        failure = "" if seen >= least else f"{self._kind}: {saw}, at least {least} are wanted: record more of them"
        return Check(kind=self._kind, what=f"operations at least {least}", saw=saw, failure=failure)

    def _each(self, name: str, bound: Bound | None, number: Number, method: str = "") -> Iterator[Check]:
        """A bound that holds in every operation."""
        if bound is None:
            return
        pairs = [(value, one) for one in self._samples if (value := number(one)) is not None]
        what = f"{method} {name} {bound}".strip()
        if not pairs:
            yield self._unknown(what)
            return
        broken = [one for value, one in pairs if not bound.holds(value, value)]
        reason = self._reason(broken, name) if broken and name in _COUNTS else ""
        yield self._held(
            what, bound, [value for value, _ in pairs], reason, broken, shown=size if name == "bytes" else _plain
        )

    def _percentile(
        self, name: str, bound: Bound | None, share: float, number: Number, method: str = ""
    ) -> Iterator[Check]:
        if bound is None:
            return
        known = sorted(value for one in self._samples if (value := number(one)) is not None)
        reached = percentile(known, share)
        what = f"{method} {name} {bound}".strip()
        if reached is None:
            yield self._unknown(what)
        else:
            yield self._held(what, bound, [round(reached / SECOND, 3)], "", shown=_seconds)

    def _news(self) -> Iterator[Check]:
        bound = self._budget.new_rpcs
        if bound is None:
            return
        if self._usual is None:
            why = f"{self._kind}: nobody knows what is new: give `usual:` or --baseline"
            yield Check(kind=self._kind, what=f"new_rpcs {bound}", saw="?", failure=why)
            return
        new = self._usual.new(self._samples, RPC_KINDS)
        users = [one for one in self._samples if new.keys() & one.methods.keys()]
        reason = f": {named(new)}" if new else ""
        yield self._held(f"new_rpcs {bound}", bound, [float(len(new))], reason, users)

    def _method(self, method: str, budget: MethodBudget) -> Iterator[Check]:
        def used(known: Callable[[Sequence[Used]], float | None]) -> Number:
            return lambda one: known([u for key, u in one.methods.items() if method in (str(key), key.name)])

        yield from self._each("count", budget.count, used(lambda found: sum(u.count for u in found)), method)
        yield from self._each("bytes", budget.bytes, used(lambda found: _first(u.bytes for u in found)), method)
        took = used(lambda found: _first(u.took_ns for u in found))
        yield from self._percentile("duration_p95_s", budget.duration_p95_s, 0.95, took, method)

    def _held(
        self, what: str, bound: Bound, values: Sequence[float], reason: str, broken: Sequence[Sample] = (), *,
        shown: Callable[[float], str] | None = None,
    ) -> Check:  # fmt: skip
        least, most = min(values), max(values)
        said = shown or _plain
        saw = said(most) if least == most else f"{said(least)} to {said(most)}"
        if bound.holds(least, most):
            return Check(kind=self._kind, what=what, saw=saw)
        where = f" in {len(broken)} of {len(self._samples)} {_operations(len(self._samples))}" if broken else ""
        return Check(
            kind=self._kind, what=what, saw=saw, failure=f"{self._kind}: {what}, but {saw}{where}{reason}",
            examples=tuple(one.request_id for one in broken[:_EXAMPLES]),
        )  # fmt: skip

    def _reason(self, broken: Sequence[Sample], name: str) -> str:
        if self._usual is None:
            return "; `usual:` or --baseline would tell which RPC is new"
        told = self._usual.told(broken, _KINDS.get(name, (name.removesuffix("s"),)))
        return f": {told}" if told else "; no RPC is new"

    def _unknown(self, what: str) -> Check:
        why = f"{self._kind}: {what} can not be checked: it was not recorded"
        return Check(kind=self._kind, what=what, saw="?", failure=why)


def _number(name: str) -> Number:
    if name in ("rpcs", "messages"):
        return lambda one: getattr(one, name)
    kind = name.removesuffix("s")
    return lambda one: sum(used.count for method, used in one.methods.items() if method.kind == kind)


def _first(values: Iterator[float | None]) -> float | None:
    return next((value for value in values if value is not None), None)


def _operations(count: int) -> str:
    return "operation" if count == 1 else "operations"


def _seconds(number: float) -> str:
    return f"{number:,g} s"


def _plain(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) else f"{number:,g}"
