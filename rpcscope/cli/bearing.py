"""What a broker bears of a tap: its load against the ceiling that the operator set."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rpcscope.cli.brokers import Place
    from rpcscope.cli.tapped import Tapped

_TIMEOUT_S = 5.0
"""A broker that answers later than this is not asked the more."""


class Bearing:
    """Watches one broker while a recorder runs. What does not answer is unknown, and breaks no ceiling."""

    def __init__(self, place: Place, tapped: Tapped, ceiling: float) -> None:
        """Nothing is asked yet. With a `ceiling` of 0 only alarms and blocked publishers count."""
        from rpcscope_collectors.load import Ceiling
        from rpcscope_collectors.load_watch import LoadWatch
        from rpcscope_collectors.management import Management
        from rpcscope_collectors.prometheus import Prometheus

        account = place.broker.username, place.broker.password
        self._ceiling = Ceiling(cpu_share=ceiling)
        self._watch = LoadWatch(
            managements=[Management(url, *account, timeout_s=_TIMEOUT_S) for url in place.management_urls],
            metrics=[Prometheus(url, timeout_s=_TIMEOUT_S) for url in place.prometheus_urls],
            blocked=lambda: tapped.tap.blocked,
        )

    def start(self) -> None:
        """Begin to ask."""
        self._watch.start()

    def stop(self) -> None:
        """End."""
        self._watch.stop()

    def broken(self) -> str:
        """Which ceiling is broken, in a sentence; nothing when none is."""
        return self._ceiling.broken_by(self._watch.load)
