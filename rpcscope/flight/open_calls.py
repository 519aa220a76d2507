"""Calls that are owed, by who owes them, from what a recorder stores."""

from __future__ import annotations

from collections import Counter

from rpcscope.flight.shares import Shares
from rpcscope.model import Batch, Call, Flag, MessageKind, Outcome, Process

Place = tuple[int, str]
"""Process.id and "", or 0 and the queue where nobody's name is known."""


class OpenCalls:
    """Which calls wait for an answer now, and how those ended that do no longer."""

    def __init__(self, shares: Shares) -> None:
        """Nothing is open yet."""
        self._shares = shares
        self._waiting: dict[int, Place] = {}  # by Call.id
        self._late: set[int] = set()  # open, but their callers' time is over: told once
        self.owed: Counter[Place] = Counter()
        self.processes: dict[int, Process] = {}

    def take(self, batch: Batch, now_ns: int) -> None:
        """One batch as it was stored."""
        for process in batch.processes:
            if process.gone_ns is None:
                self.processes[process.id] = process
            else:
                self.processes.pop(process.id, None)
        for call in batch.open_calls:
            if call.kind is MessageKind.REQUEST:
                self._open(call, now_ns)
        for call in batch.calls:
            if call.kind is MessageKind.REQUEST:
                self._closed(call, now_ns)

    def _open(self, call: Call, now_ns: int) -> None:
        if call.outcome is Outcome.TIMED_OUT and call.id not in self._late:
            self._late.add(call.id)
            self._shares.add(now_ns, timed_out=True)
        self._leave(call.id)
        if call.outcome is Outcome.PENDING and call.published_ns is not None:
            place = (call.to_process, "" if call.to_process else ".".join(filter(None, (call.topic, call.server))))
            self._waiting[call.id] = place
            self.owed[place] += 1

    def _closed(self, call: Call, now_ns: int) -> None:
        self._leave(call.id)
        if call.id in self._late:
            self._late.remove(call.id)
        elif call.publishes and call.outcome is not Outcome.NONE:  # else a part of one that was told before
            failed = call.outcome is Outcome.FAILED and not call.flags & Flag.EXPECTED_FAILURE
            self._shares.add(now_ns, failed=failed, timed_out=call.outcome is Outcome.TIMED_OUT)

    def _leave(self, number: int) -> None:
        place = self._waiting.pop(number, None)
        if place is not None:
            self.owed[place] -= 1
            if not self.owed[place]:
                del self.owed[place]
