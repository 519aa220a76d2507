"""Keyed pseudonyms for hosts, addresses, projects, servers and brokers.

The same key gives the same pseudonym in every file; without the key it can not be taken back. Request
ids, message ids, methods, topics, programs and process ids stay: they say what happened, not where.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b

from rpcscope.model import Connection, Consumer, Inside, Message, Notice, Topology

_LEVELS = frozenset({"audit", "critical", "debug", "error", "info", "sample", "warn"})
_OBJECT_TOPIC = re.compile(r"(neutron-vo-[A-Za-z]{1,40}-[0-9]+\.[0-9]+)(?:\.(.+))?")
_FANOUT_HEX = re.compile(r"[0-9a-f]{32}")


class Pseudonyms:
    """Names instead of names. `key` is at least 16 secret bytes."""

    def __init__(self, key: bytes) -> None:
        """Any length of key is folded to what blake2b takes."""
        self._key = blake2b(key, digest_size=32).digest()
        self._hex: Callable[[str, str], str] = lru_cache(65536)(self._made)

    def _made(self, kind: str, text: str) -> str:
        """32 hex digits for a text of a kind."""
        return blake2b(f"{kind}\0{text}".encode("utf-8", "replace"), key=self._key, digest_size=16).hexdigest()

    def host(self, name: str) -> str:
        """A host, or cinder's `host@backend`, of which both parts are replaced."""
        host, at, backend = name.partition("@")
        made = f"compute-{self._hex('host', host)[:10]}" if host else ""
        return f"{made}@backend-{self._hex('backend', backend)[:10]}" if at else made

    def node(self, name: str) -> str:
        """A broker node, `rabbit@<host>`."""
        if not name:
            return ""
        return f"rabbit@{self.host(name.rpartition('@')[2])}"

    def vhost(self, name: str) -> str:
        """A virtual host."""
        return f"vhost-{self._hex('vhost', name)[:10]}" if name else ""

    def address(self, text: str) -> str:
        """An IP address becomes one of 10.0.0.0/8; two of them may meet. Anything else is taken for a host."""
        if not text:
            return ""
        try:
            known = str(ipaddress.ip_address(text.strip("[]")))
        except ValueError:
            return self.host(text)
        one, two, three = bytes.fromhex(self._hex("address", known)[:6])
        return f"10.{one}.{two}.{three}"

    def peer(self, connection: str) -> str:
        """Both ends of `ip:port -> ip:port`; ports stay."""
        ends = connection.split(" -> ")
        if len(ends) != 2:
            return self.word(connection)
        return " -> ".join(f"{self.address(ip)}:{port}" for ip, _, port in (end.rpartition(":") for end in ends))

    def word(self, text: str) -> str:
        """A digest gets another one, since its own could be found by trying; other words stay."""
        return f"~{self._hex('word', text)[:8]}" if text.startswith("~") else text

    def project(self, project: str) -> str:
        """A project id of the same form, with dashes or without."""
        if not project:
            return ""
        made = self._hex("project", project.replace("-", ""))
        return _dashed(made) if "-" in project else made

    def instance(self, uuid: str) -> str:
        """A server's uuid becomes another uuid."""
        return _dashed(self._hex("instance", uuid)) if uuid else ""

    def server(self, name: str) -> str:
        """The part of a routing key behind the topic: a host, or a notification's level, which stays."""
        return name if name in _LEVELS else self.host(name)

    def queue(self, name: str) -> str:
        """A queue or routing key: the topic stays, the host behind it is replaced.

        `compute.HOST`, `neutron-vo-Port-1.5.HOST`, and oslo.messaging's queue manager's
        `reply_HOST:PROGRAM:N`, `compute_fanout_HOST:PROGRAM:N`.
        """
        if managed := self._managed(name):
            return managed
        if known := _OBJECT_TOPIC.fullmatch(name):
            return f"{known[1]}.{self.server(known[2])}" if known[2] else name
        topic, dot, server = name.partition(".")
        return f"{self.word(topic)}{dot}{self.server(server)}"

    def exchange(self, name: str) -> str:
        """An exchange; the one of a fanout holds its topic, and cinder's topics hold a host."""
        topic, fanout, rest = name.partition("_fanout")
        return name if rest else f"{self.queue(topic)}{fanout}"

    def _managed(self, name: str) -> str:
        for mark in ("_fanout_", "reply_"):
            head, found, rest = name.partition(mark)
            if found and (mark != "reply_" or not head):
                host, colon, process = rest.partition(":")
                if colon or not _FANOUT_HEX.fullmatch(host):
                    host = self.host(host)
                return f"{self.queue(head)}{mark}{host}{colon}{process}"
        return ""

    def message(self, seen: Message) -> Message:
        """A message with all its names replaced."""
        return replace(
            seen,
            connection=self.peer(seen.connection),
            exchange=self.exchange(seen.exchange),
            topic=self.queue(seen.topic),
            server=self.server(seen.server),
            queue=self.queue(seen.queue),
            method=_each_digest(seen.method, self.word),
            namespace=self.word(seen.namespace),
            version=self.word(seen.version),
            reply_q=self.queue(seen.reply_q),
            request_id=self.word(seen.request_id),
            global_request_id=self.word(seen.global_request_id),
            project_id=self.project(seen.project_id),
            instances=tuple(map(self.instance, seen.instances)),
            instance_host=self.host(seen.instance_host),
            failure=self.word(seen.failure),
            notice=self._notice(seen.notice) if seen.notice is not None else None,
            progress=replace(seen.progress, migration=self.instance(seen.progress.migration))
            if seen.progress is not None
            else None,
        )

    def _notice(self, told: Notice) -> Notice:
        program, at, host = told.publisher.partition(":")
        return replace(told, host=self.host(told.host), publisher=f"{self.word(program)}{at}{self.host(host)}")

    def inside(self, told: Inside) -> Inside:
        """What a process told, with all its names replaced; program, process id and times stay."""
        return replace(
            told,
            host=self.host(told.host),
            exchange=self.exchange(told.exchange),
            topic=self.queue(told.topic),
            server=self.server(told.server),
            method=_each_digest(told.method, self.word),
            namespace=self.word(told.namespace),
            version=self.word(told.version),
            request_id=self.word(told.request_id),
            global_request_id=self.word(told.global_request_id),
            instances=tuple(map(self.instance, told.instances)),
            failure=self.word(told.failure),
        )

    def topology(self, seen: Topology) -> Topology:
        """A snapshot with all its names replaced."""
        return Topology(
            at_ns=seen.at_ns,
            connections=tuple(map(self._connection, seen.connections)),
            consumers=tuple(
                Consumer(connection=self.peer(c.connection), queue=self.queue(c.queue)) for c in seen.consumers
            ),
            complete=seen.complete,
        )

    def _connection(self, seen: Connection) -> Connection:
        return Connection(
            name=self.peer(seen.name),
            client_name=seen.client_name,
            peer_host=self.address(seen.peer_host),
            node=self.node(seen.node),
        )


def _dashed(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _each_digest(text: str, word: Callable[[str], str]) -> str:
    """A method may hold digests in its brackets."""
    return re.sub(r"~[0-9a-f]{8}", lambda found: word(found[0]), text)
