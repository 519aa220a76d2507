"""What is put right when it is read, in this order; what was seen stays stored as it was seen.

1. `Crossing`: parents across brokers.
2. `Following`: after it, because a follower takes the parent that its leader has by then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from rpcscope.model import Call, Process
from rpcscope.query import crossing, following
from rpcscope.query.ids import recording_of
from rpcscope.rules import Rules, load_rules


class _Repair(Protocol):
    def mend(self, calls: Sequence[Call], request_ids: Mapping[int, str]) -> dict[str, Call]:
        """The calls that it changes, by unique id."""
        ...


class Repairs:
    """The repairs of one store. Calls that one recording saw are left as they are."""

    def __init__(self, processes: Mapping[int, Process], rules: Rules | None = None) -> None:
        known = rules or load_rules()
        self._steps: tuple[tuple[str, _Repair], ...] = (
            (crossing.NOTE, crossing.Crossing(processes, known)),
            (following.NOTE, following.Following(known)),
        )

    def mend(self, calls: Sequence[Call], request_ids: Mapping[int, str]) -> tuple[list[Call], dict[str, str]]:
        """The calls of one operation in their order, and a note for each that was changed, by unique id.

        Args:
            calls: merged; those of one operation.
            request_ids: by Operation.id.
        """
        found, notes = list(calls), dict[str, str]()
        if len({recording_of(call.id) for call in calls}) < 2:
            return found, notes
        for note, repair in self._steps:
            mended = repair.mend(found, request_ids)
            found = [mended.get(call.unique_id, call) for call in found]
            notes |= dict.fromkeys(mended, note)
        return found, notes
