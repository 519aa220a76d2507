"""Sees requests through to an endpoint that may be down, slow or wrong: tries again with growing pauses, counts."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rpcscope.export.traces.answer import Answer, Verdict

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
_LONGEST_WISH_S = 300.0
"""An endpoint that wants to be left alone for longer is asked again all the same."""


class Sender(Protocol):
    """What sends one request: `HttpSender`, `GrpcSender`."""

    def send(self, body: bytes) -> Answer:
        """It never raises."""
        ...

    def close(self) -> None:
        """Disconnects."""
        ...


@dataclass(slots=True)
class Count:
    """Spans by what became of them, and requests that had to be sent again."""

    exported: int = 0
    rejected: int = 0  # by an endpoint that took the others of their request
    dropped: int = 0  # refused, or given up
    retried: int = 0


class Courier:
    """Delivers one request after the other.

    Args:
        name: of the endpoint, for the log.
        pause: waits so many seconds; True: it is to give up.
        patience_s: how long one request is tried.
        goes_on: after a refusal, too, so it is logged; else who asked says it.
    """

    def __init__(
        self,
        sender: Sender,
        name: str,
        *,
        pause: Callable[[float], bool],
        patience_s: float,
        goes_on: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sender, self._name, self._pause, self._clock = sender, name, pause, clock
        self._patience_s, self._goes_on = patience_s, goes_on
        self._state = (Verdict.TAKEN, False)
        self.count = Count()

    def deliver(self, body: bytes, spans: int) -> Answer:
        """Try until it is taken, refused, or patience is over; the last answer. It is counted."""
        until_s, pause_s = self._clock() + self._patience_s, FIRST_PAUSE_S
        while True:
            answer = self._sender.send(body)
            self._tell(answer)
            if answer.verdict is not Verdict.LATER or self._clock() >= until_s or self._wait(answer, pause_s):
                self._add(answer, spans)
                return answer
            self.count.retried += 1
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _wait(self, answer: Answer, pause_s: float) -> bool:
        jittered = pause_s * random.uniform(0.5, 1.5)  # noqa: S311
        wish = min(answer.after_s or 0.0, _LONGEST_WISH_S)
        return self._pause(max(jittered, wish))

    def _add(self, answer: Answer, spans: int) -> None:
        if answer.verdict is Verdict.TAKEN:
            rejected = min(answer.rejected, spans)
            self.count.rejected += rejected
            self.count.exported += spans - rejected
        else:
            self.count.dropped += spans

    def _tell(self, answer: Answer) -> None:
        """One line for each change of state."""
        state = (answer.verdict, bool(answer.rejected))
        if state == self._state:
            return
        self._state = state
        if answer.verdict is Verdict.LATER:
            log.warning("%s %s: traces are sent again and again until it does", self._name, answer.why)
        elif answer.verdict is Verdict.REFUSED:
            if self._goes_on:
                log.warning("%s %s: these traces are dropped and counted", self._name, answer.why)
        elif answer.rejected:
            log.warning("%s %s: they are counted", self._name, answer.why)
        else:
            log.warning("%s takes traces again", self._name)
