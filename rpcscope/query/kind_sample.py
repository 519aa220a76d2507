"""The newest operations of one kind in a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from rpcscope.model import Status
from rpcscope.query.ids import recording_of
from rpcscope.query.operations import Operations, OperationView
from rpcscope.store.places import Place
from rpcscope.store.protocol import OperationFilter, Reader

LOOKED_AT = 500
"""Operations of which distributions are made, 30 microseconds each."""
_LOOKS = 8
UNSTATED = "conditions not stated"


@dataclass(frozen=True, slots=True)
class KindSample:
    """Some operations of one kind, the newest first."""

    views: tuple[OperationView, ...]
    is_all: bool  # the time has no others
    conditions: dict[int, str]  # of each recording, by its id

    @property
    def model(self) -> tuple[OperationView, ...]:
        """Those that show what is usual: whole and done, or, where none was done, whole and failed."""
        whole = [view for view in self.views if view.whole.complete]
        done = tuple(view for view in whole if view.status is Status.DONE)
        return done or tuple(view for view in whole if view.status is Status.FAILED)

    def under(self, conditions: str) -> KindSample:
        """Those that were recorded under some conditions."""
        return KindSample(
            tuple(view for view in self.views if self.conditions_of(view) == conditions), self.is_all, self.conditions
        )

    def conditions_of(self, view: OperationView) -> str:
        """What was said of the recordings that saw it."""
        said = {self.conditions.get(recording_of(part), "") for part in view.ids}
        return " + ".join(sorted(said - {""})) or UNSTATED


def kind_sample(
    reader: Reader, kind: str, from_ns: int = 0, to_ns: int | None = None, *,
    most: int = LOOKED_AT, stuck_after_s: float = 60.0,
) -> KindSample:  # fmt: skip
    """The newest operations of a kind that began in a time, at most so many. Read by the index of their start."""
    operations = Operations(reader, stuck_after_s=stuck_after_s)
    wanted = OperationFilter(kind=kind, since_ns=from_ns or None, until_ns=to_ns)
    found: dict[str, OperationView] = {}
    after: Place | None = None
    for _ in range(_LOOKS):
        page = reader.operation_page(wanted, after=after, limit=most - len(found))
        views = operations.of_parts(chain.from_iterable(one.parts for one in page.found))
        found |= {view.whole.request_id: view for view in views if view.whole.kind == kind}
        after = page.reached
        if after is None or len(found) >= most:
            break
    newest = sorted(found.values(), key=lambda view: (-view.whole.started_ns, view.whole.request_id))
    return KindSample(tuple(newest), after is None, dict(_conditions(reader)))


def _conditions(reader: Reader) -> Iterator[tuple[int, str]]:
    for info in reader.recordings():
        yield info.recording.id, info.recording.conditions
