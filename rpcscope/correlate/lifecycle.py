"""What notifications tell of one operation: which steps began, ended, failed."""

from __future__ import annotations

from rpcscope.model import Message
from rpcscope.rules.notices import NoticeRules, step_of

MAX_STEPS = 1000
Key = tuple[str, str]
"""Name of a step and uuid of its server."""


class Lifecycle:
    """The last time of each, so that it may be read in any order."""

    __slots__ = ("_begun", "_ended", "_failed", "_finishing")

    def __init__(self) -> None:
        self._begun: dict[Key, int] = {}
        self._ended: dict[Key, int] = {}
        self._failed: dict[Key, tuple[int, str]] = {}
        self._finishing: set[Key] = set()  # steps whose end is the operation's

    def saw(self, m: Message, rules: NoticeRules) -> None:
        """Take a notification."""
        step = step_of(m.method)
        key = (step.name, m.instances[0] if m.instances else "")
        if len(self._begun) + len(self._ended) + len(self._failed) >= MAX_STEPS and not self._knows(key):
            return
        if rules.kind_of(step)[1]:
            self._finishing.add(key)
        if rules.is_failure(m.method):
            self._failed[key] = max(self._failed.get(key, (0, "")), (m.at_ns, m.failure or m.method))
        elif step.phase == "start":
            self._begun[key] = max(self._begun.get(key, 0), m.at_ns)
        elif step.phase == "end":
            self._ended[key] = max(self._ended.get(key, 0), m.at_ns)

    @property
    def error(self) -> str:
        """What the last failure names that no later end of the same step took back; "" when there is none."""
        left = [failed for key, failed in self._failed.items() if self._ended.get(key, 0) < failed[0]]
        return max(left)[1] if left else ""

    @property
    def is_open(self) -> bool:
        """A step began and is not over."""
        return any(at_ns > self._over_ns(key) for key, at_ns in self._begun.items())

    @property
    def is_over(self) -> bool:
        """The step came to its end that is the operation's."""
        return any(self._over_ns(key) for key in self._finishing)

    def _over_ns(self, key: Key) -> int:
        return max(self._ended.get(key, 0), self._failed.get(key, (0, ""))[0])

    def _knows(self, key: Key) -> bool:
        return key in self._begun or key in self._ended or key in self._failed
