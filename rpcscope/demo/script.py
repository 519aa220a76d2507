"""A scene as its players use it: steps by number."""

from __future__ import annotations

import time
from collections.abc import Iterable

from rpcscope.demo.control import Casting
from rpcscope.demo.scenes import Scene, Step, walk


class Script:
    """One play of a scene."""

    def __init__(self, scene: Scene, casting: Casting) -> None:
        """Number the `steps` as `walk` goes; `roots`, and `children` of each step, are such numbers."""
        self.casting = casting
        self.steps: list[Step] = list(walk(scene.roots))
        self.children: list[list[int]] = [[] for _ in self.steps]
        self.roots = self._number(scene.roots, 0)

    def _number(self, steps: Iterable[Step], first: int) -> list[int]:
        numbers = []
        for step in steps:
            numbers.append(first)
            self.children[first] = self._number(step.children, first + 1)
            first += 1 + sum(1 for _ in walk(step.children))
        return numbers

    def versions(self, topics: Iterable[str]) -> set[tuple[str, str]]:
        """Namespaces and versions that a server of these topics must answer; any minor version of a major."""
        mine = [step for step in self.steps if step.topic in topics]
        return {(step.namespace, f"{(step.version or '1.0').partition('.')[0]}.9999") for step in mine}

    def wait(self, recorded_ns: int) -> None:
        """As long as it took in the recording, at the play's speed."""
        if recorded_ns > 0:
            time.sleep(recorded_ns / 1e9 / self.casting.speed)

    @property
    def recorded_s(self) -> float:
        """How long it takes at the play's speed when nothing is played at the same time, in s; no shorter."""
        return sum(step.delay_ns + step.service_ns for step in self.steps) / 1e9 / self.casting.speed
