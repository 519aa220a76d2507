"""What a check finds, and how it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from rpcscope.doctor.facts import Facts

SHOWN = 10
"""Rows of evidence that are told, the worst first; how many there are more is said."""


class Level(IntEnum):
    """How bad it is."""

    INFO = 0  # known to hurt some day
    WARN = 1  # something suffers or will
    BAD = 2  # work is lost, held up or not seen

    @property
    def word(self) -> str:
        """As it is written."""
        return self.name.lower()


class Subject(StrEnum):
    """What a row of evidence is about, so that a page can link it."""

    NONE = ""
    QUEUE = "queue"  # a queue or a family
    OPERATION = "operation"  # a request id
    METHOD = "method"
    HOST = "host"
    INSTANCE = "instance"
    TAP = "tap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One row: who or what, and what was seen of it."""

    what: str  # a name, maybe from the wire
    said: str
    subject: Subject = Subject.NONE
    key: str = ""  # of the subject; "" is `what`

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        key = (self.key or self.what) if self.subject else None
        return {"what": self.what, "said": self.said, "subject": self.subject or None, "key": key}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found."""

    level: Level
    title: str  # with the number
    evidence: tuple[Evidence, ...]  # the worst first
    more: int = 0  # rows that are not told


@dataclass(frozen=True, slots=True, kw_only=True)
class RedFlag:
    """A finding, with what everybody should know of its kind."""

    name: str  # of the check: late-replies
    level: Level
    title: str
    evidence: tuple[Evidence, ...]
    more: int
    why: str
    todo: str
    is_now: bool  # as of now, or as of the end of the time; else over the time

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "name": self.name,
            "level": self.level.word,
            "title": self.title,
            "evidence": [row.as_dict() for row in self.evidence],
            "more": self.more,
            "why": self.why,
            "todo": self.todo,
            "now": self.is_now,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One kind of red flag: how it is found, and what everybody should know of it."""

    name: str
    find: Callable[[Facts], Finding | None]
    why: str
    todo: str
    is_now: bool = False  # needs the cheap facts alone: those of `ask.ask_state`


def finding(level: Level, title: str, rows: Iterable[Evidence]) -> Finding:
    """A finding with no more rows than are told."""
    known = tuple(rows)
    return Finding(level=level, title=title, evidence=known[:SHOWN], more=max(0, len(known) - SHOWN))


def plural(count: int, one: str, many: str = "") -> str:
    """`1 gap`, `2 gaps`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
