"""What notifications tell, and where in their payload: rules as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from rpcscope.rules.paths import walk

TELLS = ("instance", "host", "state", "task_state", "percent", "failure")
"""What a rule may have paths to."""
_UNVERSIONED = "compute.instance."  # nova's older events are named like the newer ones behind this
_PHASES = frozenset({"start", "end", "error"})
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRule:
    """Where events of one shape have what they tell."""

    event: str  # instance.*; `*` is any text
    paths: Mapping[str, tuple[tuple[str, ...], ...]]  # by a word of TELLS; the first that leads somewhere holds
    fails: tuple[str, ...] = ()  # of these events, those that say that their operation failed

    def tells(self, what: str, payload: Any) -> Any:
        """What a payload has at the paths of this name; None: nothing."""
        found = (walk(payload, path) for path in self.paths.get(what, ()))
        return next((value for value in found if value is not None), None)


@dataclass(frozen=True, slots=True)
class Step:
    """An event as a part of something that goes on."""

    name: str  # instance.create
    phase: str  # start, end, error; "" for an event that is no part of anything


def step_of(event: str) -> Step:
    """`compute.instance.create.end` and `instance.create.end` as the end of instance.create."""
    if event.startswith(_UNVERSIONED):
        event = event.removeprefix("compute.")
    name, _, phase = event.rpartition(".")
    return Step(name, phase) if phase in _PHASES else Step(event, "")


@dataclass(frozen=True, slots=True)
class NoticeRules:
    """All of them, in order: the first that fits an event holds."""

    rules: tuple[NoticeRule, ...] = ()
    kinds: Mapping[str, tuple[str, bool]] = field(default_factory=dict)  # step -> kind; its end is the operation's
    _known: dict[str, NoticeRule | None] = field(default_factory=dict, compare=False, repr=False)

    def of(self, event: str) -> NoticeRule | None:
        """The rule for an event; None: nothing is known of it."""
        if event not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[event] = next((rule for rule in self.rules if fnmatchcase(event, rule.event)), None)
        return self._known[event]

    def is_failure(self, event: str) -> bool:
        """Whether it says that its operation failed."""
        rule = self.of(event)
        return rule is not None and any(fnmatchcase(event, one) for one in rule.fails)

    def kind_of(self, step: Step) -> tuple[str, bool]:
        """The kind of operation that a step speaks for, "" unknown; and whether the step's end is the operation's."""
        return self.kinds.get(step.name, ("", False))
