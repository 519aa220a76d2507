"""Traces gathered into requests of a size that endpoints take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from rpcscope.export.traces.encode import Encoder
from rpcscope.export.traces.resources import Resources
from rpcscope.export.traces.span import Span
from rpcscope.export.traces.spans import Exported, spans

SPANS_A_REQUEST = 2_000
"""About 1 MB; the least that receivers take by default is 4 MB (gRPC)."""


class Request(NamedTuple):
    """One request."""

    body: bytes
    spans: int


class Gathering:
    """Makes requests. Not for several threads at once."""

    def __init__(self, spans_a_request: int = SPANS_A_REQUEST) -> None:
        self._encoder = Encoder()
        self._most = spans_a_request

    def requests(
        self, operations: Iterable[Exported], resources: Resources, *, after: Mapping[str, int] | None = None
    ) -> Iterator[Request]:
        """All of them; one that is larger than a request is cut into several.

        Args:
            after: of operations that were exported before, by request id, until when: only later spans are sent.
        """
        waiting: list[Span] = []
        for one in operations:
            known_ns = (after or {}).get(one.operation.whole.request_id, -1)
            waiting += [span for span in spans(one, resources) if span.start_ns > known_ns]
            while len(waiting) >= self._most:
                yield self._request(waiting[: self._most])
                waiting = waiting[self._most :]
        if waiting:
            yield self._request(waiting)

    def _request(self, found: list[Span]) -> Request:
        return Request(self._encoder.request(found), len(found))
