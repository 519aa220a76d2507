"""Parents across brokers: an RPC on one broker, caused by a request that came over another.

A recorder sees one broker, so what a conductor sends over a cell's because of a cast that it got over the API's begins
a tree of its own there. Put together by the rules of docs/pipeline.md as far as what is stored tells: the parent is
the request of the same request id that the publishing process had in hand on the other broker; not one whose handler
waits for a reply; of several, the one whose handler usually makes this step next, then the latest.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from rpcscope.model import RPCS, Call, MessageKind, ParentSource, Process
from rpcscope.query.identities import Identities
from rpcscope.query.times import SECOND
from rpcscope.rules import Rules
from rpcscope.rules.hands import Habits, in_hand

CLOCK_SLACK_NS = 5 * SECOND
"""How far the clocks and the lags of two recorders may be apart."""
NOTE = "across brokers"


class Crossing:
    """Finds parents among calls of other recordings."""

    def __init__(self, processes: Mapping[int, Process], rules: Rules) -> None:
        self._identities = Identities(processes)
        self._rules = rules
        self._habits = Habits()

    def mend(self, calls: Sequence[Call], request_ids: Mapping[int, str]) -> dict[str, Call]:
        """The roots of one operation's calls that have a parent on another broker, with it, by unique id."""
        trees = _Trees(calls)
        hands = self._hands(calls, request_ids)
        mended: dict[str, Call] = {}
        for call in sorted(calls, key=_since):
            parent = trees.parent(call)
            if parent is None and _is_root(call):
                parent = self._parent(call, request_ids.get(call.operation_id, ""), hands, trees)
                if parent is not None:
                    mended[call.unique_id] = _under(call, parent)
            if parent is not None:
                self._habits.learn(parent.method, trees.last_step(parent), call.method)
                trees.add(parent, call)
        return mended

    def _hands(self, calls: Iterable[Call], request_ids: Mapping[int, str]) -> dict[tuple[int, str], list[Call]]:
        """What each process was given, by its id and the request id."""
        found: dict[tuple[int, str], list[Call]] = defaultdict(list)
        for call in calls:
            if call.kind in RPCS and call.to_process and not self._rules.is_leaf(call.method):
                found[call.to_process, request_ids.get(call.operation_id, "")].append(call)
        return found

    def _parent(
        self, call: Call, request_id: str, hands: Mapping[tuple[int, str], list[Call]], trees: _Trees
    ) -> Call | None:
        others = self._identities.elsewhere(call.from_process)
        held = [hand for other in others for hand in hands.get((other, request_id), ()) if hand is not call]
        at_ns = _since(call)
        held = [hand for hand in held if not trees.is_above(call, hand)]
        pool = [hand for hand in held if in_hand(hand, at_ns)]
        if not pool:  # the clocks of two recorders are not one
            pool = [hand for hand in held if in_hand(hand, at_ns, CLOCK_SLACK_NS)]
        pool = [hand for hand in pool if not trees.is_busy(hand, at_ns)] or pool
        if not pool:
            return None
        return max(pool, key=lambda hand: (self._usual(hand, call, trees), hand.delivered_ns or 0))

    def _usual(self, hand: Call, call: Call, trees: _Trees) -> int:
        return self._habits.seen(hand.method, trees.last_step(hand), call.method)


class _Trees:
    """Who caused what, as far as it is known so far."""

    def __init__(self, calls: Iterable[Call]) -> None:
        self._by_unique_id = {call.unique_id: call for call in calls}
        self._above: dict[str, Call] = {}
        self._steps: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)

    def parent(self, call: Call) -> Call | None:
        """The parent that its recorder found."""
        return self._by_unique_id.get(call.parent_unique_id)

    def add(self, parent: Call, call: Call) -> None:
        """A handler made a step."""
        self._above[call.unique_id] = parent
        insort(self._steps[parent.unique_id], (_since(call), call.unique_id))

    def last_step(self, hand: Call) -> str:
        """The last method that its handler called; "" before the first."""
        last = self._last(hand)
        return last.method if last is not None else ""

    def is_busy(self, hand: Call, at_ns: int) -> bool:
        """Whether its handler waits for the reply to its last call."""
        last = self._last(hand)
        if last is None or last.kind is not MessageKind.REQUEST:
            return False
        return last.replied_ns is None or last.replied_ns > at_ns

    def is_above(self, call: Call, other: Call) -> bool:
        """Whether `call` caused `other`, directly or not."""
        step: Call | None = other
        for _ in range(len(self._by_unique_id)):
            if step is None:
                return False
            if step.unique_id == call.unique_id:
                return True
            step = self._above.get(step.unique_id) or self.parent(step)
        return True

    def _last(self, hand: Call) -> Call | None:
        steps = self._steps.get(hand.unique_id)
        return self._by_unique_id[steps[-1][1]] if steps else None


def _is_root(call: Call) -> bool:
    return call.kind in RPCS and not call.parent_unique_id and call.published_ns is not None and call.from_process > 0


def _under(call: Call, parent: Call) -> Call:
    return replace(call, parent_id=parent.id, parent_unique_id=parent.unique_id, parent_source=ParentSource.INFERRED)


def _since(call: Call) -> int:
    return call.published_ns or call.delivered_ns or call.last_ns
