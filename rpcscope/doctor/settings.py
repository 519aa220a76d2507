"""Settings known to hurt, as far as they can be seen from outside."""

from __future__ import annotations

from collections import defaultdict

from rpcscope.doctor.facts import Facts
from rpcscope.doctor.finding import Check, Evidence, Finding, Level, Subject, finding, plural
from rpcscope.model import MessageKind

CLASSIC = "classic"
OWN_TIMEOUT = frozenset({"ping"})
"""Methods whose callers choose a timeout each time."""


def _transient(facts: Facts) -> Finding | None:
    nodes = len(facts.nodes)
    transient = [one for one in facts.types if one.type == CLASSIC and one.durable is False]
    if nodes < 2 or not transient:
        return None
    rows = (
        Evidence(what=one.vhost, said=f"{plural(one.queues, 'transient classic queue')}, such as {one.example}")
        for one in transient
    )
    count = sum(one.queues for one in transient)
    return finding(Level.INFO, f"{plural(count, 'transient classic queue')} on a cluster of {nodes:,} nodes", rows)


def _timeouts(facts: Facts) -> Finding | None:
    methods: defaultdict[str, set[int]] = defaultdict(set)
    for row in facts.signs.rows:
        if row.kind is MessageKind.REQUEST and row.method not in OWN_TIMEOUT:
            methods[row.method] |= {ms for ms in (row.shortest_ms, row.longest_ms) if ms is not None}
    mixed = {method: times for method, times in methods.items() if len(times) > 1}
    if not mixed:
        return None
    rows = (
        Evidence(
            what=method, subject=Subject.METHOD,
            said=f"from {min(times) / 1000:,.0f} to {max(times) / 1000:,.0f} s",
        )
        for method, times in sorted(mixed.items(), key=lambda item: min(item[1]) - max(item[1]))
    )  # fmt: skip
    title = plural(len(mixed), "method is", "methods are") + " called with different timeouts"
    return finding(Level.INFO, title, rows)


TRANSIENT = Check(
    name="transient-queues",
    find=_transient,
    why="A transient classic queue lives on one node and is gone with it, with everything in it; its consumers notice "
    "only when they reconnect. RabbitMQ 4.3 refuses such queues.",
    todo="Use quorum queues: [oslo_messaging_rabbit] rabbit_quorum_queue and, from 2024.1 on, "
    "rabbit_transient_quorum_queue with use_queue_manager.",
)
TIMEOUTS_DIFFER = Check(
    name="different-timeouts",
    find=_timeouts,
    why="The same call waits longer from one caller than from another, so rpc_response_timeout differs between "
    "services or hosts. Where it is short, work is repeated; where it is long, failures are seen late.",
    todo="Compare rpc_response_timeout and long_rpc_timeout of the callers. Some differ on purpose.",
)
