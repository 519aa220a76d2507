"""What the queue taps hand on, collected for the next batch."""

from __future__ import annotations

from dataclasses import dataclass

from rpcscope.layouts import Layouts
from rpcscope.model import (
    ChurnEvent,
    FamilySample,
    Layout,
    NodeState,
    QueuePoll,
    QueueSample,
    QueueSamples,
    QueueSighting,
    Topology,
)
from rpcscope.sampling import Sampler, safe_churn, safe_node


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueChanges:
    """The queue side of a `Batch`; fields have its names."""

    queue_polls: tuple[QueuePoll, ...] = ()
    queue_samples: tuple[QueueSample, ...] = ()
    family_samples: tuple[FamilySample, ...] = ()
    node_states: tuple[NodeState, ...] = ()
    churn: tuple[ChurnEvent, ...] = ()
    layouts: tuple[Layout, ...] = ()

    def __bool__(self) -> bool:
        """There is something to store."""
        return bool(self.queue_polls or self.node_states or self.churn or self.layouts)


class QueueIntake:
    """Makes sightings safe and small, and keeps them until the pipeline commits. Not for several threads."""

    def __init__(self, sampler: Sampler | None = None) -> None:
        """Nothing was seen yet."""
        self._sampler = sampler or Sampler()
        self._layouts = Layouts()
        self._clear()

    def feed(self, seen: QueueSighting) -> None:
        """Take one sighting."""
        if isinstance(seen, QueueSamples):
            sampled = self._sampler.take(seen)
            self._polls.append(sampled.poll)
            self._samples += sampled.changed
            self._families += sampled.families
        elif isinstance(seen, NodeState):
            self._nodes.append(safe_node(seen))
        elif isinstance(seen, ChurnEvent):
            self._churn.append(safe_churn(seen))
        else:
            self._layouts.take(seen)

    def learn(self, topology: Topology) -> None:
        """Take a snapshot of who consumes what."""
        self._layouts.learn(topology)

    def take_new(self) -> QueueChanges:
        """What came since the last time."""
        changes = QueueChanges(
            queue_polls=tuple(self._polls),
            queue_samples=tuple(self._samples),
            family_samples=tuple(self._families),
            node_states=tuple(self._nodes),
            churn=tuple(self._churn),
            layouts=self._layouts.take_new(),
        )
        self._clear()
        return changes

    def _clear(self) -> None:
        self._polls: list[QueuePoll] = []
        self._samples: list[QueueSample] = []
        self._families: list[FamilySample] = []
        self._nodes: list[NodeState] = []
        self._churn: list[ChurnEvent] = []
