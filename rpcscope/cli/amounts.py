"""Amounts as people write them on a command line: 90s, 5m, 2h; 80%; 2m/30m."""

from __future__ import annotations

import re

import click

from rpcscope.flight import Duty

SECOND = 1_000_000_000
_UNITS = {"ms": SECOND // 1000, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86_400 * SECOND}
_AMOUNT = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)?", re.ASCII)
_NEVER = ("off", "never")


class Duration(click.ParamType):  # type: ignore[type-arg]  # click before 8.4 has no arguments here
    """Nanoseconds; a number alone is seconds. 0 is for "off", where that is allowed."""

    name = "time"

    def __init__(self, *, may_be_off: bool = False) -> None:
        """`may_be_off`: the words off and never are taken, and give 0."""
        self._may_be_off = may_be_off

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Click's: raises BadParameter with what is wanted."""
        if isinstance(value, int):
            return value
        text = str(value).strip().lower()
        if self._may_be_off and text in _NEVER:
            return 0
        found = _AMOUNT.fullmatch(text)
        ns = round(float(found[1]) * _UNITS[found[2] or "s"]) if found else 0
        if not ns:
            self.fail("write a time such as 30s, 5m or 2h" + (", or off" if self._may_be_off else ""), param, ctx)
        return ns


class Share(click.ParamType):  # type: ignore[type-arg]  # click before 8.4 has no arguments here
    """A part of the whole, 0 to 1. 0 is for "off"."""

    name = "share"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Click's: raises BadParameter with what is wanted."""
        if isinstance(value, float):
            return value
        text = str(value).strip().lower()
        if text in _NEVER:
            return 0.0
        found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,4})?)%", text, re.ASCII)
        share = float(found[1]) / 100 if found else 0.0
        if not 0 < share <= 1:
            self.fail("write a share such as 20%, at most 100%, or off", param, ctx)
        return share


class Count(click.ParamType):  # type: ignore[type-arg]  # click before 8.4 has no arguments here
    """A whole number. 0 is for "off"."""

    name = "number"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Click's: raises BadParameter with what is wanted."""
        text = str(value).strip().lower().replace(",", "")
        if text in _NEVER:
            return 0
        if not re.fullmatch(r"[1-9]\d{0,11}", text, re.ASCII):
            self.fail("write a number such as 1000, or off", param, ctx)
        return int(text)


class DutyCycle(click.ParamType):  # type: ignore[type-arg]  # click before 8.4 has no arguments here
    """How long in each period: 2m/30m."""

    name = "on/period"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Duty:
        """Click's: raises BadParameter with what is wanted."""
        if isinstance(value, Duty):
            return value
        on, slash, every = str(value).partition("/")
        if slash:
            times = [Duration().convert(text, param, ctx) for text in (on, every)]
            if times[0] < times[1]:
                return Duty(on_ns=times[0], every_ns=times[1])
        return self.fail("write how long in each period, such as 2m/30m, the first less than the second", param, ctx)


def spoken(ns: int) -> str:
    """A time as it would be written: the greatest unit that divides it."""
    for unit in ("d", "h", "m", "s"):
        if ns and ns % _UNITS[unit] == 0:
            return f"{ns // _UNITS[unit]}{unit}"
    return f"{ns / SECOND:g}s"
