"""Stored operations, the oldest first, page by page: read, made spans of, delivered, marked as exported."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from rpcscope.errors import RpcscopeError
from rpcscope.export.traces.answer import Answer, Verdict
from rpcscope.export.traces.bookmark import MOST_LEFT, Bookmark
from rpcscope.export.traces.courier import Courier
from rpcscope.export.traces.over import is_over
from rpcscope.export.traces.reading import Reading
from rpcscope.export.traces.requests import Gathering
from rpcscope.export.traces.sampling import Sampling
from rpcscope.query.operations import OperationView
from rpcscope.store.places import Place
from rpcscope.store.protocol import OperationFilter, Reader

PAGE = 500
"""Operations that are read at once."""


@dataclass(slots=True)
class Progress:
    """How far an export is."""

    operations: int = 0  # exported
    unfinished: int = 0  # left for a later export, because they are not over
    at_ns: int = 0  # start of the last operation that was looked at


class StoredExport:
    """One run.

    Args:
        wanted: which operations; sampling chooses among them.
        mark: where an earlier run stopped.
        keep: is given each bookmark, once all before it is delivered.
        rate: operations a second at most; 0: as fast as it goes.
        adopts: traces go on with those that oslo.messaging began.
    """

    def __init__(
        self,
        reader: Reader,
        courier: Courier,
        *,
        wanted: OperationFilter,
        sampling: Sampling,
        mark: Bookmark,
        keep: Callable[[Bookmark], None] = lambda _: None,
        rate: float = 0.0,
        adopts: bool = False,
        name: str = "the endpoint",
    ) -> None:
        self._reader, self._courier, self._sampling = reader, courier, sampling
        self._wanted, self._mark, self._keep, self._rate = wanted, mark, keep, rate
        self._name = name
        self._reading, self._gathering = Reading(reader, adopts=adopts), Gathering()
        self._left_earlier, self._left = list(mark.left), list[str]()
        self._size = PAGE if not rate else max(1, min(PAGE, int(rate)))
        self.progress = Progress()

    def run(self, tell: Callable[[Progress], None] = lambda _: None) -> Progress:
        """Until all is delivered.

        Raises:
            RpcscopeError: the endpoint refuses, or can not be reached for too long. What the bookmark says is exported.
        """
        began_s = time.monotonic()
        for views, place in chain(self._left_before(), self._pages()):
            now_ns = time.time_ns()
            chosen = [view for view in views if self._sampling.takes(view.whole, view.status)]
            over = [view for view in chosen if is_over(view, now_ns)]
            self._left += [view.whole.request_id for view in chosen if not is_over(view, now_ns)]
            spans = self._deliver(over)
            self._advance(len(over), spans, place)
            self.progress.at_ns = max((view.whole.started_ns for view in views), default=self.progress.at_ns)
            tell(self.progress)
            self._pace(began_s)
        return self.progress

    def _left_before(self) -> Iterator[tuple[list[OperationView], Place | None]]:
        """What was not over when an earlier run came by."""
        while self._left_earlier:
            some, self._left_earlier = self._left_earlier[:PAGE], self._left_earlier[PAGE:]
            parts = self._reader.operations(OperationFilter(related=some))
            yield self._reading.views(part for part in parts if part.request_id in some), self._mark.place

    def _pages(self) -> Iterator[tuple[list[OperationView], Place | None]]:
        """What began later than all that earlier runs came by."""
        place = self._mark.place
        while True:
            page = self._reader.operation_page(self._wanted, ascending=True, after=place, limit=self._size)
            place = page.found[-1].place if page.found else place
            yield self._reading.views(chain.from_iterable(one.parts for one in page.found)), place
            if page.reached is None:
                return
            place = page.reached

    def _deliver(self, views: Sequence[OperationView]) -> int:
        """How many spans it were."""
        spans = 0
        for request in self._gathering.requests(self._reading.whole(views), self._reading.resources):
            answer = self._courier.deliver(request.body, request.spans)
            if answer.verdict is not Verdict.TAKEN:
                raise RpcscopeError(_stopped(self._name, answer))
            spans += request.spans
        return spans

    def _advance(self, operations: int, spans: int, place: Place | None) -> None:
        before, left = self._mark, [*self._left_earlier, *self._left]
        self.progress.operations += operations
        self.progress.unfinished = len(self._left)
        self._mark = Bookmark(
            choice=before.choice,
            after=None if place is None else (place.value, place.id),
            left=tuple(left[-MOST_LEFT:]),
            operations=before.operations + operations,
            spans=before.spans + spans,
        )
        self._keep(self._mark)

    def _pace(self, began_s: float) -> None:
        if self._rate:
            due_s = began_s + self.progress.operations / self._rate
            time.sleep(max(0.0, due_s - time.monotonic()))


def _stopped(name: str, answer: Answer) -> str:
    if answer.verdict is Verdict.LATER:
        return f"{name} {answer.why}: see to it, and run this again; with --resume-file it goes on where it stopped"
    return f"{name} {answer.why}; nothing more is sent"
