"""Operations, counted when they are over: how many of each kind, what they cost in RPCs, how long they took.

An operation may be seen in parts, by several recorders, and may be opened again by a message that comes late. So it
is counted once nothing was heard of it for a while, and then never again.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable
from heapq import heappop, heappush

from rpcscope.export.metrics import catalogue
from rpcscope.export.metrics.family import Family, family
from rpcscope.export.metrics.kinds import OVER, KindCount, kind_families
from rpcscope.export.metrics.services import OTHER
from rpcscope.model import Operation, Status
from rpcscope.query.ids import recording_of
from rpcscope.query.operations import STUCK_AFTER_S, merge
from rpcscope.query.standing import judged
from rpcscope.rules import load_rules

SETTLES_NS = 10_000_000_000
"""An operation that is over is counted once nothing was heard of it for so long."""
FORGOTTEN_NS = 120_000_000_000
"""One whose end nobody knows, likewise."""
MOST_OPEN, MOST_OVER, MOST_KINDS = 10_000, 50_000, 200
UNATTRIBUTED = "unattributed"
_STUCK_NS = int(STUCK_AFTER_S * 1e9)


class OperationMeter:
    """Counts the operations of all recorders of a process. Not for several threads at once."""

    def __init__(self, *, most_kinds: int = MOST_KINDS) -> None:
        """Nothing is counted yet."""
        self._open: OrderedDict[str, dict[int, Operation]] = OrderedDict()
        self._over: OrderedDict[str, None] = OrderedDict()
        self._due: list[tuple[int, str]] = []
        self._next: dict[str, int] = {}  # when each open one is looked at
        self._kinds: dict[str, KindCount] = {}
        self._rules = load_rules()
        self._most_kinds = most_kinds
        self.now_ns = 0
        self.folded = 0

    def take(self, parts: Iterable[Operation], now_ns: int, *, ended: int = 0) -> None:
        """Learn parts that changed, and count what is over by now.

        `ended` is a recording that is over: what it alone saw will not change any more, and runs no longer.
        """
        self.now_ns = max(self.now_ns, now_ns)
        for part in parts:
            if part.request_id and part.request_id not in self._over:
                self._learn(part)
        while self._due and self._due[0][0] <= self.now_ns:
            due_ns, request_id = heappop(self._due)
            if self._next.get(request_id) == due_ns:  # else it was put earlier meanwhile
                self._look(request_id)
        if ended:
            for request_id, mine in list(self._open.items()):
                if all(recording_of(number) == ended for number in mine):
                    self._end(request_id)
                    self._forget(request_id)

    def open_ids(self, limit: int) -> list[int]:
        """Ids of the newest parts that are not counted yet."""
        ids = [number for parts in self._open.values() for number in parts]
        return ids[-limit:]

    def families(self) -> list[Family]:
        """Every metric of operations."""
        kinds = list(self._kinds.items())
        running, stuck = self._standing()
        return [
            *kind_families(kinds),
            family(catalogue.RUNNING, (((kind,), count) for kind, count in running.items())),
            family(catalogue.STUCK, (((kind,), count) for kind, count in stuck.items())),
        ]

    def _learn(self, part: Operation) -> None:
        request_id = part.request_id
        mine = self._open.get(request_id)
        if mine is None:
            mine = self._open[request_id] = {}
            if len(self._open) > MOST_OPEN:  # what is older than all others will hardly end
                self._next.pop(self._open.popitem(last=False)[0], None)
        mine[part.id] = part
        due_ns = part.last_ns + _wait_ns(part)
        if due_ns < self._next.get(request_id, due_ns + 1):
            self._plan(request_id, due_ns)

    def _plan(self, request_id: str, due_ns: int) -> None:
        self._next[request_id] = due_ns
        heappush(self._due, (due_ns, request_id))

    def _look(self, request_id: str) -> None:
        """Once its time has come: counted, or looked at again when it is its time."""
        whole = merge(judged(list(self._open[request_id].values()), self._rules))
        due_ns = whole.last_ns + _wait_ns(whole)
        if whole.status is Status.RUNNING or due_ns > self.now_ns:
            self._plan(request_id, max(due_ns, self.now_ns + SETTLES_NS))
        else:
            self._end(request_id)

    def _end(self, request_id: str) -> None:
        whole = merge(judged(list(self._open[request_id].values()), self._rules))
        if whole.status is Status.RUNNING:
            return
        self._forget(request_id)
        self._over[request_id] = None
        if len(self._over) > MOST_OVER:
            self._over.popitem(last=False)
        self._count(whole)

    def _forget(self, request_id: str) -> None:
        self._open.pop(request_id, None)
        self._next.pop(request_id, None)

    def _count(self, whole: Operation) -> None:
        name = whole.kind or UNATTRIBUTED
        if name not in self._kinds and len(self._kinds) >= self._most_kinds:
            self.folded += 1
            name = OTHER
        self._kinds.setdefault(name, KindCount()).add(whole)

    def _standing(self) -> tuple[Counter[str], Counter[str]]:
        """Running and stuck ones by kind. Kinds that were ever counted are 0 while none is."""
        running: Counter[str] = Counter(dict.fromkeys(self._kinds, 0))
        stuck: Counter[str] = Counter(dict.fromkeys(self._kinds, 0))
        for parts in self._open.values():
            whole = merge(judged(list(parts.values()), self._rules))
            if whole.status is not Status.RUNNING:
                continue
            name = whole.kind or UNATTRIBUTED
            name = name if name in running or len(running) < self._most_kinds else OTHER
            running[name] += 1
            stuck[name] += self.now_ns - whole.last_ns >= _STUCK_NS
        return running, stuck


def _wait_ns(operation: Operation) -> int:
    return SETTLES_NS if operation.status in OVER else FORGOTTEN_NS
