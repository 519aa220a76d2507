"""RPCs with a stale request id (Rules.follows) have the parent of the call that they follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rpcscope.model import Call, ParentSource
from rpcscope.rules import Rules

NOTE = "as the call before it"


class Following:
    """Finds the parents of those whose leader's parent was found only when reading."""

    def __init__(self, rules: Rules) -> None:
        self._leader_of = rules.follows
        self._leaders = frozenset(rules.follows.values())

    def mend(self, calls: Sequence[Call], request_ids: Mapping[int, str]) -> dict[str, Call]:
        """Calls without a parent whose leader, the last of its process before them, has one, by unique id."""
        last: dict[tuple[int, str], Call] = {}
        mended: dict[str, Call] = {}
        for call in sorted(calls, key=lambda c: c.published_ns or c.last_ns):
            if call.method in self._leaders:
                last[call.from_process, call.method] = call
            leader = last.get((call.from_process, self._leader_of.get(call.method, "")))
            if leader is not None and leader.parent_unique_id and not call.parent_unique_id:
                mended[call.unique_id] = replace(
                    call,
                    parent_id=leader.parent_id,
                    parent_unique_id=leader.parent_unique_id,
                    parent_source=ParentSource.INFERRED,
                )
        return mended
