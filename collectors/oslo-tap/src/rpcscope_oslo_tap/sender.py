"""The one thread that tells the recorder. It starts with the first thing to tell, in the process that has it.

A datagram is a head and lines, each a JSON object:

    {"tap": {"program": ..., "pid": ..., "host": ..., "start": ..., "first": 120, "lost": 0, "sent": {"nova": 31}, ...}}
    {"inside": {...}}
    {"inside": {...}}

`first` numbers the lines of a process from 0: what is missing between two heads was lost on the way, what comes twice
is known. `lost` is what this process had to drop since the last head that arrived, with the time of the first and the
last of it; `sent` counts the messages it published so far, by exchange.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import threading
import time
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from rpcscope_oslo_tap.buffer import Buffer
from rpcscope_oslo_tap.channel import BUSY, GONE, HASTE_S, PATIENCE_S, SENT, channel_to
from rpcscope_oslo_tap.settings import Where

if TYPE_CHECKING:
    from rpcscope_oslo_tap.tap import Tap
    from rpcscope_oslo_tap.told import Told

TICK_S = 0.1
RETRY_S = 1.0  # after nobody was there
EARLY_NS = 500_000_000  # what takes longer is told before it ends
MAX_BYTES = 60_000
_HEAD_ROOM = 4_000
_YIELD_EVERY = 50  # lines, so that services of the same process get their turn


class Sender:
    """Sends what is put into it. `put` may be called by any thread, nothing else."""

    def __init__(self, where: Where, host: str, tap: Tap) -> None:
        """No thread and no socket yet."""
        self._tap = tap
        self._buffer = Buffer()
        self._started: dict[str, object] = {}
        self._turn = threading.Lock()  # between the thread and who flushes; never waited for
        self._channel = channel_to(where)
        self._pending = b""
        self._pending_lines = 0
        self._lines = 0  # that arrived, as far as can be told
        self._lost_told = self._lost_pending = 0
        self._looked_ns = 0
        self._start = os.urandom(8).hex()
        self._pid = os.getpid()
        program = PurePath(sys.argv[0]).name if sys.argv else ""
        self._who = {"program": program, "pid": self._pid, "host": host}

    def put(self, told: Told) -> None:
        """One side of an RPC is over."""
        self._buffer.put(told)
        if not self._started:
            mine = object()
            if self._started.setdefault("thread", mine) is mine:  # one of several wins, and nobody waits
                threading.Thread(target=self._run, name="rpcscope-tap", daemon=True).start()
                atexit.register(self.flush)

    def flush(self) -> None:
        """Send what is left, unless somebody does so already or it would take time."""
        if os.getpid() == self._pid and self._channel.is_open and self._turn.acquire(False):
            try:
                self._channel.be_patient(HASTE_S)
                self._send_all()
                self._channel.be_patient(PATIENCE_S)
            except Exception:
                self._tap.trouble.add()
            finally:
                self._turn.release()

    def close(self) -> None:
        """Let go of what a parent opened: its copies in this process."""
        self._channel.close()

    def _run(self) -> None:
        while os.getpid() == self._pid:
            time.sleep(TICK_S)
            state = SENT
            if self._turn.acquire(False):
                try:
                    self._look_early()
                    state = self._send_all()
                except Exception:
                    self._tap.trouble.add()
                finally:
                    self._turn.release()
            if state == GONE:
                time.sleep(RETRY_S)

    def _look_early(self) -> None:
        """What goes on for long is told as far as it is known, each time that more is."""
        now = time.time_ns()
        if now - self._looked_ns < EARLY_NS:
            return
        self._looked_ns = now
        for told in list(self._tap.open.values()):
            stamps = told.stamps
            if stamps > told.stamps_told and now - (told.sent_ns or told.received_ns) > EARLY_NS and told.unique_id:
                told.stamps_told = stamps
                self._buffer.put(told)

    def _send_all(self) -> str:
        while True:
            if not self._pending and not self._prepare():
                return SENT
            state = self._channel.send(self._pending)
            if state in (BUSY, GONE):
                return state
            if state == SENT:
                self._lost_told = self._lost_pending
                self._lines += self._pending_lines
            else:  # it will never fit
                for _ in range(self._pending_lines):
                    self._buffer.lose()
            self._pending = b""

    def _prepare(self) -> bool:
        """A datagram of what waits; False when nothing does."""
        lines: list[bytes] = []
        size = 0
        while size < MAX_BYTES - _HEAD_ROOM:
            told = self._buffer.take()
            if told is None:
                break
            line = self._line(told)
            if size + len(line) > MAX_BYTES - _HEAD_ROOM:
                if lines:
                    self._buffer.put_back(told)
                else:
                    self._buffer.lose()
                break
            lines.append(line)
            size += len(line) + 1
            if len(lines) % _YIELD_EVERY == 0:
                time.sleep(0)
        lost = self._buffer.lost()
        if not lines and lost == self._lost_told:
            return False
        self._pending_lines, self._lost_pending = len(lines), lost
        self._pending = b"\n".join([self._head(lost), *lines]) + b"\n"
        return True

    def _line(self, told: Told) -> bytes:
        """Of one side of an RPC; too long to be sent, where a service put in what is no JSON."""
        try:
            return json.dumps({"inside": {**self._who, **told.row()}}).encode()
        except (TypeError, ValueError):
            return bytes(MAX_BYTES)

    def _head(self, lost: int) -> bytes:
        head: dict[str, Any] = {
            **self._who,
            "start": self._start,
            "first": self._lines,
            "lost": lost - self._lost_told,
        }
        if lost > self._lost_told:
            head["lost_from_ns"], head["lost_to_ns"] = self._buffer.lost_between()
        head["sent"] = self._tap.sent_so_far()
        return json.dumps({"tap": head}).encode()
