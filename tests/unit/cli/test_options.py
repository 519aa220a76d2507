"""Times as users write them."""

import time
from datetime import UTC, datetime

import pytest

from rpcscope.cli.options import moment
from rpcscope.errors import UsageError


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T03:10", datetime(2026, 11, 20, 3, 10, tzinfo=UTC)),
        ("2026-11-20T03:10:00.000001Z", datetime(2026, 11, 20, 3, 10, 0, 1, tzinfo=UTC)),
        ("2026-11-20T05:10+02:00", datetime(2026, 11, 20, 3, 10, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_utc(text: str, when: datetime) -> None:
    assert moment(text, "--since") == int(when.timestamp()) * 10**9 + when.microsecond * 1000


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("15m", 900), ("2h", 7200), ("1d", 86400)])
def test_how_long_ago_counts_from_now(text: str, seconds: int) -> None:
    before = time.time_ns()
    at = moment(text, "--since")
    after = time.time_ns()
    assert at is not None
    assert before - 1000 <= at + seconds * 10**9 <= after


def test_no_time_is_none() -> None:
    assert moment(None, "--since") is None


@pytest.mark.parametrize("text", ["", "m", "-5m", "5w", "yesterday", "2026-13-01", "99999999999d", "\u0663m"])
def test_what_is_no_time_gets_a_sentence_that_names_the_option(text: str) -> None:
    with pytest.raises(UsageError, match="--until wants a time"):
        moment(text, "--until")
