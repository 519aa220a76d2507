"""What processes would have told of a recorded bus, had each of them had a tap inside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rpcscope.decode import Decoder
from rpcscope.errors import DecodeError
from rpcscope.model import Event, Inside, Marker, Message, MessageKind, Observation, Outcome, Side, Sighting, Topology
from rpcscope.rules import load_rules

MS = 1_000_000
TOLD_KINDS = (MessageKind.REQUEST, MessageKind.CAST, MessageKind.FANOUT, MessageKind.NOTIFICATION)


def told(
    sightings: Iterable[Sighting], *, ahead_ns: Mapping[str, int] | None = None, late_ns: int = 0, pool_ns: int = 0
) -> list[Inside]:
    """One sighting for each message of the bus, but heartbeats.

    Args:
        ahead_ns: how far the clock of a host is ahead of the tap's.
        late_ns: how much later than it happened the tap hears of it.
        pool_ns: how long each request waits for a thread.
    """
    return list(_Tellers(ahead_ns or {}, late_ns, pool_ns).tell(sightings))


class _Tellers:
    def __init__(self, ahead_ns: Mapping[str, int], late_ns: int, pool_ns: int) -> None:
        self._ahead_ns = ahead_ns
        self._pool_ns = pool_ns
        self._late_ns = late_ns
        self._who: dict[str, dict[str, Any]] = {}
        self._requests: dict[str, Message] = {}
        self._failures: dict[str, str] = {}
        self._told: set[tuple[Event, str, str]] = set()

    def tell(self, sightings: Iterable[Sighting]) -> Iterable[Inside]:
        decoder = Decoder(load_rules())
        for seen in sightings:
            if isinstance(seen, Topology):
                self._learn(seen)
            elif isinstance(seen, Observation):
                try:
                    message = decoder.decode(seen)
                except DecodeError:
                    continue
                if not isinstance(message, Marker):
                    yield from self._of(message)

    def _learn(self, topology: Topology) -> None:
        hosts = {c.connection: c.queue.partition(".")[2] for c in topology.consumers if "." in c.queue}
        by_key: dict[str, str] = {}
        for one in topology.connections:
            if host := hosts.get(one.name):
                by_key[one.client_name.rpartition(":")[0] + one.peer_host] = host
        for one in topology.connections:
            program, _, rest = one.client_name.partition(":")
            host = by_key.get(one.client_name.rpartition(":")[0] + one.peer_host, f"host-of-{one.peer_host}")
            pid = rest.partition(":")[0]
            if pid.isdigit():
                self._who[one.name] = {"program": program, "pid": int(pid), "host": host}

    def _of(self, m: Message) -> Iterable[Inside]:
        again = (m.event, m.unique_id, m.connection)
        if again in self._told:
            return
        self._told.add(again)
        if m.kind in TOLD_KINDS:
            if m.msg_id:
                self._requests[m.msg_id] = m
            yield self._request(m)
        elif m.kind is MessageKind.REPLY and m.msg_id in self._requests:
            yield self._reply(m, self._requests[m.msg_id])

    def _request(self, m: Message) -> Inside:
        host = self._host(m)
        said: dict[str, Any] = {"received_ns": host, "started_ns": host + self._pool_ns}
        if m.event is Event.PUBLISH:
            said = {"sent_ns": host - MS // 20, "confirmed_ns": host, "pool_wait_ns": MS // 100}
        topic = m.topic or m.exchange.removesuffix("_fanout")
        return self._inside(
            m,
            Side.CLIENT if m.event is Event.PUBLISH else Side.SERVER,
            kind=m.kind,
            unique_id=m.unique_id,
            msg_id=m.msg_id,
            request_id=m.request_id,
            global_request_id=m.global_request_id,
            method=m.method,
            namespace=m.namespace,
            version=m.version,
            exchange="nova" if m.kind is MessageKind.FANOUT else m.exchange,
            topic=topic,
            server=m.server,
            instances=m.instances,
            facts=m.facts,
            request_bytes=m.size,
            timeout_ms=m.expiration_ms,
            **said,
        )

    def _reply(self, m: Message, request: Message) -> Inside:
        host = self._host(m)
        if m.event is Event.PUBLISH:
            self._failures[m.msg_id] = m.failure
            said: dict[str, Any] = {"ended_ns": host, "replied_ns": host, "reply_bytes": m.size}
        else:
            said = {"taken_ns": host}
        failure = self._failures.get(m.msg_id, "")
        return self._inside(
            m,
            Side.SERVER if m.event is Event.PUBLISH else Side.CLIENT,
            kind=MessageKind.REQUEST,
            unique_id=request.unique_id,
            msg_id=m.msg_id,
            method=request.method,
            outcome=Outcome.FAILED if failure else Outcome.OK,
            failure=failure,
            **said,
        )

    def _inside(self, m: Message, side: Side, **said: Any) -> Inside:
        return Inside(source="driver", side=side, at_ns=m.at_ns + self._late_ns, **self._teller(m), **said)

    def _teller(self, m: Message) -> dict[str, Any]:
        unnamed = {"program": "unnamed", "pid": int(m.connection.partition(" ")[0].rpartition(":")[2] or 0)}
        return self._who.get(m.connection, {**unnamed, "host": "host-unknown"})

    def _host(self, m: Message) -> int:
        return m.at_ns + self._ahead_ns.get(str(self._teller(m)["host"]), 0)
