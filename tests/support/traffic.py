"""Known numbers of oslo.messaging-shaped messages on a real broker: calls with replies, and casts, all consumed."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pika

from tests.support.rabbitmq import Cloud
from tests.support.wire import enveloped

QUEUES = ("conductor", "compute.host-1")
GIVE_UP_S = 60.0


@dataclass
class Traffic:
    """Operations of three messages: a call to the conductor, its reply, a cast to a compute."""

    cloud: Cloud
    rate: float = 120.0  # operations a second
    secret: str = ""  # put where no tap may keep it
    queues: tuple[str, str] = QUEUES  # of the calls and of the casts; traffic beside other traffic has its own
    request_ids: list[str] = field(default_factory=list)
    began_ns: dict[str, int] = field(default_factory=dict)  # by request id, before its first message
    copies: int = 0
    _over: bool = False
    _failure: list[BaseException] = field(default_factory=list)

    def play(self, operations: int) -> None:
        """So many operations, then wait until each message was consumed."""
        with closing(self.cloud.connect("nova-api:7:test")) as connection:
            channel = self._prepare(connection)
            for _ in range(operations):
                self._operation(channel)
                connection.process_data_events(0)
            self._settle(connection)

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Operations in the background, as many as come; all are consumed at the end."""
        thread = threading.Thread(target=self._flow)
        thread.start()
        try:
            yield
        finally:
            self._over = True
            thread.join()
        if self._failure:
            raise self._failure[0]

    def _flow(self) -> None:
        try:
            with closing(self.cloud.connect("nova-api:7:test")) as connection:
                channel = self._prepare(connection)
                began, sent = time.monotonic(), 0
                while not self._over:
                    while sent < (time.monotonic() - began) * self.rate:
                        self._operation(channel)
                        sent += 1
                    connection.process_data_events(0.01)
                self._settle(connection)
        except BaseException as error:
            self._failure.append(error)

    def _prepare(self, connection: Any) -> Any:
        channel = connection.channel()
        channel.exchange_declare("nova", "topic")
        self._reply_q = f"reply_{uuid.uuid4().hex}"
        for queue in (*self.queues, self._reply_q):
            channel.queue_declare(queue, auto_delete=queue == self._reply_q)
            channel.basic_consume(queue, self._count, auto_ack=True)
        for queue in self.queues:
            channel.queue_bind(queue, "nova", queue)
        return channel

    def _count(self, *_: Any) -> None:
        self.copies += 1

    def _operation(self, channel: Any) -> None:
        request_id = f"req-{uuid.uuid4()}"
        self.began_ns[request_id] = time.time_ns()
        context = {"_context_request_id": request_id, "_context_auth_token": self.secret}
        msg_id = uuid.uuid4().hex
        request = {"method": "select_destinations", "args": {"note": self.secret}, "_msg_id": msg_id,
                   "_reply_q": self._reply_q, "_timeout": None, "version": "4.5"}  # fmt: skip
        to_call, to_cast = self.queues
        timeout = pika.BasicProperties(expiration="60000")
        self._publish(channel, "nova", to_call, {**context, **request}, timeout)
        reply = {"result": self.secret, "failure": None, "ending": True, "_msg_id": msg_id}
        self._publish(channel, "", self._reply_q, reply)
        cast = {"method": "build_and_run_instance", "args": {}, "version": "6.2"}
        self._publish(channel, "nova", to_cast, {**context, **cast})
        self.request_ids.append(request_id)

    def _publish(self, channel: Any, exchange: str, key: str, inner: dict[str, Any], properties: Any = None) -> None:
        channel.basic_publish(exchange, key, enveloped({**inner, "_unique_id": uuid.uuid4().hex}), properties)

    def _settle(self, connection: Any) -> None:
        deadline = time.monotonic() + GIVE_UP_S
        while self.copies < 3 * len(self.request_ids):
            assert time.monotonic() < deadline, "the broker did not deliver everything"
            connection.process_data_events(0.05)
