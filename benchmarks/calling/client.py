"""The process that calls: some threads, each with its next call as soon as the last was answered.

Orders: `{"do": "start"}`, `{"do": "look"}`, `{"do": "stop"}`. Each reports how many calls were answered, and when.
"""

from __future__ import annotations

import threading
import time
import uuid
from typing import Any

from benchmarks.calling.bus import HOST, oslo_messaging, target, transport
from benchmarks.children.worker import obey

TIMEOUT_S = 60
CALLS_OF_REQUEST = 12  # as many as a boot has


class Client:
    """Calls with all threads between `start` and `stop`."""

    def __init__(self, setup: dict[str, Any]) -> None:
        """One call is made, so that everything is connected."""
        self._client = oslo_messaging.get_rpc_client(transport(setup["url"]), target(), timeout=TIMEOUT_S)
        self._text = "x" * setup["bytes"]
        self._answered = [0] * setup["threads"]
        self._threads: list[threading.Thread] = []
        self._calling = False
        self._call(_context())

    def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """One order."""
        if order["do"] == "start":
            self._calling = True
            self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(len(self._answered))]
            for thread in self._threads:
                thread.start()
        elif order["do"] == "stop":
            self._calling = False
            for thread in self._threads:
                thread.join()
        return {"answered": sum(self._answered), "at_s": time.monotonic()}

    def _run(self, number: int) -> None:
        while self._calling:
            context = _context()
            for _ in range(CALLS_OF_REQUEST):
                self._call(context)
                self._answered[number] += 1

    def _call(self, context: dict[str, str]) -> None:
        answer = self._client.prepare(server=HOST).call(context, "measured", text=self._text)
        assert answer == len(self._text)


def _context() -> dict[str, str]:
    return {"request_id": f"req-{uuid.uuid4()}"}


if __name__ == "__main__":
    obey(lambda setup: Client(setup).obey)
