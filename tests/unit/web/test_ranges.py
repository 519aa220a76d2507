"""What the time in an address means."""

from __future__ import annotations

import time

import pytest

from rpcscope.errors import UsageError
from rpcscope.store import Store
from rpcscope_web.ranges import Now, TimeRange, asked, now_of

SECOND = 1_000_000_000
NOW = Now(at_ns=1_790_000_000 * SECOND, recording=True)


def of(last: str = "", start: str = "", end: str = "") -> TimeRange:
    return asked(NOW, last, start, end, live=False)


@pytest.mark.parametrize(("last", "seconds"), [("", 3_600), ("90s", 90), ("15m", 900), ("7d", 604_800)])
def test_a_relative_time_ends_now(last: str, seconds: int) -> None:
    found = of(last)
    assert (found.to_ns, found.to_ns - found.from_ns) == (NOW.at_ns, seconds * SECOND)


@pytest.mark.parametrize("last", ["soon", "0m", "1", "h", "-1h", "1y", "9999999d", "1h ", "١h"])
def test_what_is_no_time_is_told_in_a_sentence(last: str) -> None:
    with pytest.raises(UsageError, match="such as 15m"):
        of(last)


def test_two_times_are_utc_unless_they_say_otherwise() -> None:
    utc = of(start="2026-09-21T03:10", end="2026-09-21T03:15:00.5")
    zoned = of(start="2026-09-21T05:10+02:00", end="2026-09-21T03:15:00.500Z")
    assert (utc.from_ns, utc.to_ns) == (zoned.from_ns, zoned.to_ns)
    assert utc.to_ns - utc.from_ns == 300_500_000_000


@pytest.mark.parametrize(
    ("start", "end"), [("yesterday", ""), ("2026-09-21T03:15", "2026-09-21T03:10"), ("", "2026-13-01"), ("9" * 30, "")]
)
def test_times_that_can_not_be_are_refused(start: str, end: str) -> None:
    with pytest.raises(UsageError):
        of(start=start, end=end)


def test_times_at_the_ends_of_the_calendar_fit_into_the_database() -> None:
    found = of(start="0001-01-01", end="9999-12-31T23:59:59-12:00")
    assert (found.from_ns, found.to_ns) == (0, 7_258_118_400 * SECOND)
    assert found.to_ns < 2**63


def test_a_range_is_said_in_links_as_it_was_asked_for_and_as_two_times() -> None:
    assert of("15m").query() == {"last": "15m"}
    fixed = of("15m").fixed()
    again = of(start=fixed["from"], end=fixed["to"])
    assert (again.from_ns, again.to_ns) == (of("15m").from_ns, of("15m").to_ns)
    assert again.query() == fixed


def test_steps_cover_the_whole_range() -> None:
    for count in (1, 7, 24, 120):
        found = of("1h")
        assert found.steps(count) * count >= found.to_ns - found.from_ns


def test_of_a_store_that_nobody_writes_now_is_the_last_event(two_captures: Store, empty: Store) -> None:
    last_ns = max(info.last_ns for info in two_captures.reader().recordings())
    assert now_of(two_captures.reader()) == Now(at_ns=last_ns + 1, recording=False)
    before_ns = time.time_ns()
    assert before_ns <= now_of(empty.reader()).at_ns <= time.time_ns()
