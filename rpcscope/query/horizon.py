"""How far each recording came, and whether somebody still records what it recorded."""

from __future__ import annotations

from dataclasses import dataclass

from rpcscope.store.protocol import Reader, RecordingInfo


@dataclass(frozen=True, slots=True)
class _Reach:
    last_ns: int
    ended: bool


class Horizon:
    """As of when what a recording began is known: a recorder that is started again goes on with it."""

    def __init__(self, reader: Reader) -> None:
        self._scopes: dict[int, frozenset[int]] = {}
        self._reach: dict[int, _Reach] = {}
        by_scope: dict[str, list[RecordingInfo]] = {}
        for info in reader.recordings():
            one = info.recording
            by_scope.setdefault(f"{one.source} {one.scope}" if one.source != "file" else str(one.id), []).append(info)
        for infos in by_scope.values():
            reach = _Reach(max(info.last_ns for info in infos), infos[-1].recording.ended_ns is not None)
            ids = frozenset(info.recording.id for info in infos)
            self._scopes |= dict.fromkeys(ids, ids)
            self._reach |= dict.fromkeys(ids, reach)

    def last_ns(self, recording_id: int) -> int:
        """The last event stored of what it records; 0 when there is none."""
        return self._reach[recording_id].last_ns if recording_id in self._reach else 0

    def is_over(self, recording_id: int) -> bool:
        """Nobody records it any longer."""
        return recording_id in self._reach and self._reach[recording_id].ended

    def same(self, recording_id: int) -> frozenset[int]:
        """It and those that went before it or on with it."""
        return self._scopes.get(recording_id, frozenset((recording_id,)))
