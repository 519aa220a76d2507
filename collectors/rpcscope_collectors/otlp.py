"""The OTLP tap: spans of oslo.messaging's own tracing, sent to /v1/traces.

    request -> spans -> rows of what each side told -> held until the order is known -> Inside

seen = kept + rejected: kept are the sides of RPCs and the spans between them; all else is counted and forgotten.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rpcscope import inside_row
from rpcscope.model import Gap, GapCause, Inside
from rpcscope_collectors.in_time import InTime
from rpcscope_collectors.otlp_door import Door
from rpcscope_collectors.otlp_server import OtlpServer
from rpcscope_collectors.span import Span
from rpcscope_collectors.span_rows import is_rpc, rows
from rpcscope_collectors.span_steps import Steps

HOLD_NS = 7_000_000_000
"""How long spans wait for older ones: exporters send every 5 s (OTEL_BSP_SCHEDULE_DELAY)."""
MAX_HELD = 200_000


@dataclass(slots=True)
class SpanCount:
    """Spans: seen = kept + rejected."""

    kept: int = 0  # sides of RPCs, and steps between them
    steps: int = 0  # of those kept: what lies between two RPCs
    rejected: int = 0  # neither, or not sound
    refused: int = 0  # not taken because too many waited; senders try again

    @property
    def seen(self) -> int:
        """All that were taken or refused for what they are."""
        return self.kept + self.rejected


class SpanIntake:
    """Spans become what processes told, in the order of time. One thread at a time."""

    def __init__(self, *, hold_ns: int | None, most: int = MAX_HELD) -> None:
        """Nothing came yet; see `InTime`."""
        self.count = SpanCount()
        self._steps = Steps()
        self._held: InTime[tuple[Span, int, int]] = InTime(hold_ns=hold_ns, most=most)

    def __len__(self) -> int:
        """Rows that wait."""
        return len(self._held)

    def take(self, spans: Iterable[Span], came_ns: int | None) -> int:
        """Spans that came at one time, by our clock; None: when they ended. How many are no spans at all."""
        bad = 0
        for span in spans:
            if not span.is_sound:
                bad += 1
                self.count.rejected += 1
            elif is_rpc(span):
                self.count.kept += 1
                at_ns = span.ended_ns if came_ns is None else came_ns
                for end, when_ns in enumerate((span.started_ns, span.ended_ns)):
                    self._held.put(when_ns, at_ns, (span, end, min(when_ns, at_ns) if came_ns is None else at_ns))
            elif span.parent_span_id:
                self._steps.add(span.trace_id, span.span_id, span.parent_span_id)
                self.count.kept += 1
                self.count.steps += 1
            else:
                self.count.rejected += 1
        return bad

    def due(self, now_ns: int) -> Iterator[Inside]:
        """What need not wait any longer."""
        return self._told(self._held.due(now_ns))

    def rest(self) -> Iterator[Inside]:
        """All that waits."""
        return self._told(self._held.rest())

    def _told(self, things: Iterator[tuple[Span, int, int]]) -> Iterator[Inside]:
        for span, end, at_ns in things:
            above = self._steps.above(span.trace_id, span.parent_span_id)
            told = inside_row.inside(rows(span, above)[end].row, at_ns)
            if told is not None:
                yield told


class OtlpTap:
    """Takes what processes tell in spans. `open` it, `take` what was told, `close` it."""

    def __init__(self, door: Door, *, hold_ns: int = HOLD_NS, most: int = MAX_HELD) -> None:
        """Nobody can send yet.

        Args:
            hold_ns: how long what was told waits for what is older and comes later.
            most: rows that may wait; who sends more is asked to come again.
        """
        self._intake = SpanIntake(hold_ns=hold_ns, most=most)
        self._most = most
        self._lock = threading.Lock()
        self._closed = False
        self._turned_ns: list[int] = []  # when senders were first and last asked to come again, since it was told
        self._server = OtlpServer(door, self._put, turned_away=self._turned_away)

    def open(self) -> None:
        """Begin to listen. Raises UsageError when the port can not be had."""
        self._server.open()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.port

    @property
    def count(self) -> SpanCount:
        """What came so far."""
        return self._intake.count

    @property
    def backlog(self) -> int:
        """What could be taken and was not; what has to wait does not count."""
        return len(self._intake) if self._closed else 0

    def take(self, most: int) -> list[Inside | Gap]:
        """What need not wait any longer, the oldest first; once it is closed, all of it. Before it, what was lost."""
        with self._lock:
            told = self._intake.rest() if self._closed else self._intake.due(time.time_ns())
            return [*self._gap(), *itertools.islice(told, most)]

    def close(self) -> None:
        """Nobody can send any more; again does nothing."""
        self._server.close()
        self._closed = True

    def _put(self, spans: list[Span]) -> int | None:
        with self._lock:
            if len(self._intake) + 2 * len(spans) <= self._most:
                return self._intake.take(spans, time.time_ns())
            self._intake.count.refused += len(spans)
        self._turned_away()
        return None

    def _turned_away(self) -> None:
        """A sender has to come again; whether it does is its own affair."""
        self._turned_ns = [*self._turned_ns[:1], time.time_ns()]

    def _gap(self) -> Iterator[Gap]:
        turned_ns, self._turned_ns = self._turned_ns, []
        if turned_ns:
            note = "spans were asked to be sent again"
            yield Gap(from_ns=turned_ns[0], to_ns=turned_ns[-1], cause=GapCause.INSIDE, note=note)
