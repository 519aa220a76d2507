"""An emulated service process as the bus sees it: its connections, its reply queue, its threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rpcscope.emulator.executor import Executor
from rpcscope.emulator.handling import Handling
from rpcscope.emulator.rpc import GONE, Rpc
from rpcscope.emulator.send_pool import Outgoing, SendPool

if TYPE_CHECKING:
    from rpcscope.amqp import Connection
    from rpcscope.emulator.level import Level
    from rpcscope.emulator.plug import Plug
    from rpcscope.emulator.score import Node
    from rpcscope.emulator.stage import Stage


class Process:
    """One process. `plug` opens its connections."""

    __slots__ = (
        "_unsent", "connections", "executor", "gone", "guests", "host", "host_slot", "listening", "pending", "plug",
        "pool", "program", "reply_q", "role", "source", "stage", "started_as", "topics",
    )  # fmt: skip

    def __init__(self, stage: Stage, plug: Plug, role: str, program: str, host: str, topics: tuple[str, ...]) -> None:
        """`program` is how its connections are named: nova-compute:<pid>; `topics` that it serves on `host`."""
        self.stage, self.plug, self.role, self.program, self.host, self.topics = (
            stage, plug, role, program, host, topics
        )  # fmt: skip
        control = stage.manner.control
        self.executor = Executor(control.pool)
        self.pool = SendPool(stage.loop, plug.send_limit, self._grow, stage.fail)
        self.pending: dict[bytes, Rpc] = {}  # by message id: calls that wait for their reply
        self.reply_q = b""
        self.source: str | None = None  # local address that its connections come from
        self.host_slot = stage.manner.slots.host(host)
        self.started_as = f"req-{stage.ids.uuid()}".encode()
        self.connections: list[Connection] = []
        self.listening: list[tuple[Connection, str]] = []  # with the fanout queue of each
        self.gone = False
        self._unsent: list[tuple[Level, Node, int]] | None = None  # calls before there is a reply queue

    def send(self, level: Level, node: Node, position: int) -> None:
        """Publish a step of a level, which is told of its end."""
        if self.gone:
            level.child_over(position, GONE)
            return
        if node.is_call and not self.reply_q:
            self._first_call(level, node, position)
            return
        stage, play = self.stage, level.play
        host = play.hosts[node.step.host] if node.step.host else ""
        rpc = Rpc(play, level, node, position, self, host)
        rpc.unique_id = stage.ids.take()
        if node.is_call:
            rpc.msg_id, rpc.reply_q = stage.ids.take(), self.reply_q
            rpc.sent_s = rpc.heard_s = stage.loop.time()
            self.pending[rpc.msg_id] = rpc
            stage.deadlines.watch(rpc, node.monitor_s or node.timeout_s)
        self._expect(rpc)
        values = play.values(rpc.unique_id, rpc.msg_id, self, node.step.stale)
        routing_key = f"{node.topic}.{host}" if host else "" if node.is_fanout else node.topic
        frames = node.request(stage.rng).sent_with(stage.method(node.exchange, routing_key), values)
        stage.tally.sent[node.method] += 1
        self.pool.publish(frames, rpc)

    def publish(self, frames: bytes | bytearray, outgoing: Outgoing) -> None:
        """Publish what is no step: a reply."""
        if not self.gone:
            self.pool.publish(frames, outgoing)

    def take(self, rpc: Rpc) -> None:
        """A message of ours was delivered here."""
        on_the_way = self.stage.on_the_way
        rpc.left -= 1
        if rpc.left <= 0:
            on_the_way.pop(rpc.unique_id, None)
        echo = rpc.taken
        counted = rpc.expected and not echo
        rpc.taken = True
        if counted:
            rpc.expected = False
        self.executor.submit(Handling(self, rpc, echo=echo, counted=counted))

    def die(self) -> None:
        """As when power fails: sockets drop, what it had in hand is lost."""
        self.gone = True
        for connection in self.connections:
            connection.abort()
        for work in self.executor.drop():
            if isinstance(work, Handling):
                work.drop()
        held, unsent = self.pool.drop()
        orphans = [one for one in (*held, *unsent) if isinstance(one, Rpc) and not one.node.is_call]
        for rpc in (*self.pending.values(), *orphans):
            rpc.is_waiting = False
            rpc.level.child_over(rpc.position, GONE)  # of a timer of its own; who had a thread here is dead
        for rpc in {one for one in (*self.pending.values(), *held) if isinstance(one, Rpc) and one.expected}:
            # It may have gone with its socket; if not, the broker keeps it no longer than its caller would have waited.
            self.stage.loop.call_later(rpc.node.timeout_s, rpc.give_up)
        for one in unsent:
            if isinstance(one, Rpc) and self.stage.on_the_way.pop(one.unique_id, None) is not None:
                one.lose()
        self.pending.clear()
        for level, _, position in self._unsent or ():
            level.child_over(position, GONE)
        self._unsent = None

    def _expect(self, rpc: Rpc) -> None:
        """Note that ours will get it. A message to a dead host's queue stays there: nobody waits for it."""
        stage, node = self.stage, rpc.node
        rpc.left = stage.listeners(node.topic, "" if node.is_fanout else rpc.host)
        if rpc.left:
            if not node.is_fanout:
                rpc.left = 1
            stage.on_the_way[rpc.unique_id] = rpc
            rpc.expected = True
            rpc.play.enter()
        elif rpc.host and node.topic in stage.servers and not node.is_call:
            stage.tally.lost += 1
            rpc.play.failure = rpc.play.failure or GONE

    def _first_call(self, level: Level, node: Node, position: int) -> None:
        if self._unsent is None:
            self._unsent = []
            self.stage.spawn(self._open_replies())
        self._unsent.append((level, node, position))

    async def _open_replies(self) -> None:
        self.reply_q = await self.plug.open_replies(self)
        unsent, self._unsent = self._unsent or [], None
        for level, node, position in unsent:
            if not level.dead:
                self.send(level, node, position)

    def _grow(self, pool: SendPool) -> None:
        self.stage.spawn(self._open_send(pool))

    async def _open_send(self, pool: SendPool) -> None:
        connection = await self.plug.open_send(self)
        if not self.gone:
            pool.add(connection)
