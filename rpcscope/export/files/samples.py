"""The tables of what was sampled or missed: queues, work in flight, gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rpcscope.export.files.column import Column, Table
from rpcscope.export.files.wanted import Wanted
from rpcscope.families import family
from rpcscope.model import Gap, GapCause, InFlightSample, Process
from rpcscope.query.operations import process_name
from rpcscope.query.processes import processes
from rpcscope.store.protocol import Reader

_RECORDING = Column("recording", "int", "Number of the recording.", lambda one: one[0])
_InHand = tuple[int, InFlightSample, Process | None]


def _sampled(name: str) -> Callable[[Any], Any]:
    return lambda one: getattr(one[1], name)


def _queues(reader: Reader, wanted: Wanted) -> Iterator[Any]:
    return reader.queue_samples(wanted.from_ns, wanted.to_ns)


def _in_flight(reader: Reader, wanted: Wanted) -> Iterator[_InHand]:
    known = processes(reader)
    for number, one in reader.in_flight_samples(wanted.from_ns, wanted.to_ns):
        yield number, one, known.get(one.process)


def _gaps(reader: Reader, wanted: Wanted) -> Iterator[tuple[int, Gap]]:
    found = reader.gaps_by_recording(wanted.since_ns, wanted.until_ns)
    return ((number, gap) for number, gaps in sorted(found.items()) for gap in gaps)


QUEUE_SAMPLES = Table(
    "queue_samples",
    "A queue at a time; stored when it changes, and every hour.",
    (
        _RECORDING,
        Column("at", "time", "When it was looked at.", _sampled("at_ns")),
        Column("vhost", "text", "", _sampled("vhost")),
        Column("queue", "text", "", _sampled("queue")),
        Column("family", "text", "Its name with the part folded that is its own.", lambda one: family(one[1].queue)),
        Column("ready", "int", "Messages that wait.", _sampled("ready")),
        Column("unacked", "int", "Messages given out, not acknowledged.", _sampled("unacked")),
        Column("consumers", "int", "", _sampled("consumers")),
        Column("memory_bytes", "int", "Of its process in the broker.", _sampled("memory")),
        Column("publish_rate", "float", "Messages a second.", _sampled("publish_rate")),
        Column("deliver_rate", "float", "Messages a second.", _sampled("deliver_rate")),
        Column("ack_rate", "float", "Messages a second.", _sampled("ack_rate")),
        Column("type", "text", "classic, quorum, stream.", lambda one: one[1].type or None),
        Column("node", "text", "Where its leader is.", lambda one: one[1].node or None),
        Column("durable", "bool", "", _sampled("durable")),
        Column("state", "text", "As the broker says; gone: it was no longer there.", lambda one: one[1].state or None),
    ),
    _queues,
)
IN_FLIGHT = Table(
    "in_flight",
    "Calls of one method that one process has in hand, or that lie in one queue; stored when the number changes.",
    (
        _RECORDING,
        Column("at", "time", "When it became so many.", _sampled("at_ns")),
        Column("process", "text", "program:pid; none: nobody took them.", lambda one: process_name(one[2]) or None),
        Column("host", "text", "Of the process.", lambda one: (one[2].host or None) if one[2] else None),
        Column("queue", "text", "In which they lie while nobody took them.", lambda one: one[1].queue or None),
        Column("method", "text", "", _sampled("method")),
        Column("count", "int", "Calls; 0 ends what was there before.", _sampled("count")),
        Column("oldest_at", "time", "When the oldest was delivered, or published while nobody took it.",
               lambda one: one[1].oldest_ns or None),
    ),
    _in_flight,
)  # fmt: skip
GAPS = Table(
    "gaps",
    "A time in which a tap was blind.",
    (
        _RECORDING,
        Column("from", "time", "", _sampled("from_ns")),
        Column("to", "time", "", _sampled("to_ns")),
        Column(
            "cause",
            "text",
            f"{', '.join(cause.name.lower() for cause in GapCause)}.",
            lambda one: one[1].cause.name.lower(),
        ),
        Column("missed", "int", "Messages, where the broker's counters tell.", _sampled("estimate")),
        Column("note", "text", "", lambda one: one[1].note or None),
    ),
    _gaps,
)
