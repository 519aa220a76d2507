"""What is in hand and what lies in queues now, as far as it was told last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rpcscope.export.metrics import catalogue
from rpcscope.export.metrics.family import Family, Values, family
from rpcscope.export.metrics.services import OTHER, Services
from rpcscope.families import family as queue_family
from rpcscope.in_hand import REPEAT_NS
from rpcscope.model import FamilySample, InFlightSample

MOST_IN_HAND, MOST_FAMILIES = 100_000, 1_000


class Levels:
    """The newest samples of one recorder. Not for several threads at once."""

    def __init__(self, services: Services, *, hosts: bool, most: int) -> None:
        """Nothing is known yet."""
        self._services, self._hosts, self._most = services, hosts, most
        self._in_hand: dict[tuple[int, str, str], InFlightSample] = {}
        self._families: dict[tuple[str, str], FamilySample] = {}
        self._polled_ns: dict[str, int] = {}
        self._swept_ns = 0

    def take(self, in_flight: Iterable[InFlightSample], families: Iterable[FamilySample], now_ns: int) -> None:
        """Learn samples; a count of 0 ends what was there before, and so does silence about it."""
        for one in in_flight:
            key = (one.process, one.queue, one.method)
            self._in_hand.pop(key, None)
            if one.count and len(self._in_hand) < MOST_IN_HAND:
                self._in_hand[key] = one
        if now_ns - self._swept_ns > REPEAT_NS // 10:
            self._swept_ns = now_ns
            self._in_hand = {key: one for key, one in self._in_hand.items() if one.at_ns >= now_ns - 2 * REPEAT_NS}
        for sample in families:
            if sample.at_ns > self._polled_ns.get(sample.vhost, 0):  # a poll has every family there is
                self._polled_ns[sample.vhost] = sample.at_ns
                self._families = {key: one for key, one in self._families.items() if key[0] != sample.vhost}
            if len(self._families) < MOST_FAMILIES:
                self._families[sample.vhost, sample.family] = sample

    def families(self, vhost: str, now_ns: int) -> list[Family]:
        """Every metric of levels."""
        return [*self._work(vhost, now_ns), *self._queues()]

    def _work(self, vhost: str, now_ns: int) -> list[Family]:
        held: Counter[Values] = Counter()
        untaken: Counter[Values] = Counter()
        oldest: dict[Values, int] = {}
        for one in self._in_hand.values():
            if not one.process:
                untaken[vhost, queue_family(one.queue)] += one.count
                continue
            where: Values = (self._services.host(one.process),) if self._hosts else ()
            key: Values = (vhost, self._services.name(one.process), one.method, *where)
            if key not in held and len(held) >= self._most:
                key, where = (vhost, OTHER, OTHER, *(OTHER for _ in where)), tuple(OTHER for _ in where)
            held[key] += one.count
            place = (key[0], key[1], *where)
            oldest[place] = min(oldest.get(place, one.oldest_ns), one.oldest_ns)
        ages = ((place, max(0, now_ns - at_ns) / 1e9) for place, at_ns in oldest.items())
        return [
            family(catalogue.IN_FLIGHT, held.items(), hosts=self._hosts),
            family(catalogue.IN_FLIGHT_OLDEST, ages, hosts=self._hosts),
            family(catalogue.UNTAKEN, untaken.items()),
        ]

    def _queues(self) -> list[Family]:
        samples = list(self._families.items())
        return [
            family(
                catalogue.DEPTH,
                [((*key, "ready"), one.ready) for key, one in samples]
                + [((*key, "unacked"), one.unacked) for key, one in samples],
            ),
            family(catalogue.QUEUES, ((key, one.queues) for key, one in samples)),
            family(catalogue.CONSUMERLESS, ((key, one.consumerless) for key, one in samples)),
            family(catalogue.CONSUMERS, ((key, one.consumers) for key, one in samples)),
        ]
