"""Who is who on the bus: connections become processes.

A process has several connections. They are known to be one process by the management API
(connection_name = program:pid:uuid, with the peer's address), by the reply queue that one connection
names and another consumes, and by a reply that one connection publishes to a request that another
was given. The host and the role come from the queues that it consumes (`compute.<host>`). A process that
tells of itself is the one that was seen at work on what it tells of.
"""

from __future__ import annotations

from collections import deque

from rpcscope import safe
from rpcscope.clients import client_of
from rpcscope.correlate.calls import CallState
from rpcscope.correlate.ids import Ids
from rpcscope.model import Connection, Inside, Process, Topology

MAX_CONNECTIONS = 500_000
MAX_OTHERS = 64
PRIORITIES = ("audit", "debug", "info", "warn", "error", "critical", "sample")
"""Of notifications: their queues are called `<topic>.<priority>`. Source: oslo_messaging/notify/notifier.py."""


class ProcessState:
    """Mutable twin of `model.Process`, with what its handlers have in hand."""

    __slots__ = (
        "gone_ns", "hands", "host", "id", "key", "last_leader", "merged", "orphans", "others", "past", "peer", "pid",
        "program", "role", "seen_ns", "told_host", "touched", "waits",
    )  # fmt: skip

    def __init__(self, id: int, key: str) -> None:
        self.id = id
        self.key = key
        self.program = self.peer = self.host = self.role = ""
        self.told_host = ""  # as it calls its host itself; queues may have another name for it
        self.pid = 0
        self.seen_ns = 0
        self.gone_ns: int | None = None
        self.merged: ProcessState | None = None  # into which one it went
        self.others: list[ProcessState] = []  # what went into it, the last of them
        self.touched = True
        self.hands: dict[str, list[CallState]] = {}  # request or trace id -> requests being handled, oldest first
        self.orphans: deque[CallState] = deque(maxlen=64)  # the last RPCs whose cause was not seen
        self.past: deque[CallState] = deque(maxlen=64)  # the last requests that it has answered
        self.waits = False  # it has a reply queue
        self.last_leader: dict[str, CallState] = {}  # Rules.follows: leader -> its last call here

    def root(self) -> ProcessState:
        """Itself, or what it was merged into."""
        state = self
        while state.merged is not None:
            state = state.merged
        return state

    def record(self) -> Process:
        """The process as it is to be stored."""
        now = self.root()
        return Process(
            id=self.id, key=now.key, program=now.program, pid=now.pid, peer=now.peer, host=now.host or now.told_host,
            role=now.role,
            seen_ns=now.seen_ns, gone_ns=now.gone_ns,
        )  # fmt: skip


class Identity:
    """The processes of one recording."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._by_connection: dict[str, ProcessState] = {}
        self._by_key: dict[str, ProcessState] = {}
        self._by_reply_queue: dict[str, ProcessState] = {}
        self._queues: set[tuple[str, str]] = set()
        self._known: dict[str, str] = {}  # connection -> the key a snapshot gave it
        self.touched: dict[int, ProcessState] = {}
        self.found: list[tuple[CallState, ProcessState]] = []  # RPCs whose publisher has become known, and who it is

    def restore(self, process: Process) -> ProcessState:
        """A process that an earlier run of the recorder knew."""
        table = self._by_key if process.program else self._by_connection
        if process.key in table:
            return table[process.key]
        state = ProcessState(process.id, process.key)
        state.program, state.pid, state.peer = process.program, process.pid, process.peer
        state.host, state.role, state.seen_ns, state.gone_ns = (
            process.host,
            process.role,
            process.seen_ns,
            process.gone_ns,
        )
        table[process.key] = state
        return state

    def of(self, connection: str) -> ProcessState:
        """The process of a connection."""
        state = self._by_connection.get(connection)
        if state is None:
            if len(self._by_connection) >= MAX_CONNECTIONS:
                self._forget()
            state = ProcessState(self._ids.take(), connection)
            self._by_connection[connection] = state
            self._touch(state)
        elif state.merged is not None:
            state = self._by_connection[connection] = state.root()
        return state

    def seen(self, state: ProcessState, at_ns: int) -> None:
        """It published or consumed something."""
        if at_ns > state.seen_ns:
            state.seen_ns = at_ns
        if state.gone_ns is not None and at_ns > state.gone_ns:
            state.gone_ns = None
            self._touch(state)

    def consumes(self, connection: str, queue: str) -> None:
        """A connection was given a message from a queue, or a snapshot says that it consumes it."""
        if (connection, queue) in self._queues:
            return
        if len(self._queues) >= MAX_CONNECTIONS:
            self._queues.clear()
        self._queues.add((connection, queue))
        state = self.of(connection)
        if queue.startswith("reply_"):
            self.waits_at(connection, queue)
        elif "_fanout" not in queue:
            topic, _, server = queue.partition(".")
            if not queue.startswith("neutron-vo-") and server not in PRIORITIES:
                state.host = state.host or server
            state.role = state.role or topic
            self._touch(state)

    def waits_at(self, connection: str, reply_queue: str) -> None:
        """The process of a connection owns a reply queue."""
        owner = self._by_reply_queue.get(reply_queue)
        state = self.of(connection)
        state.waits = True
        if owner is None:
            if len(self._by_reply_queue) >= MAX_CONNECTIONS:
                self._by_reply_queue.clear()
            self._by_reply_queue[reply_queue] = state
        elif owner is not state:
            self.same(owner, state)

    def same(self, one: ProcessState, other: ProcessState) -> None:
        """Two states are one process, unless snapshots say that they are not."""
        one, other = one.root(), other.root()
        if one is other or (one.program and other.program):
            return
        self._merge(*((other, one) if other.program else (one, other)))

    def inside(self, told: Inside) -> ProcessState:
        """The process that tells of itself; one that the bus shows is found to be the same by `twin`."""
        key = f"{told.host}:{told.program}:{told.pid or told.instance or 0}"
        state = self._by_key.get(key)
        if state is None:
            if len(self._by_key) >= MAX_CONNECTIONS:
                self._forget_processes()
            state = self._by_key[key] = ProcessState(self._ids.take(), key)
            state.program, state.pid, state.told_host = told.program, told.pid, told.host
            self._touch(state)
        elif state.merged is not None:
            state = self._by_key[key] = state.root()
        return state

    def twin(self, seen: ProcessState, told: ProcessState) -> None:
        """One that the bus showed at work on a call, and one that told that it was at work on it.

        Who says no process id is believed: it may call its program as it likes.
        """
        seen, told = seen.root(), told.root()
        if seen is told or (seen.program and told.pid and (seen.program, seen.pid) != (told.program, told.pid)):
            return
        self._merge(seen if seen.program else told, told if seen.program else seen)

    def _merge(self, keep: ProcessState, drop: ProcessState) -> None:
        keep.host, keep.role = keep.host or drop.host, keep.role or drop.role
        keep.told_host = keep.told_host or drop.told_host
        keep.seen_ns = max(keep.seen_ns, drop.seen_ns)
        for request_id, hands in drop.hands.items():
            both = keep.hands.setdefault(request_id, [])
            both.extend(hands)
            both.sort(key=lambda hand: hand.delivered_ns or 0)
        keep.last_leader |= drop.last_leader
        drop.merged = keep
        drop.hands = {}
        keep.past.extend(drop.past)
        keep.waits = keep.waits or drop.waits
        self.found.extend((orphan, keep) for state in (keep, drop) for orphan in state.orphans)
        keep.orphans.extend(drop.orphans)
        keep.others = [*keep.others, *drop.others, drop][-MAX_OTHERS:]
        drop.others = []
        for state in (keep, *keep.others):  # calls are stored with the numbers of all of them
            self._touch(state)

    def learn(self, topology: Topology) -> None:
        """Take a snapshot: who is behind each connection, who consumes what, who is gone."""
        for connection in topology.connections:
            self._learn_connection(connection)
        for consumer in topology.consumers:
            if consumer.connection:
                self.consumes(safe.peer(consumer.connection), safe.name(consumer.queue))
        if topology.complete and topology.connections:
            self._mark_gone(topology)

    def _learn_connection(self, connection: Connection) -> None:
        client = client_of(connection)
        if client is None:
            return
        name, key = safe.peer(connection.name), client.key
        if self._known.get(name) == key:
            return
        state = self._by_key.get(key)
        if state is None:
            state = ProcessState(self._ids.take(), key)
            state.program, state.pid, state.peer = client.program, client.pid, client.peer
            if len(self._by_key) >= MAX_CONNECTIONS:
                self._forget_processes()
            self._by_key[key] = state
            self._touch(state)
        if name in self._known:  # the port number has a new owner
            self._by_connection.pop(name, None)
            self._queues = {(owner, queue) for owner, queue in self._queues if owner != name}
        self._known[name] = key
        if name in self._by_connection:
            known = self.of(name)
            if known.program and not known.peer:  # until now it was known by what it told of itself
                self.twin(state, known)
            else:
                self.same(state, known)
        self._by_connection[name] = state

    def _mark_gone(self, topology: Topology) -> None:
        alive = {self.of(safe.peer(c.name)).root().id for c in topology.connections}
        for state in self._by_key.values():
            if state.merged is not None or not state.peer:  # who is known by what it told may be on no connection
                continue
            if state.seen_ns and state.gone_ns is None and state.id not in alive:
                state.gone_ns = topology.at_ns or state.seen_ns
                self._touch(state)

    def _touch(self, state: ProcessState) -> None:
        self.touched[state.id] = state

    def _forget(self) -> None:
        """Drop the older half of the connections; their processes stay in the store."""
        for name in list(self._by_connection)[: MAX_CONNECTIONS // 2]:
            del self._by_connection[name]
            self._known.pop(name, None)
        self._by_reply_queue.clear()

    def _forget_processes(self) -> None:
        """Drop those that are gone, else the older half; what is stored of them stays."""
        self._by_key = {key: state for key, state in self._by_key.items() if state.gone_ns is None}
        for key in list(self._by_key)[: max(0, len(self._by_key) - MAX_CONNECTIONS // 2)]:
            del self._by_key[key]
