"""Random trees of RPCs, what they put on the bus, and what has to be counted of them."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from rpcscope.model import Flag, Observation, Outcome, Tally
from tests.support.bus import Bus, Service
from tests.support.memory import TALLY

SERVICES = 4
TIMEOUT_S = 60


@dataclass(frozen=True, kw_only=True)
class Node:
    """One RPC and those that its handler makes."""

    kind: str  # call | cast | fanout | notification
    to: int  # index of the service
    answer: str = "ok"  # ok | failure | late | none; of calls
    heartbeats: int = 0
    taken: bool = True  # a consumer took it from its queue
    routed: bool = True
    again: bool = False  # the publisher sent it a second time, over another connection
    redelivered: bool = False  # a service got it a second time
    consumers: int = 0  # of fanouts
    children: tuple[Node, ...] = ()

    @property
    def is_taken(self) -> bool:
        return self.taken and self.routed

    @property
    def is_answered(self) -> bool:
        return self.kind == "call" and self.is_taken and self.answer != "none"

    @property
    def is_late(self) -> bool:
        """Answered after its caller's time was over: itself slow, or something within it."""
        slow = self.kind == "call" and self.is_taken and self.answer == "late"
        return slow or any(child.is_late for child in self.handled())

    def sent_once(self) -> Node:
        """The same tree, but no publisher sends anything a second time."""
        return replace(self, again=False, children=tuple(child.sent_once() for child in self.children))

    def count(self) -> dict[str, int]:
        """Messages and copies of the tree, from the tree alone."""
        found = dict.fromkeys(TALLY, 0)
        for child in self.handled():
            for key, number in child.count().items():
                found[key] += number
        publishes = 2 if self.again else 1
        found[f"{self.kind}s"] += publishes
        if self.kind == "fanout":
            found["copies"] += self.consumers * publishes
        elif self.kind != "notification" and self.is_taken:
            found["copies"] += publishes + self.redelivered
        if self.kind == "call" and self.is_taken:
            found["heartbeats"] += self.heartbeats
            found["copies"] += self.heartbeats
        if self.is_answered:
            found["replies"] += 1
            found["copies"] += 1
        return found

    def handled(self) -> tuple[Node, ...]:
        """RPCs that its handler makes: none when nobody handles it."""
        return self.children if self.kind in ("call", "cast") and self.is_taken else ()


def nodes(depth: int = 2) -> st.SearchStrategy[Node]:
    """Trees of all that may happen to a message."""
    rarely = st.sampled_from([False] * 5 + [True])
    mostly = st.sampled_from([True] * 7 + [False])
    children = st.lists(nodes(depth - 1), max_size=3).map(tuple) if depth else st.just(())
    to = st.integers(0, SERVICES - 1)
    answers = st.sampled_from(["ok"] * 6 + ["failure", "late", "none"])
    flags: dict[str, Any] = {"taken": mostly, "routed": mostly, "again": rarely, "redelivered": rarely}
    calls = st.builds(
        Node, kind=st.just("call"), to=to, answer=answers, heartbeats=st.sampled_from([0, 0, 0, 1, 3]),
        children=children, **flags,
    )  # fmt: skip
    casts = st.builds(Node, kind=st.just("cast"), to=to, children=children, **flags)
    fanouts = st.builds(Node, kind=st.just("fanout"), to=to, consumers=st.integers(0, 20), again=rarely)
    notifications = st.builds(Node, kind=st.just("notification"), to=to)
    return st.one_of(calls, calls, casts, fanouts, notifications)


def forests() -> st.SearchStrategy[list[Node]]:
    """Some operations."""
    return st.lists(nodes(), min_size=1, max_size=4)


@dataclass
class Played:
    """What trees put on the bus."""

    bus: Bus
    trees: dict[str, Node]  # by request id
    unique_ids: dict[str, tuple[Node, str]]  # -> node, unique id of its parent

    def outcome(self, unique_id: str) -> Outcome:
        """How a call ended, from its tree; a call that nobody answered may be called so or so."""
        node = self.unique_ids[unique_id][0]
        if node.kind != "call":
            return Outcome.NONE
        if not node.is_answered:
            return Outcome.UNANSWERED
        if node.is_late:
            return Outcome.TIMED_OUT
        return Outcome.FAILED if node.answer == "failure" else Outcome.OK

    def flags(self, unique_id: str) -> Flag:
        """What is remarkable about it, from its tree."""
        node = self.unique_ids[unique_id][0]
        found = Flag(0)
        if node.is_answered and node.is_late:
            found |= Flag.LATE_REPLY
        if node.kind in ("call", "cast") and node.redelivered and node.is_taken:
            found |= Flag.REDELIVERED
        if node.again:
            found |= Flag.REPUBLISHED
        if node.kind == "fanout" and not node.consumers:
            found |= Flag.UNROUTABLE
        if node.kind in ("call", "cast") and not node.routed:
            found |= Flag.UNROUTABLE
        return found


def play(trees: Sequence[Node]) -> Played:
    """Each tree under a request id of its own, started by an API."""
    bus = Bus(step_ns=50_000)
    api = bus.service("gunicorn", sends=3)
    services = [bus.service(f"svc-{n}", f"topic{n}", f"host-{n}", sends=3) for n in range(SERVICES)]
    agents = [bus.service("agent", "agents", f"agent-{n}") for n in range(20)]
    played = Played(bus, {}, {})
    for tree in trees:
        request_id = bus.request_id()
        played.trees[request_id] = tree
        _play(played, tree, api, services, agents, request_id, "")
    return played


def _play(
    played: Played, node: Node, sender: Service, services: list[Service], agents: list[Service], rid: str, parent: str
) -> None:
    bus, to = played.bus, services[node.to]
    if node.kind == "notification":
        rpc = bus.notify(sender, "instance.update", rid)
    elif node.kind == "fanout":
        rpc = bus.fanout(sender, agents[: node.consumers], "agents", "refresh_all", request_id=rid)
    else:
        send = bus.call if node.kind == "call" else bus.cast
        rpc = send(
            sender, to, f"do_{node.kind}", {}, request_id=rid, server=to.host, taken=node.is_taken, routed=node.routed
        )
    played.unique_ids[rpc.unique_id] = (node, parent)
    if node.again:
        queues = [one.fanout_q for one in agents[: node.consumers]] if node.kind == "fanout" else None
        bus.publish(rpc, queues=queues if node.routed else [])
        for one in agents[: node.consumers] if node.kind == "fanout" else []:
            bus.deliver(rpc, one, queue=one.fanout_q)
        if node.kind != "fanout" and node.is_taken:
            bus.deliver(rpc)
    if node.kind in ("call", "cast") and node.is_taken and node.redelivered:
        bus.deliver(rpc, redelivered=True)
    for child in node.handled():
        _play(played, child, to, services, agents, rid, rpc.unique_id)
    if node.kind == "call" and node.is_taken:
        for _ in range(node.heartbeats):
            bus.heartbeat(rpc)
        if node.answer == "late":
            bus.wait(TIMEOUT_S + 1)
        if node.is_answered:
            bus.reply(rpc, failure="Boom" if node.answer == "failure" else "")


# ------------------------------------------------------------------ counting by hand


def by_hand(events: Iterable[Observation]) -> dict[str, Tally]:
    """Per request id what the events hold, by a count that knows nothing of correlation. "": unknown requests."""
    rows = [(one, json.loads(json.loads(one.body)["oslo.message"])) for one in events]
    owner = {
        inner["_msg_id"]: inner["_context_request_id"] for _, inner in rows if "method" in inner and "_msg_id" in inner
    }
    sums: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(TALLY, 0))
    for seen, inner in rows:
        is_reply = "ending" in inner
        row = sums[owner.get(inner["_msg_id"], "") if is_reply else inner["_context_request_id"]]
        if seen.routing_key.startswith("deliver."):
            row["copies"] += 1
            continue
        row["bytes"] += seen.size
        row[_column(inner, seen)] += 1
    return {request_id: Tally(**row) for request_id, row in sums.items()}


def _column(inner: dict[str, Any], seen: Observation) -> str:
    if "ending" in inner:
        return "replies" if inner["ending"] else "heartbeats"
    if "event_type" in inner:
        return "notifications"
    if "_msg_id" in inner:
        return "calls"
    return "fanouts" if seen.headers["exchange_name"].endswith("_fanout") else "casts"


# ------------------------------------------------------------------ what may happen on the way


def shuffled(events: Sequence[Observation], window: int, random: Any) -> list[Observation]:
    """Each window of events in any order; their times travel with them."""
    found: list[Observation] = []
    for start in range(0, len(events), window):
        part = list(events[start : start + window])
        random.shuffle(part)
        found += part
    return found


def redelivered(events: Iterable[Observation]) -> list[Observation]:
    """Events as a broker gives them that got no acknowledgement for them."""
    return [replace(one, redelivered=True) for one in events]


def with_repeats(events: Sequence[Observation], repeated: Iterable[int], random: Any) -> list[Observation]:
    """Some events a second time, anywhere later, as a broker gives them that got no acknowledgement."""
    found = list(events)
    for index in sorted(repeated, reverse=True):
        copy = replace(events[index], redelivered=True, at_ns=events[-1].at_ns)
        found.insert(random.randint(index + 1, len(found)), copy)
    return found


def pieces(events: Sequence[Observation], cuts: Iterable[int]) -> Iterator[list[Observation]]:
    """The events cut at some places."""
    marks = sorted({min(cut, len(events)) for cut in cuts} | {0, len(events)})
    for start, end in itertools.pairwise(marks):
        yield list(events[start:end])
