"""Which way messages take: exchange -> binding -> queue -> process, as a picture shows it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rpcscope.families import family
from rpcscope.model import Layout, Process
from rpcscope.query.operations import process_name
from rpcscope.query.processes import processes
from rpcscope.query.queues import is_of
from rpcscope.query.times import iso
from rpcscope.store.protocol import Reader

MOST = 12
"""Queues or processes that are shown one by one; more are folded."""
FAMILIES = 40
"""Families of a whole vhost that are shown."""
DEFAULT_EXCHANGE = "(default)"
_KEYS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """An exchange, a queue or a process; or several of them as one."""

    name: str
    count: int = 1
    detail: str = ""  # the kind of an exchange, the host of a process


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """From a spot to one in the next column, by their places there."""

    start: int
    end: int
    label: str = ""  # routing keys of bindings
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The ways of one vhost, or of one queue or family in it."""

    vhost: str
    at_ns: int
    exchanges: tuple[Spot, ...]
    queues: tuple[Spot, ...]
    processes: tuple[Spot, ...]
    bindings: tuple[Way, ...]  # exchange to queue
    consumers: tuple[Way, ...]  # queue to process
    left_out: int  # families for which there is no room
    elsewhere: int  # bindings from one exchange to another: not drawn

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "vhost": self.vhost,
            "as_of": iso(self.at_ns),
            "bindings": [
                {
                    "exchange": self.exchanges[way.start].name,
                    "queue": self.queues[way.end].name,
                    "keys": way.label,
                    "count": way.count,
                }
                for way in self.bindings
            ],
            "consumers": [
                {
                    "queue": self.queues[way.start].name,
                    "process": self.processes[way.end].name,
                    "host": self.processes[way.end].detail or None,
                    "count": way.count,
                }
                for way in self.consumers
            ],
            "left_out": self.left_out,
            "exchange_bindings": self.elsewhere,
        }


def routes(reader: Reader, name: str = "", *, vhost: str = "") -> list[Route]:
    """One for each vhost whose layout is known, or in which the queue or family is; the newest layout of each."""
    newest: dict[str, Layout] = {}
    for layouts in reader.layouts().values():
        for layout in layouts:
            if vhost in ("", layout.vhost) and layout.at_ns >= newest.get(layout.vhost, layout).at_ns:
                newest[layout.vhost] = layout
    known = {process.key: process for process in processes(reader).values()} if name and newest else {}
    found = [_Folded(layout, name, known).route() for _, layout in sorted(newest.items())]
    return [route for route in found if route.queues]


class _Folded:
    """A layout with what is alike put together."""

    def __init__(self, layout: Layout, name: str, known: Mapping[str, Process]) -> None:
        self._layout, self._known = layout, known
        self._to_queues = [one for one in layout.bindings if one.to_queue and _is_wanted(name, one.destination)]
        self._consumers = [one for one in layout.consumers if _is_wanted(name, one.queue)]
        queues = {one.destination for one in self._to_queues} | {one.queue for one in self._consumers}
        self._queue = _same if name and len(queues) <= MOST else family
        keys = {one.process for one in self._consumers}
        self._process: Callable[[str], Spot] = self._named if name and len(keys) <= MOST else _program
        self._members = Counter(self._queue(queue) for queue in queues)
        self._people = Counter(self._process(key) for key in keys)

    def route(self) -> Route:
        """The picture."""
        keys: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for one in self._to_queues:
            keys[family(one.exchange), self._queue(one.destination)].append(one.routing_key)
        taken = Counter((self._queue(one.queue), self._process(one.process)) for one in self._consumers)
        # What no named exchange leads to is reached by its own name.
        bound = {queue for _, queue in keys}
        keys.update({(DEFAULT_EXCHANGE, queue): [] for queue in self._members if queue not in bound})
        exchanges = sorted({exchange for exchange, _ in keys}, key=lambda one: (one == DEFAULT_EXCHANGE, one))
        queues = _by_neighbour(self._members, {queue: exchanges.index(exchange) for exchange, queue in sorted(keys)})
        shown = queues[:FAMILIES]
        people = _people_by_place(taken, shown)
        return Route(
            vhost=self._layout.vhost,
            at_ns=self._layout.at_ns,
            exchanges=tuple(Spot(name=one, detail=self._kinds.get(one, "")) for one in exchanges),
            queues=tuple(Spot(name=one, count=self._members[one]) for one in shown),
            processes=tuple(Spot(name=p.name, detail=p.detail, count=self._people[p]) for p in people),
            bindings=tuple(
                Way(start=exchanges.index(exchange), end=shown.index(queue), label=_keys(mine), count=len(mine))
                for (exchange, queue), mine in sorted(keys.items())
                if queue in shown
            ),
            consumers=tuple(
                Way(start=shown.index(queue), end=people.index(process), count=count)
                for (queue, process), count in taken.items()
                if queue in shown
            ),
            left_out=len(queues) - len(shown),
            elsewhere=sum(not one.to_queue for one in self._layout.bindings),
        )

    @property
    def _kinds(self) -> dict[str, str]:
        return {family(one.name): one.kind for one in self._layout.exchanges}

    def _named(self, key: str) -> Spot:
        who = self._known.get(key)
        if who is None:
            return Spot(name=key)
        return Spot(name=process_name(who), detail=who.host or who.peer)


def _is_wanted(name: str, queue: str) -> bool:
    return not name or is_of(name, queue)


def _same(queue: str) -> str:
    return queue


def _program(key: str) -> Spot:
    """`peer:program:pid`; a connection that says no program is one of many."""
    parts = key.rsplit(":", 2)
    return Spot(name=parts[1] if len(parts) == 3 and " -> " not in key else "no name")


def _keys(keys: Iterable[str]) -> str:
    """`conductor`, or two of them and how many more."""
    names = sorted(set(filter(None, keys)))
    more = f" + {len(names) - _KEYS:,} more" if len(names) > _KEYS else ""
    return ", ".join(names[:_KEYS]) + more


def _by_neighbour(names: Iterable[str], places: Mapping[str, int]) -> list[str]:
    return sorted(names, key=lambda name: (places.get(name, 0), name))


def _people_by_place(taken: Mapping[tuple[str, Spot], int], queues: list[str]) -> list[Spot]:
    """Where their queues are, so that few lines cross."""
    places: defaultdict[Spot, list[int]] = defaultdict(list)
    for queue, process in taken:
        if queue in queues:
            places[process].append(queues.index(queue))
    return sorted(places, key=lambda spot: (sum(places[spot]) / len(places[spot]), spot.name, spot.detail))
