"""How a recorder gets its flight recorder, where one is wanted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rpcscope.modes import OFF

if TYPE_CHECKING:
    from rpcscope.cli.brokers import Place
    from rpcscope.cli.flight import Course
    from rpcscope.cli.flying import Flying
    from rpcscope.cli.tapped import Tapped
    from rpcscope.model import Batch, Recording, TapPhase
    from rpcscope.pipeline import Sink
    from rpcscope.store.protocol import Reader
    from rpcscope.store.store import Store


class Heard:
    """A sink whose batches are heard by who decides what the tap sees, and by others, once they are stored."""

    def __init__(self, sink: Sink, flying: Flying | None, others: Sequence[Callable[[Batch], None]] = ()) -> None:
        self._sink, self._flying, self._others = sink, flying, others

    def write(self, batch: Batch) -> None:
        """As the sink's."""
        self._sink.write(batch)
        if self._flying is not None:
            self._flying.take(batch)
        for take in self._others:
            take(batch)


def flown(store: Store, place: Place, tapped: Tapped, course: Course, recording: Recording, name: str) -> Flying | None:
    """The flight recorder of an open tap; None when its mode is never to change."""
    from rpcscope.cli.asked import Asked
    from rpcscope.cli.bearing import Bearing
    from rpcscope.cli.flying import Flying

    plan = course.plan
    if plan is None:
        return None
    asked = Asked(store, name, plan.detail_ns / 60e9) if plan.detail else None
    bearing = Bearing(place, tapped, course.ceiling)
    return Flying(tapped, plan, bearing, asked, left_off=_left_off(store.reader(), recording))


def _left_off(reader: Reader, recording: Recording) -> TapPhase | None:
    """Where the recording before this one stopped, when it had let go and was killed before it came back."""
    before = [info for info in reader.recordings() if info.recording.scope == recording.scope][:-1]
    if not before or before[-1].recording.ended_ns is not None:
        return None
    phases = reader.phases(before[-1].last_ns, time.time_ns()).get(before[-1].recording.id)
    return phases[-1] if phases and phases[-1].mode == OFF else None
