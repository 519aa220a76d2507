"""What a broker bears of a tap: its load against the ceiling that the operator set."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rpcscope.cli.brokers import Place
    from rpcscope.cli.tapped import Tapped


class Bearing:
    """Watches one broker while a recorder runs."""

    def __init__(self, place: Place, tapped: Tapped, ceiling: float) -> None:
        """Nothing is asked yet. A `ceiling` of 0 leaves alarms and blocked connections."""
        self._tapped = tapped

    def start(self) -> None:
        """Begin to ask."""

    def stop(self) -> None:
        """End."""

    def broken(self) -> str:
        """Which ceiling is broken, in a sentence; nothing when none is."""
        return "the broker blocks publishers" if self._tapped.tap.blocked else ""
