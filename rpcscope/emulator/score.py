"""A variant of a template as it is played: its steps numbered and linked, what they send made ready."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rpcscope.arguments import Subject
from rpcscope.emulator import envelope, slots
from rpcscope.emulator.content import Content
from rpcscope.emulator.slots import Slots
from rpcscope.fleet.model import Control
from rpcscope.templates.model import EVERY_INSTANCE, Sizes, Step, Variant

CONTROL_EXCHANGE = "nova"
_DEFAULT_TIMEOUT_S = 60.0
_REPLY_MARKS = (slots.UNIQUE, slots.MSG)
_REQUEST_MARKS = (slots.UNIQUE, slots.MSG, slots.REPLY_Q, slots.REQUEST, slots.SOURCE, slots.SENDER)


@dataclass(frozen=True, slots=True)
class Manner:
    """How this cloud sends: its control plane's settings, the width of hosts' names."""

    control: Control
    slots: Slots

    def topic(self, declared: str) -> str:
        """The topic whose queue exists in this cloud: compute-alt came with 2026.1."""
        return declared if self.control.shape == "2026" else declared.removesuffix("-alt")

    def timeout_s(self, step: Step) -> float:
        """A caller's patience: that of the settings, unless the recorded one was longer by design."""
        return self.control.rpc_timeout_s if step.timeout_s == _DEFAULT_TIMEOUT_S else step.timeout_s

    def factor(self, method: str) -> float:
        """Of recorded service times."""
        factors = self.control.service_times
        return factors.get(method, factors.get("*", 1.0))


class Node:
    """One step."""

    def __init__(self, step: Step, manner: Manner, instances: int, parent: Node | None) -> None:
        """`instances`: servers that the operation is about. `parent` is None of a root."""
        self.step, self.method, self._manner, self._instances = step, step.method, manner, instances
        self.is_call, self.is_fanout = step.kind == "call", step.kind == "fanout"
        self.topic = manner.topic(step.topic)
        self.exchange = f"{self.topic}_fanout" if self.is_fanout else step.exchange or CONTROL_EXCHANGE
        self.timeout_s = manner.timeout_s(step)
        long = self.is_call and self.timeout_s > manner.control.rpc_timeout_s
        self.monitor_s = round(manner.control.rpc_timeout_s) or 1 if long else None
        self.work_factor = manner.factor(step.method)
        self.delay_factor = manner.factor(parent.method) if parent else 1.0
        self.children = [Node(child, manner, instances, self) for child in step.steps]
        self.first, self.next = links(step.steps)
        self._requests: dict[int, Content] = {}
        self._replies: dict[int, Content] = {}

    def check(self) -> None:
        """Raises UsageError for a step that can not be sent."""
        self.request(random.Random(0))  # noqa: S311 - any size: padding comes last

    def request(self, rng: random.Random) -> Content:
        """What it sends, of a size drawn."""
        size = _size(self.step.request, rng)
        found = self._requests.get(size)
        if found is None:
            found = self._requests[size] = self._request(size)
        return found

    def reply(self, rng: random.Random) -> Content:
        """What answers it, of a size drawn."""
        size = _size(self.step.reply, rng)
        found = self._replies.get(size)
        if found is None:
            body = envelope.reply(self._manner.slots, size, self.step.failure)
            found = self._replies[size] = Content(body, self._manner.slots, _REPLY_MARKS)
        return found

    def _request(self, size: int) -> Content:
        marks, step = self._manner.slots, self.step
        about = self._about()
        body = envelope.request(
            Subject(
                method=step.method,
                detail=step.detail,
                instances=[marks.mark(one) for one in about],
                source=marks.mark(slots.SOURCE),
                sender=marks.mark(slots.SENDER),
            ),
            marks,
            size,
            namespace=step.namespace,
            version=step.version,
            is_call=self.is_call,
            monitor_s=self.monitor_s,
        )
        return Content(body, marks, (*_REQUEST_MARKS, *about), self.timeout_s if self.is_call else None)

    def _about(self) -> list[int]:
        every = range(self._instances)
        mine = every if self.step.instance == EVERY_INSTANCE else every[self.step.instance : self.step.instance + 1]
        return [slots.FIRST_INSTANCE + position for position in mine]


class Score:
    """All of a variant's steps."""

    def __init__(self, variant: Variant, manner: Manner, instances: int) -> None:
        self.variant, self.instances = variant, instances
        self.roots = [Node(step, manner, instances, None) for step in variant.roots]
        self.first, self.next = links(variant.roots)

    def nodes(self) -> Iterator[Node]:
        """Every step, parents before children."""
        return _walk(self.roots)

    def needs(self, role: str) -> bool:
        """A host of this role sends or gets one of its steps."""
        return any(role in (node.step.host, node.step.sender_host) for node in self.nodes())


def links(steps: Sequence[Step]) -> tuple[list[int], list[list[int]]]:
    """Positions of the steps that wait for none of their siblings, and of each step those that wait for it.

    A step that repeats during a wait is in neither, unless it follows another that repeats.
    """
    first: list[int] = []
    following: list[list[int]] = [[] for _ in steps]
    for position, step in enumerate(steps):
        if step.repeats_s is not None and (step.after < 0 or steps[step.after].repeats_s is None):
            continue
        (first if step.after < 0 else following[step.after]).append(position)
    return first, following


def _walk(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _walk(node.children)


def _size(sizes: Sizes, rng: random.Random) -> int:
    """One of the measured quantiles, so that few bodies are made; the distribution is the measured one."""
    known = sizes.quantiles
    return known[int(rng.random() * len(known))] if known else 0
