"""What is wrong with the nodes of a broker, in sentences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rpcscope.model import NodeState


def alarms(node: NodeState) -> list[str]:
    """Of one node; nothing when it is well, or when nothing is known."""
    blocked = "" if not node.blocked else f"; {node.blocked:,} connections are blocked"
    said = [] if node.running else [f"{node.node} does not run"]
    if node.mem_alarm:
        said.append(f"{node.node} has a memory alarm: it takes no message{blocked}")
    if node.disk_alarm:
        said.append(f"{node.node} has a disk alarm: it takes no message{blocked}")
    if node.partitions:
        said.append(f"{node.node} lost sight of {', '.join(node.partitions)}")
    return said


def distinct(nodes: Iterable[NodeState]) -> list[NodeState]:
    """By name; of recorders that tell the same of a node, as those of two vhosts do, the newest."""
    found = {replace(node, at_ns=0): node for node in sorted(nodes, key=lambda node: node.at_ns)}
    return sorted(found.values(), key=lambda node: node.node)
