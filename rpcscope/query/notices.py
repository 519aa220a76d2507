"""What a person should know before the numbers: each a sentence, from what is cheap to ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rpcscope.query.queues import Queues
from rpcscope.query.status import recorders
from rpcscope.query.times import SECOND
from rpcscope.query.words import duration
from rpcscope.store.protocol import Reader

Weight = Literal["error", "warn"]
FORGOTTEN_NS = 86_400 * SECOND
"""A recorder that fell silent longer ago was left to be so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that is wrong now."""

    weight: Weight
    text: str
    noun: str  # the page that tells more

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {"weight": self.weight, "text": self.text, "page": self.noun}


def notices(reader: Reader, depth: Queues, now_ns: int) -> list[Notice]:
    """Of the broker's nodes, its queues, and the recorders; the errors first."""
    found = [*_nodes(depth), *_queues(depth), *_recorders(reader, now_ns)]
    return sorted(found, key=lambda notice: notice.weight != "error")


def _nodes(depth: Queues) -> Iterator[Notice]:
    for node in depth.nodes:
        if not node.running:
            yield Notice(weight="error", text=f"{node.node} does not run", noun="queues")
        for alarm, word in ((node.mem_alarm, "memory"), (node.disk_alarm, "disk")):
            if alarm:
                held = f"; {node.blocked:,} connections are blocked" if node.blocked else ""
                yield Notice(
                    weight="error", text=f"{node.node} has a {word} alarm: it takes no message{held}", noun="queues"
                )
        if node.partitions:
            lost = ", ".join(node.partitions)
            yield Notice(weight="error", text=f"{node.node} lost sight of {lost}", noun="queues")


def _queues(depth: Queues) -> Iterator[Notice]:
    for row in depth.rows:
        if row.consumerless and row.ready:
            queues = "a queue" if row.queues == 1 else f"{row.consumerless:,} of {row.queues:,} queues"
            text = f"{row.name}: nobody consumes {queues}, and {row.ready:,} messages wait"
            yield Notice(weight="warn", text=text, noun="queues")


def _recorders(reader: Reader, now_ns: int) -> Iterator[Notice]:
    for one in recorders(reader, now_ns):
        if one.state == "silent" and now_ns - one.heard_ns < FORGOTTEN_NS:
            ago = duration(now_ns - one.heard_ns)
            yield Notice(
                weight="error", text=f"The recorder of {one.recording.scope} was last heard of {ago} ago", noun="taps"
            )
        traced, nodes = (one.health.nodes_traced, one.health.nodes) if one.health else (None, None)
        if one.state == "recording" and traced is not None and nodes and traced < nodes:
            text = (
                f"{traced} of {nodes} nodes are traced by the recorder of {one.recording.scope}: totals are not whole"
            )
            yield Notice(weight="error", text=text, noun="taps")
