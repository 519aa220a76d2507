"""The broker itself: nodes, alarms, partitions, connections that come and go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rpcscope.doctor.facts import Facts
from rpcscope.doctor.finding import Check, Evidence, Finding, Level, finding, plural
from rpcscope.model import Churn, NodeState
from rpcscope.query.times import iso

NEAR = 0.8
"""Share of the memory limit, or of what the free disk must stay above."""
STORM = 50
"""Connections that were closed in one minute."""


def _nodes(facts: Facts) -> Finding | None:
    rows = [Evidence(what=node.node, said=said) for node in facts.nodes for said in _wrong(node)]
    return (
        finding(
            Level.BAD,
            f"{plural(len({row.what for row in rows}), 'broker node is', 'broker nodes are')} in trouble",
            rows,
        )
        if rows
        else None
    )


def _wrong(node: NodeState) -> Iterator[str]:
    if not node.running:
        yield "does not run"
    for alarm, word in ((node.mem_alarm, "memory"), (node.disk_alarm, "disk")):
        if alarm:
            held = f"; {plural(node.blocked, 'connection is', 'connections are')} blocked" if node.blocked else ""
            yield f"has a {word} alarm: no node of the cluster takes messages{held}"
    if node.partitions:
        yield f"lost sight of {', '.join(node.partitions)}"


def _near(facts: Facts) -> Finding | None:
    rows = [Evidence(what=node.node, said=said) for node in facts.nodes for said in _close(node)]
    if not rows:
        return None
    return finding(Level.WARN, plural(len(rows), "limit of the broker is", "limits of the broker are") + " near", rows)


def _close(node: NodeState) -> Iterator[str]:
    used, limit = node.mem_used, node.mem_limit
    if used is not None and limit and used >= NEAR * limit and not node.mem_alarm:
        yield f"{100 * used / limit:.0f} % of its memory limit of {limit / 1e6:,.0f} MB"
    free, least = node.disk_free, node.disk_limit
    if free is not None and least and free * NEAR <= least and not node.disk_alarm:
        yield f"{free / 1e6:,.0f} MB of disk are free; below {least / 1e6:,.0f} MB nothing is taken"


def _reconnects(facts: Facts) -> Finding | None:
    closed: Counter[int] = Counter()
    opened: Counter[int] = Counter()
    for step in facts.churn:
        minute = step.at_ns // 60_000_000_000
        if step.event is Churn.CONNECTION_CLOSED:
            closed[minute] += step.count
        elif step.event is Churn.CONNECTION_CREATED:
            opened[minute] += step.count
    storms = {minute: count for minute, count in closed.items() if count >= STORM}
    if not storms:
        return None
    rows = (
        Evidence(
            what=f"{(iso(minute * 60_000_000_000) or '?')[:16]}Z",
            said=f"{count:,} connections closed, {opened[minute]:,} opened",
        )
        for minute, count in sorted(storms.items(), key=lambda item: -item[1])
    )
    return finding(Level.WARN, f"Up to {max(storms.values()):,} connections closed within a minute", rows)


NODES = Check(
    name="broker-nodes",
    find=_nodes,
    is_now=True,
    why="An alarm on one node holds up the publishers of the whole cluster, while everything looks connected. A "
    "partition leaves queues that some can not reach.",
    todo="Memory or disk: find the deep queue (often unread notifications) and empty it. Partition: mend the network, "
    "then restart the node on the smaller side.",
)
NEAR_LIMITS = Check(
    name="broker-limits",
    find=_near,
    is_now=True,
    why="At the limit the broker holds up all publishers of the cluster at once.",
    todo="Find what grows (`rpcscope queues --growing`), before the alarm does.",
)
RECONNECTS = Check(
    name="reconnects",
    find=_reconnects,
    why="Many clients lost or gave up their connection at once: a node restarted, the network broke, or heartbeats "
    "were missed. A new connection costs the broker far more than a message, and by default all come back together.",
    todo="See the broker's log for the cause at that minute. Set kombu_reconnect_splay so that clients come back one "
    "after the other.",
)
