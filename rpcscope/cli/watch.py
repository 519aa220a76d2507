"""What `record` watches besides messages: queue depth, nodes, and queues that come and go."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from rpcscope.cli.ears import acknowledge, take_all, take_rest
from rpcscope.place_names import renamed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rpcscope.cli.brokers import Place
    from rpcscope.cli.ears import Ear, EarTap
    from rpcscope.cli.flying import Flying
    from rpcscope.model import LiveSighting, QueueSighting
    from rpcscope_collectors.tap import Tap

_KEPT = 8
"""Polls that wait for a store that is away: the newest, since each may hold 20,000 queues."""
_EARS_MORE = 5
"""Times the tap's batch: where it is silent it hands on twice a second only."""


class Watched:
    """A tap's batches, with what was seen of the queues and heard in between, and the times in which it saw nothing."""

    def __init__(
        self, tap: Tap | EarTap, flying: Flying | None = None, rename: str = "", ears: Sequence[Ear] = ()
    ) -> None:
        """`rename` is what the vhost is called in the store, where that is not its own name."""
        self._tap, self._flying, self._rename, self._ears = tap, flying, rename, ears
        self._seen: deque[QueueSighting] = deque(maxlen=_KEPT)

    def hand_on(self, seen: QueueSighting) -> None:
        """Called by the queue taps' threads."""
        self._seen.append(renamed(seen, self._rename) if self._rename else seen)

    def batches(self, max_events: int = 2000, max_wait_s: float = 0.5) -> Iterator[list[LiveSighting]]:
        """As the tap's."""
        for sightings in self._tap.batches(max_events, max_wait_s):
            both: list[LiveSighting] = [*sightings]
            if self._flying is not None:
                both += self._flying.saw(sightings)
            while self._seen:
                both.append(self._seen.popleft())
            both += take_all(self._ears, _EARS_MORE * max_events)
            yield both
        yield from take_rest(self._ears, max_events)
        if self._flying is not None:
            yield [*self._flying.land()]

    def ack(self) -> None:
        """As the tap's."""
        self._tap.ack()
        acknowledge(self._ears)


@contextmanager
def watched(
    tap: Tap | EarTap,
    place: Place | None,
    *,
    churn: bool = False,
    flying: Flying | None = None,
    name: str = "",
    ears: Sequence[Ear] = (),
    queues_every_s: float | None = None,
) -> Iterator[Watched]:
    """The tap with queue taps beside it, as far as there is something to ask. They end with the block.

    `place` is None where no tap is on a broker; `name` is what the vhost is called in the store;
    `queues_every_s` how often queues are looked at, None: as often as a share of a core allows.
    """
    if place is None:
        yield Watched(tap, ears=ears)
        return
    source = Watched(tap, flying, name if name != place.broker.vhost else "", ears)
    with ExitStack() as stack:
        if flying is not None:
            flying.start()
            stack.callback(flying.stop)
        _watch_queues(place, source, stack, queues_every_s)
        if churn:
            from rpcscope_collectors.churn import ChurnTap

            events = ChurnTap(place.broker, hand_on=source.hand_on)
            events.start()
            stack.callback(events.stop)
        yield source


def _watch_queues(place: Place, source: Watched, stack: ExitStack, every_s: float | None) -> None:
    from rpcscope_collectors.prometheus import Prometheus
    from rpcscope_collectors.queue_api import QueueApi
    from rpcscope_collectors.queues import Pace, QueueTap

    if place.management_urls or place.prometheus_urls:
        broker = place.broker
        apis = [QueueApi(url, broker.username, broker.password) for url in place.management_urls]
        metrics = [Prometheus(url) for url in place.prometheus_urls]
        pace = Pace(share=1.0, shortest_s=every_s, longest_s=every_s) if every_s else None
        queues = QueueTap(broker.vhost, apis=apis, metrics=metrics, pace=pace, hand_on=source.hand_on)
        queues.start()
        stack.callback(queues.stop)
