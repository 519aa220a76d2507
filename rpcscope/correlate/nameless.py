"""Followers (Rules.follows) whose object is not named: a span says `object_action`, not which object's.

nova's ComputeNode.save carries for ever the request id under which its process first loaded the object, and comes just
after a Service.get_by_compute_host of the same thread. Without names, it is an `object_action` under the id of another
operation, just after an `object_class_action_versions`. What also does so now and then by chance (Service.save, every
ten seconds, with an old id of its own) is told from it by what calls with that id mostly do.
"""

from __future__ import annotations

from collections import OrderedDict, deque

from rpcscope.correlate.calls import CallState
from rpcscope.correlate.identity import ProcessState
from rpcscope.rules import Rules

NEAR_NS = 50_000_000  # between a leader's reply and its follower: 2 ms in an idle nova
_LEADERS = 32  # the last ones of a process, since its threads mix
MAX_KEYS = 100_000


class Nameless:
    """What was asked last, and how often calls with an id of their own came just after it."""

    def __init__(self, rules: Rules) -> None:
        """Nothing was seen."""
        self._pairs = {_bare(follower): _bare(leader) for follower, leader in rules.follows.items()}
        self._leaders = frozenset(self._pairs.values())
        self._asked: OrderedDict[int, deque[CallState]] = OrderedDict()  # by process
        self._habits: OrderedDict[tuple[int, str], int] = OrderedDict()  # process and request id -> times more after

    def asked(self, call: CallState, process: ProcessState) -> None:
        """`process` has sent this call."""
        if call.method in self._leaders:
            self._asked.setdefault(process.id, deque(maxlen=_LEADERS)).append(call)
            if len(self._asked) > MAX_KEYS:
                self._asked.popitem(last=False)

    def leader_of(self, call: CallState, process: ProcessState) -> CallState | None:
        """The call that it follows, whose parent is its own; None when it follows none."""
        wanted = self._pairs.get(call.method)
        if wanted is None or call.operation is None or call.published_ns is None:
            return None
        near = [one for one in self._asked.get(process.id, ()) if one.method == wanted and _is_just_before(one, call)]
        found = near[-1] if near else None
        if found is not None and found.operation is call.operation:
            return None  # the beginning of the operation whose id it then carries for ever
        key = (process.id, call.operation.request_id)
        habit = self._habits[key] = self._habits.pop(key, 0) + (1 if found is not None else -1)
        if len(self._habits) > MAX_KEYS:
            self._habits.popitem(last=False)
        return found if habit > 0 else None


def _is_just_before(leader: CallState, call: CallState) -> bool:
    answered_ns = leader.reply_delivered_ns or leader.replied_ns
    return answered_ns is not None and 0 <= (call.published_ns or 0) - answered_ns <= NEAR_NS


def _bare(method: str) -> str:
    return method.partition("(")[0]
