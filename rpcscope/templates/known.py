"""What is known of nova's flows beyond what a recording tells: `nova.toml`, as records."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources

import msgspec


class Wait(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A time that a flow may put in the place of what was recorded; see nova.toml."""

    name: str
    below: tuple[str, ...]  # methods of the handlers that wait
    after: tuple[str, ...] = ()
    repeats: tuple[str, ...] = ()
    every_s: float | None = None
    step: str = ""
    before: str = ""


class Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A task that a compute's timers start."""

    kind: str
    interval_s: float
    steps: tuple[str, ...]

    def pattern(self) -> re.Pattern[str]:
        """Of its RPCs, each followed by a line's end."""
        return re.compile("".join(map(_piece, self.steps)))


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    last: frozenset[str]
    wait: tuple[Wait, ...]
    task: tuple[Task, ...]

    def interval_s(self, kind: str) -> float | None:
        """Nova's default; None of what is no task known."""
        return next((task.interval_s for task in self.task if task.kind == kind), None)


@lru_cache(1)
def known() -> Known:
    """What ships."""
    text = resources.files("rpcscope.templates").joinpath("nova.toml").read_bytes()
    return msgspec.toml.decode(text, type=Known)


def inner(method: str) -> str:
    """`Service.save` of `object_action(Service.save)`; other methods as they are."""
    return method.partition("(")[2].rstrip(")") or method


def _piece(step: str) -> str:
    many = step[-1:] if step[-1:] in "?*" else ""
    return f"(?:{re.escape(step.removesuffix(many) if many else step)}\n){many}"
