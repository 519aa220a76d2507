"""Counts what operations put on the bus."""

from __future__ import annotations

from collections import Counter, defaultdict

import msgspec

from rpcscope.flows.shares import at_share
from rpcscope.flows.world import Answer, Ended
from rpcscope.templates.model import Step


class KindCount(msgspec.Struct, frozen=True, kw_only=True):
    """All operations of one kind. Messages are publishes: requests, casts, fanouts and replies."""

    asked: int
    done: int
    failed: int
    timed_out: int
    rpcs: int  # calls, casts and fanouts
    messages: int
    bytes: int  # of the messages' bodies
    took_p50_s: float | None  # of those that are done; None: none is
    took_p95_s: float | None
    took_max_s: float | None


class MethodCount(msgspec.Struct, frozen=True, kw_only=True):
    """All RPCs of one method."""

    rpcs: int
    messages: int
    bytes: int


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    kinds: dict[str, KindCount]  # by kind of operation
    methods: dict[str, MethodCount]
    rpcs: int
    messages: int
    bytes: int


class Tally:
    """Adds up while operations are played."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()
        self._ended: dict[str, Counter[Ended]] = defaultdict(Counter)
        self._took: dict[str, list[float]] = defaultdict(list)
        self._kinds: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])  # RPCs, messages, bytes
        self._methods: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        self.running = 0

    def asked(self, kind: str) -> None:
        """An operation began."""
        self._asked[kind] += 1
        self.running += 1

    def ended(self, kind: str, answer: Answer) -> None:
        """An operation is over."""
        self.running -= 1
        self._ended[kind][answer.ended] += 1
        if answer.ended is Ended.DONE:
            self._took[kind].append(answer.ended_s - answer.started_s)

    def sent(self, kind: str, step: Step, size: int) -> None:
        """One RPC of an operation, with the bytes of its request's body."""
        self._add(kind, step, 1, size)

    def replied(self, kind: str, step: Step, size: int) -> None:
        """The reply to one, with the bytes of its body."""
        self._add(kind, step, 0, size)

    def _add(self, kind: str, step: Step, rpcs: int, size: int) -> None:
        for sums in (self._kinds[kind], self._methods[step.method]):
            sums[0] += rpcs
            sums[1] += 1
            sums[2] += size

    def count(self) -> Count:
        """All of it so far."""
        sums = [sum(column) for column in zip(*self._kinds.values(), strict=True)] or [0, 0, 0]
        return Count(
            kinds={kind: self._kind(kind) for kind in sorted(self._asked)},
            methods={
                name: MethodCount(rpcs=rpcs, messages=messages, bytes=size)
                for name, (rpcs, messages, size) in sorted(self._methods.items())
            },
            rpcs=sums[0],
            messages=sums[1],
            bytes=sums[2],
        )

    def _kind(self, kind: str) -> KindCount:
        ended, took = self._ended[kind], sorted(self._took[kind])
        rpcs, messages, size = self._kinds[kind]
        return KindCount(
            asked=self._asked[kind],
            done=ended[Ended.DONE],
            failed=ended[Ended.FAILED],
            timed_out=ended[Ended.TIMED_OUT],
            rpcs=rpcs,
            messages=messages,
            bytes=size,
            took_p50_s=at_share(took, 0.5),
            took_p95_s=at_share(took, 0.95),
            took_max_s=at_share(took, 1.0),
        )
