"""A sink whose batches are counted, once they are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rpcscope.export.metrics.meter import Meter, Meters
    from rpcscope.model import Batch, Resume
    from rpcscope.pipeline import Sink


class Metered:
    """Stores first: what is counted is stored, and a batch that is tried again is counted once."""

    def __init__(self, sink: Sink, meter: Meter) -> None:
        self._sink, self._meter = sink, meter

    def write(self, batch: Batch) -> None:
        """As the sink's."""
        self._sink.write(batch)
        self._meter.take(batch)


def metered(sink: Sink, meters: Meters | None, resume: Resume) -> Sink:
    """The sink of a recording with its meter; the sink alone where nobody asks for metrics."""
    if meters is None:
        return sink
    meters.learn(resume.processes)
    meter = meters.meter(resume.recording.label)
    meter.know(resume.open_calls)
    return Metered(sink, meter)
