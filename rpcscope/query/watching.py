"""Which recording tells what is in the queues of a broker, and since when it sees who takes what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rpcscope.model import TapPhase
from rpcscope.modes import sight
from rpcscope.store.protocol import Reader, RecordingInfo

_LIVE = "firehose"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """The recorder of one broker and vhost, over all its runs."""

    broker: str
    vhost: str
    mode: str  # as of now
    recordings: frozenset[int]  # Recording.id of its runs
    since_ns: int  # since then it sees deliveries; 0 when it does not
    sure_ns: int  # what was published before may have been taken unseen: the tap was blind in between
    as_of_ns: int  # the last it heard
    ended: bool  # it records no longer
    lag_ns: int | None  # how late it reads; None: not known

    @property
    def sees_deliveries(self) -> bool:
        """Whether it can tell what was taken from a queue."""
        return sight(self.mode).deliveries


def watches(reader: Reader) -> list[Watch]:
    """One for each broker and vhost: of several recorders one that sees deliveries, and of these who heard last."""
    runs: dict[str, list[RecordingInfo]] = defaultdict(list)
    for info in reader.recordings():
        if info.recording.source == _LIVE:
            runs[info.recording.scope].append(info)
    phases = reader.phases(0, max((info.last_ns for several in runs.values() for info in several), default=0))
    best: dict[str, Watch] = {}
    for several in runs.values():
        watch = _watch(reader, several, phases)
        best[watch.broker] = max(best.get(watch.broker, watch), watch, key=lambda w: (w.sees_deliveries, w.as_of_ns))
    return sorted(best.values(), key=lambda watch: watch.broker)


def _watch(reader: Reader, runs: Sequence[RecordingInfo], phases: Mapping[int, Sequence[TapPhase]]) -> Watch:
    last = runs[-1]
    mode = _modes(last, phases)[-1][1]
    since_ns = _since(runs, phases)
    blind = [gap.to_ns for gap in reader.gaps(since_ns)] if since_ns else []
    lags = {health.recording_id: health.lag_ns for health in reader.health()}
    return Watch(
        broker=last.recording.scope.rpartition(" ")[0],  # behind it is the name of the tap
        vhost=last.recording.label,
        mode=mode,
        recordings=frozenset(run.recording.id for run in runs),
        since_ns=since_ns,
        sure_ns=max([since_ns, *blind]),
        as_of_ns=max(last.last_ns, last.recording.started_ns),
        ended=last.recording.ended_ns is not None,
        lag_ns=lags.get(last.recording.id),
    )


def _since(runs: Sequence[RecordingInfo], phases: Mapping[int, Sequence[TapPhase]]) -> int:
    """When the unbroken time began in which deliveries are seen; 0 when they are not. Between runs gaps tell."""
    since_ns = 0
    for run in reversed(runs):
        for at_ns, mode in reversed(_modes(run, phases)):
            if not sight(mode).deliveries:
                return since_ns
            since_ns = at_ns
    return since_ns


def _modes(run: RecordingInfo, phases: Mapping[int, Sequence[TapPhase]]) -> list[tuple[int, str]]:
    """Times and modes of a run, the oldest first."""
    told = [(phase.at_ns, phase.mode) for phase in phases.get(run.recording.id, ())]
    return told or [(run.recording.started_ns, run.recording.tap_mode)]
