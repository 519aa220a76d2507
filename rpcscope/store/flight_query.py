"""What was in flight, what the taps saw, who asked for more, and how vhosts are laid out."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import func, or_, select

from rpcscope.model import InFlightSample, Layout, TapPhase
from rpcscope.store.database import Database
from rpcscope.store.flight_rows import in_flight_of, layout_of, phase_of, trigger_of
from rpcscope.store.names import NameReader
from rpcscope.store.protocol import Trigger
from rpcscope.store.schema import flight_trigger, in_flight_sample, layout, recording, tap_phase


class FlightQuery:
    """The side of `protocol.Reader` that tells of work in flight and of the flight recorder."""

    def __init__(self, database: Database, names: NameReader) -> None:
        self._database, self._names = database, names

    def in_flight(self, from_ns: int, to_ns: int) -> dict[int, list[InFlightSample]]:
        """Samples of a time by recording, both ends included, the oldest first."""
        c = in_flight_sample.c
        # With the recording named, all databases find the times by the primary key.
        mine = c.recording_id.in_(select(recording.c.id))
        query = select(in_flight_sample).where(mine, c.at_ns.between(from_ns, to_ns))
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(c.at_ns, c.process_id, c.queue_id, c.method_id)).all()
        texts = self._names.load({number for row in rows for number in (row.queue_id, row.method_id)})
        found: dict[int, list[InFlightSample]] = defaultdict(list)
        for row in rows:
            found[row.recording_id].append(in_flight_of(row, texts))
        return dict(found)

    def phases(self, from_ns: int, to_ns: int) -> dict[int, list[TapPhase]]:
        """Phases of a time by recording, and the one that each recording was in when it began."""
        c, other = tap_phase.c, tap_phase.alias("other").c
        last = select(func.max(other.at_ns)).where(other.recording_id == c.recording_id, other.at_ns <= from_ns)
        query = select(tap_phase).where(c.at_ns <= to_ns, or_(c.at_ns > from_ns, c.at_ns == last.scalar_subquery()))
        found: dict[int, list[TapPhase]] = defaultdict(list)
        with self._database.reading() as connection:
            for row in connection.execute(query.order_by(c.at_ns, c.id)):
                found[row.recording_id].append(phase_of(row))
        return dict(found)

    def triggers(self, since_id: int) -> list[Trigger]:
        """Triggers with a higher id, in the order in which they were asked."""
        query = select(flight_trigger).where(flight_trigger.c.id > since_id).order_by(flight_trigger.c.id)
        with self._database.reading() as connection:
            return [trigger_of(row) for row in connection.execute(query)]

    def layouts(self) -> dict[int, list[Layout]]:
        """The newest layout of each vhost by recording."""
        query = select(layout).order_by(layout.c.recording_id, layout.c.vhost_id)
        found: dict[int, list[Layout]] = defaultdict(list)
        with self._database.reading() as connection:
            for row in connection.execute(query):
                found[row.recording_id].append(layout_of(row))
        return dict(found)
