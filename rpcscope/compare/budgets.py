"""What operations may cost, as people write it down. Strict: a word that means nothing is an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from rpcscope.errors import UsageError

Number = Annotated[float, Meta(ge=0)]
_AT = re.compile(r"(.*?)(?: - at `\$(.*)`)?", re.DOTALL)
_T = TypeVar("_T")


class Bound(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From where to where a number may be, both included. One of the two is given."""

    at_most: Number | None = None
    at_least: Number | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a bound that binds nothing, or that nothing can keep."""
        if self.at_most is None and self.at_least is None:
            raise ValueError("write at_most or at_least")
        if self.at_most is not None and self.at_least is not None and self.at_most < self.at_least:
            raise ValueError("at_most is below at_least")

    def holds(self, least: float, most: float) -> bool:
        """For values between these."""
        return (self.at_most is None or most <= self.at_most) and (self.at_least is None or least >= self.at_least)

    def __str__(self) -> str:
        words = (("at most", self.at_most), ("at least", self.at_least))
        return " and ".join(f"{word} {number:,g}" for word, number in words if number is not None)


class MethodBudget(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of one method within an operation."""

    count: Bound | None = None  # in every operation
    bytes: Bound | None = None  # of a request with its replies, the mean of every operation
    duration_p95_s: Bound | None = None


class KindBudget(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of one kind of operation. Counts and bytes hold for every operation."""

    operations_at_least: Annotated[int, Meta(ge=0)] = 1  # that were done: fewer are no proof of anything
    failed: Bound | None = None  # operations
    rpcs: Bound | None = None
    calls: Bound | None = None
    casts: Bound | None = None
    fanouts: Bound | None = None
    notifications: Bound | None = None
    messages: Bound | None = None
    bytes: Bound | None = None
    duration_p50_s: Bound | None = None
    duration_p95_s: Bound | None = None
    usual: list[str] | None = None  # `service method`: others are new
    new_rpcs: Bound | None = None  # methods that are not usual
    methods: dict[str, MethodBudget] = msgspec.field(default_factory=dict)  # by `service method`, or method


def budgets_of(plain: Any, name: str) -> dict[str, KindBudget]:
    """Budgets by the kind of operation.

    Args:
        plain: what a budgets file says.
        name: of the file.

    Raises:
        UsageError: it says something else, with the place where.
    """
    if not isinstance(plain, dict) or set(plain) != {"budgets"} or not _is_table(plain["budgets"]):
        raise UsageError(
            f"{name} wants a table `budgets:` of kinds of operation, such as create, and nothing beside it"
        )
    found = {}
    for kind, table in plain["budgets"].items():
        methods = table.get("methods") if isinstance(table, dict) else None
        for method, budget in methods.items() if isinstance(methods, dict) else ():
            _read(budget, MethodBudget, name, f"budgets.{kind}.methods.{method!s:.80}")
        found[kind] = _read(table, KindBudget, name, f"budgets.{kind}")
    return found


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(isinstance(key, str) for key in value)


def _read(plain: Any, wanted: type[_T], name: str, place: str) -> _T:
    try:
        return msgspec.convert(plain, wanted)
    except msgspec.ValidationError as error:
        parts = _AT.fullmatch(str(error))
        what, where = (parts[1], parts[2] or "") if parts else (str(error), "")
        said = what.replace("Object contains unknown field", "there is no word")
        shown = "".join(one if one.isprintable() else "?" for one in f"{place}{where}")
        raise UsageError(f"{name} is wrong at {shown}: {said[:1].lower()}{said[1:]}; correct it there") from None
