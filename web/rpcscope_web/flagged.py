"""Red flags as pages and the API tell them: which of a time, and where their evidence leads."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated

from fastapi import Query
from markupsafe import Markup, escape

from rpcscope.doctor import Evidence, Facts, Level, RedFlag, Subject, ask, ask_state, examine
from rpcscope.errors import UsageError
from rpcscope.store.protocol import Reader
from rpcscope_web.ranges import TimeRange
from rpcscope_web.registry import PAGES
from rpcscope_web.render import segment
from rpcscope_web.site import Site

LEVELS = tuple(level.word for level in sorted(Level, reverse=True))
AskedLevel = Annotated[str, Query(max_length=10, description="Only flags of this level: bad, warn or info.")]
_WHERE = {
    Subject.OPERATION: ("operation", "/operations/"),
    Subject.QUEUE: ("queue", "/queues/"),
    Subject.HOST: ("host", "/hosts/"),
    Subject.INSTANCE: ("instance", "/instances/"),
    Subject.METHOD: ("method", "/methods/"),
}
_CODE = Markup("<code>{}</code>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """The flags of a time, and what was looked at."""

    facts: Facts
    flags: list[RedFlag]  # the worst first; of all levels

    def of(self, level: str) -> list[RedFlag]:
        """Those of one level; "" all."""
        return [flag for flag in self.flags if not level or flag.level.word == level]

    def count(self, level: str) -> int:
        """How many are up."""
        return len(self.of(level))


def flagged(site: Site, reader: Reader, range: TimeRange) -> Flagged:
    """All checks of a time."""
    facts = ask(reader, range.from_ns, range.to_ns, time.time_ns(), stuck_after_s=site.settings.stuck_after_s)
    return Flagged(facts=facts, flags=examine(facts))


def flagged_now(reader: Reader, range: TimeRange) -> Flagged:
    """The checks that look at no call: cheap enough for every page."""
    facts = ask_state(reader, range.from_ns, range.to_ns, time.time_ns())
    return Flagged(facts=facts, flags=examine(facts, state_only=True))


def checked_level(text: str) -> str:
    """A level as an address has it. Raises UsageError."""
    if text and text not in LEVELS:
        raise UsageError(f"`level` wants one of {', '.join(LEVELS)}")
    return text


def path_of(row: Evidence) -> str:
    """The page of what a row is about; "" when there is none."""
    if row.subject is Subject.TAP:
        return "/taps"
    noun, path = _WHERE.get(row.subject, ("", ""))
    known = any(page.noun == noun for page in PAGES)
    return path + segment(row.key or row.what) if known else ""


def coded(text: str) -> Markup:
    """Advice with what is to be typed, between backticks, as code."""
    texts = text.split("`")
    return Markup("").join(_CODE.format(part) if place % 2 else escape(part) for place, part in enumerate(texts))
