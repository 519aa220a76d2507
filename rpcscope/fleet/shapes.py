"""What each service process has on the bus, once it has used all of it.

Source: oslo.messaging (amqpdriver.py :: listen, _get_reply_q; impl_rabbit.py :: declare_*_consumer). An RPC server is
one connection with three consumers: the topic's queue, its own, the fanout's. Beside it a process has a connection for
its reply queue and at least one to publish with; a compute one more for notifications.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ShapeName = Literal["2026", "2025", "reduced"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A process. One channel for each connection."""

    topics: tuple[str, ...] = ()  # that it serves
    replies: bool = True  # it makes calls
    notifies: bool = False
    single: bool = False  # everything on one connection, unlike nova's
    together: bool = False  # all such processes are on one host, and share its queues

    @property
    def connections(self) -> int:
        """With one to publish with; under load up to Control.send_pool of those."""
        return 1 if self.single else len(self.topics) + self.replies + 1 + self.notifies

    @property
    def consumers(self) -> int:
        """Three of each RPC server, one of the reply queue."""
        return 3 * len(self.topics) + self.replies

    def private_queues(self, *, stream: bool) -> int:
        """Nobody else consumes them: its host's, its fanout queues unless they are streams, and the reply queue."""
        return len(self.topics) * (2 - self.together - stream) + self.replies

    def shared_queues(self, *, stream: bool) -> int:
        """The topics', of one host's processes its queues, and streams."""
        return len(self.topics) * (1 + self.together + stream)


COMPUTES: dict[ShapeName, Shape] = {
    "2026": Shape(topics=("compute", "compute-alt"), notifies=True),
    "2025": Shape(topics=("compute",), notifies=True),
    "reduced": Shape(topics=("compute",), single=True),
}


def controllers(name: ShapeName) -> dict[str, Shape]:
    """The services of the control plane."""
    single = name == "reduced"
    return {
        "api": Shape(single=single),
        "conductor": Shape(topics=("conductor",), single=single, together=True),
        "scheduler": Shape(topics=("scheduler",), single=single, together=True),
    }
