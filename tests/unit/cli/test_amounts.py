"""Amounts on a command line: what is taken, and the sentence for what is not."""

from __future__ import annotations

import click
import pytest

from rpcscope.cli.amounts import SECOND, Count, Duration, DutyCycle, Share, spoken
from rpcscope.flight import Duty


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30), ("30s", 30), ("5m", 300), ("2h", 7200), ("1.5h", 5400), ("7d", 604_800), (" 5M ", 300), ("0.5s", 0.5)],
)
def test_a_time_is_a_number_with_a_unit(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == round(seconds * SECOND)


@pytest.mark.parametrize("text", ["", "0", "0s", "-5m", "5x", "m", "5m3", "1e9", "٣s", "inf", "off"])
def test_what_is_no_time_gets_a_sentence(text: str) -> None:
    with pytest.raises(click.BadParameter, match="write a time such as 30s, 5m or 2h"):
        Duration().convert(text, None, None)


def test_off_is_nothing_where_it_is_allowed() -> None:
    assert Duration(may_be_off=True).convert("off", None, None) == 0
    assert Share().convert("off", None, None) == 0
    assert Count().convert("never", None, None) == 0


@pytest.mark.parametrize(("text", "share"), [("20%", 0.2), ("100%", 1.0), ("0.5%", 0.005)])
def test_a_share_is_in_percent(text: str, share: float) -> None:
    assert Share().convert(text, None, None) == pytest.approx(share)


@pytest.mark.parametrize("text", ["0%", "101%", "0.2", "20", "%", "-1%", "nan%"])
def test_what_is_no_share_gets_a_sentence(text: str) -> None:
    with pytest.raises(click.BadParameter, match="write a share such as 20%"):
        Share().convert(text, None, None)


def test_a_count_may_have_commas() -> None:
    assert Count().convert("20,000", None, None) == 20_000
    for text in ("0", "-1", "1.5", "many"):
        with pytest.raises(click.BadParameter, match="write a number such as 1000"):
            Count().convert(text, None, None)


def test_a_duty_cycle_is_how_long_in_each_period() -> None:
    assert DutyCycle().convert("2m/30m", None, None) == Duty(on_ns=120 * SECOND, every_ns=1800 * SECOND)
    for text in ("2m", "30m/2m", "2m/2m", "/", "2m/"):
        with pytest.raises(click.BadParameter):
            DutyCycle().convert(text, None, None)


@pytest.mark.parametrize("text", ["1d", "2h", "5m", "90s", "0.5s"])
def test_a_time_is_said_as_it_was_written(text: str) -> None:
    assert spoken(Duration().convert(text, None, None)) == text
