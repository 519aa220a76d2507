"""How much of a time was looked at: of too many calls an answer is an estimate, and says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rpcscope.query.unseen import Unseen
from rpcscope.store.protocol import Reader
from rpcscope.store.traffic import Window


@dataclass(frozen=True, slots=True)
class Looked:
    """What an answer about traffic rests on."""

    windows: int  # times in which calls were looked at
    share: float  # of the time that was asked for, 0 to 1
    every: int  # of so many of the calls in them one was looked at
    replies_unseen: bool  # for some of the time replies passed unseen: durations, outcomes and bytes lack them

    @property
    def is_estimate(self) -> bool:
        """Counts stand for more calls than were looked at; what is rare may be missing."""
        return self.share < 1 or self.every > 1

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "estimate": self.is_estimate,
            "windows": self.windows,
            "share_of_time": round(self.share, 6),
            "every": self.every,
            "replies_unseen": self.replies_unseen,
        }


def looked_at(reader: Reader, windows: Sequence[Window], from_ns: int, to_ns: int, every: int = 1) -> Looked:
    """For the windows that the store chose within a time."""
    whole = all(window.weight == 1 for window in windows)
    seen_ns = sum(window.to_ns - window.from_ns for window in windows)
    recordings = [info.recording.id << 40 for info in reader.recordings() if info.last_ns >= from_ns]
    return Looked(
        windows=len(windows),
        share=1 if whole else min(1.0, seen_ns / max(1, to_ns - from_ns)),
        every=every,
        replies_unseen=Unseen(reader).touches(recordings, from_ns, to_ns),
    )
