"""Operations of one kind that go alike, and some that do not."""

from __future__ import annotations

from typing import Any

from rpcscope.model import Call, Flag, Outcome
from rpcscope.store import Store
from tests.unit.query.one import call, cast, stored


def usual_calls(stretch: int = 0) -> list[Call]:
    """A cast that makes its compute ask twice. Every operation is a little different.

    Args:
        stretch: ms that each answer takes longer.
    """
    return [
        cast(1, 0, 1, method="build_and_run_instance", topic="compute"),
        call(2, 10, 11, 20 + stretch, parent=1, method="event_start"),
        call(3, 40, 41, 60 + stretch, parent=1, method="save"),
        call(4, 90, 91, 110 + stretch, parent=1, method="save"),
    ]


def keep_usual(store: Store, number: int, prefix: str = "req-usual", **words: Any) -> None:
    """So many operations that are alike."""
    for one in range(number):
        stored(store, usual_calls(one % 3), request_id=f"{prefix}-{one}", **words)


ODD: dict[str, list[Call]] = {
    "req-missing": usual_calls()[:3],
    "req-extra": [*usual_calls(), call(5, 120, 121, 130, parent=1, method="ping", topic="scheduler")],
    "req-slow": [
        *usual_calls()[:3],
        call(4, 90, 91, 5_110, 5_110, parent=1, method="save"),
        call(6, 95, 96, 5_100, 5_101, parent=4, method="inner"),
    ],
    "req-failed": [*usual_calls()[:3], call(4, 90, 91, 95, parent=1, method="save", outcome=Outcome.FAILED,
                                            failure="DBError")],
    "req-expected": [*usual_calls()[:3], call(4, 90, 91, 110, parent=1, method="save", outcome=Outcome.FAILED,
                                              failure="NotFound", flags=int(Flag.EXPECTED_FAILURE))],
}  # fmt: skip
"""Planted, by request id."""


def keep_odd(store: Store, *names: str) -> None:
    """Some of them."""
    for name in names:
        stored(store, ODD[name], request_id=name)
