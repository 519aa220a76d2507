"""Sends the metrics of this process to an OTLP endpoint, again and again, in a thread of its own."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

from rpcscope.export.metrics import catalogue
from rpcscope.export.metrics.family import Family, family
from rpcscope.export.metrics.otlp import request
from rpcscope.export.traces.answer import Answer, Verdict
from rpcscope.export.traces.courier import Sender
from rpcscope.export.traces.endpoint import Endpoint

log = logging.getLogger(__name__)
_TRACES, _METRICS = "/v1/traces", "/v1/metrics"


def for_metrics(endpoint: Endpoint) -> Endpoint:
    """The endpoint that takes metrics where this one takes traces."""
    path = endpoint.path.removesuffix(_TRACES)
    return replace(endpoint, path=path if path.endswith(_METRICS) else path + _METRICS)


class Push:
    """Pushes while its block runs, and once more at its end.

    A push that is not taken is not tried again: the next one tells the same and more, for sums go on. So nothing is
    kept for an endpoint that is down. What happens is said once, when it changes.
    """

    def __init__(self, sender: Sender, name: str, tell: Callable[[], list[Family]], every_s: float) -> None:
        """Nothing is sent yet. `name` is the endpoint's, for the log."""
        self._sender, self._name, self._tell, self._every_s = sender, name, tell, every_s
        self._instance = f"{socket.gethostname()}:{os.getpid()}"
        self._since_ns = time.time_ns()
        self._well = True
        self._failures = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rpcscope-otlp-metrics", daemon=True)

    def once(self) -> Answer:
        """One push. It never raises for what an endpoint does."""
        failed = family(catalogue.PUSHES_FAILED, [((), self._failures)])
        body = request([*self._tell(), failed], instance=self._instance, since_ns=self._since_ns, now_ns=time.time_ns())
        answer = self._sender.send(body)
        self._note(answer)
        return answer

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End, with a last push."""
        self._end.set()
        self._thread.join()
        self.once()

    def _run(self) -> None:
        while not self._end.wait(self._every_s):
            self.once()

    def _note(self, answer: Answer) -> None:
        is_well = answer.verdict is Verdict.TAKEN and not answer.rejected
        self._failures += not is_well
        if is_well is not self._well:
            self._well = is_well
            if is_well:
                log.warning("%s takes metrics again", self._name)
            else:
                log.warning("%s %s: recording goes on, and later metrics will tell the same", self._name, answer.why)
