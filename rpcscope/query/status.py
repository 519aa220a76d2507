"""Recorders: which of them record, how far behind they are, what they missed, what they cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rpcscope.model import Recording, TapPhase
from rpcscope.modes import visible
from rpcscope.query.clocks import HostClock, newest_clocks
from rpcscope.query.times import SECOND, iso
from rpcscope.store.protocol import HEALTH_EVERY_S, GapTotal, Reader, RecorderHealth, RecordingInfo

SILENT_NS = int(4 * HEALTH_EVERY_S * SECOND)
"""A recorder that said nothing for so long is taken for gone."""
DAY_NS = 86_400 * SECOND
State = Literal["recording", "silent", "ended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderStatus:
    """One live recording as of now."""

    info: RecordingInfo
    health: RecorderHealth | None  # None when it never said anything
    gaps: tuple[GapTotal, ...]
    now_ns: int
    phases: tuple[TapPhase, ...] = ()  # of the last day, the oldest first, with the one that the day began in
    labels: Mapping[str, str] = field(default_factory=dict)
    clocks: tuple[HostClock, ...] = ()  # of hosts whose processes told of calls, when they were asked for

    @property
    def mode(self) -> str:
        """What its tap does now, or did last."""
        return self.phases[-1].mode if self.phases else self.recording.tap_mode

    @property
    def recording(self) -> Recording:
        """The recording that it writes."""
        return self.info.recording

    @property
    def state(self) -> State:
        """Recording, ended well, or silent: killed, or kept from the database."""
        if self.recording.ended_ns is not None:
            return "ended"
        return "silent" if self.now_ns - self.heard_ns > SILENT_NS else "recording"

    @property
    def heard_ns(self) -> int:
        """When it was last heard of."""
        return self.health.at_ns if self.health else max(self.info.last_ns, self.recording.started_ns)

    def as_dict(self) -> dict[str, Any]:
        """For programs; None is unknown."""
        one, counters, health = self.recording, self.info.counters, self.health
        return {
            "recording": one.id, "scope": one.scope, "vhost": one.label, "labels": dict(self.labels),
            "mode": self.mode, "state": self.state,
            "started": iso(one.started_ns), "ended": iso(one.ended_ns), "heard": iso(self.heard_ns),
            "last_event": iso(self.info.last_ns), "seen": counters.seen,
            **visible(counters, one.tap_mode),
            "rejected": counters.rejected, "duplicates": counters.duplicates, "evicted": counters.evicted,
            "gaps": [_gaps(total) for total in self.gaps], **_health(health),
            "clocks": [clock.as_dict() for clock in self.clocks],
            "phases": [{"at": iso(phase.at_ns), "mode": phase.mode, "why": phase.why} for phase in self.phases],
        }  # fmt: skip


def recorders(reader: Reader, now_ns: int, *, everything: bool = False, clocks: bool = False) -> list[RecorderStatus]:
    """The newest live recording of each tap, or with `everything` all of them; the oldest first.

    Args:
        clocks: also how far those of hosts are apart, by some thousand calls of each recording.
    """
    live = [info for info in reader.recordings() if info.recording.source == "firehose"]
    if not everything:
        live = _newest(live)
    health = {one.recording_id: one for one in reader.health()}
    phases = reader.phases(now_ns - DAY_NS, now_ns)
    labels = reader.labels()
    gaps: defaultdict[int, list[GapTotal]] = defaultdict(list)
    for total in reader.gap_totals():
        gaps[total.recording_id].append(total)
    return [
        RecorderStatus(
            info=info,
            health=health.get(number),
            gaps=tuple(gaps[number]),
            now_ns=now_ns,
            phases=tuple(phases.get(number, ())),
            labels=labels.get(number, {}),
            clocks=tuple(newest_clocks(reader, number).rows()) if clocks else (),
        )
        for info in live
        for number in (info.recording.id,)
    ]


def _newest(infos: Iterable[RecordingInfo]) -> list[RecordingInfo]:
    by_scope = {info.recording.scope: info for info in infos}  # the last of each scope wins
    return sorted(by_scope.values(), key=lambda info: info.recording.id)


def _gaps(total: GapTotal) -> dict[str, Any]:
    return {
        "cause": total.cause.name.lower(),
        "gaps": total.gaps,
        "blind_s": total.blind_ns / SECOND,
        "missed": total.estimate if total.unknown < total.gaps else None,
        "unknown": total.unknown,
    }


def _health(health: RecorderHealth | None) -> dict[str, Any]:
    words = ("host", "pid", "backlog", "nodes_traced", "nodes", "rss_bytes")
    known: dict[str, Any] = {word: getattr(health, word, None) for word in words}
    return known | {
        "last_commit": iso(health.stored_ns) if health else None,
        "events_per_s": health.events_rate if health else None,
        "lag_s": health.lag_ns / SECOND if health and health.lag_ns is not None else None,
        "cpu_share": health.cpu_share if health else None,
    }
