"""Plays scenes with real oslo.messaging services on a broker that is there for nothing else.

with PrivateBroker() as broker, Player(broker.transport_url()) as player:
    played = player.play(scene)
"""

from __future__ import annotations

import contextlib
import itertools
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import pika
import pika.exceptions
from pika.adapters.blocking_connection import BlockingChannel

from rpcscope.demo.casting import cast
from rpcscope.demo.control import Begin, Forget, Handled, Ready, Rehearse, Rehearsed, Report, Returned, Setup
from rpcscope.demo.ledger import Ledger
from rpcscope.demo.scenes import DEST, SOURCE, Scene
from rpcscope.demo.script import Script
from rpcscope.demo.troupe import Member
from rpcscope.errors import BrokerError, UsageError
from rpcscope.model import MessageKind

CONTROLLER = "controller"
_START_S = 90.0
_SPARE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One scene, played."""

    kind: str
    request_id: str
    instances: tuple[str, ...]
    source: str  # host that played the recording's source; "" when it has none
    dest: str
    steps: int  # RPCs sent
    started_ns: int
    ended_ns: int


class Player:
    """The services of a small cloud, each a process: an API, conductors, schedulers and computes.

    A context manager; `play` may be called from several threads at once. `hosts` are its computes.
    """

    def __init__(self, broker_url: str, computes: int = 3, conductors: int = 2, schedulers: int = 2) -> None:
        """`broker_url` is a transport URL as oslo.messaging reads it; the numbers are of processes."""
        self.hosts = tuple(f"compute-{n}" for n in range(1, computes + 1))
        self._url = broker_url
        self._sizes = {"conductor": conductors, "scheduler": schedulers}
        self._members: list[Member] = []
        self._numbers = itertools.count(1)
        self._ledger = Ledger()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()

    def __enter__(self) -> Self:
        """Start all services, and return when they consume. Raises BrokerError when they do not come up."""
        try:
            with self._channel():
                pass  # a service without a broker would try for ever and say nothing
            for program, role, host, topics, first in self._roles():
                setup = Setup(self._url, role, host, topics, first)
                self._members.append(Member(program, setup, self._ledger.note, self._log))
            self._ledger.wait({Ready(): len(self._members)}, _START_S, "did not start")
            self._wait_for_consumers()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        """End all services."""
        self.close()

    def close(self) -> None:
        """End all services."""
        for member in self._members:
            member.dismiss()
        for member in self._members:
            member.close()
        self._members.clear()
        self._log.close()

    @property
    def processes(self) -> dict[int, str]:
        """By process id: which service it is, such as "nova-compute on compute-1"."""
        return {member.pid: member.name for member in self._members}

    def play(
        self,
        scene: Scene,
        *,
        instances: Sequence[str] = (),
        source: str = "",
        dest: str = "",
        speed: float = 1.0,
        timeout_s: float | None = None,
    ) -> Played:
        """Play a scene to its end, under a new request id.

        `instances` are the servers it is about (new ones when empty; as many as in the scene), `source` and
        `dest` among `hosts` who plays the recorded hosts, `speed` how many times faster than recorded.
        Raises UsageError for a scene that these services can not play, BrokerError when it does not come
        to its end in `timeout_s`.
        """
        script = Script(scene, cast(scene, self.hosts, instances, source, dest, speed))
        self._check(script)
        number, started = next(self._numbers), time.time_ns()
        patience = script.recorded_s + _SPARE_S if timeout_s is None else timeout_s
        try:
            self._tell_all(Rehearse(number, scene, script.casting))
            self._ledger.wait({Rehearsed(number): len(self._members)}, _START_S, "did not learn the scene")
            for root in script.roots:
                script.wait(script.steps[root].delay_ns)
                self._sender(script, root).tell(Begin(number, root))
            self._ledger.wait(self._expected(script, number), patience, "did not play the scene to its end", number)
        finally:
            self._tell_all(Forget(number))
            self._ledger.forget(number)
        hosts = script.casting.hosts
        return Played(
            kind=scene.kind,
            request_id=script.casting.request_id,
            instances=script.casting.instances,
            source=hosts.get(SOURCE, ""),
            dest=hosts.get(DEST, ""),
            steps=len(script.steps),
            started_ns=started,
            ended_ns=time.time_ns(),
        )

    def _roles(self) -> Iterator[tuple[str, str, str, tuple[str, ...], bool]]:
        yield "nova-api", "api", CONTROLLER, (), True
        for role, count in self._sizes.items():
            for n in range(count):
                yield f"nova-{role}", role, CONTROLLER, (role,), n == 0
        for n, host in enumerate(self.hosts):
            yield "nova-compute", "compute", host, ("compute", "compute-alt"), n == 0

    def _check(self, script: Script) -> None:
        served = {topic for member in self._members for topic in member.topics}
        roles = {member.role for member in self._members}
        for step in script.steps:
            if step.topic not in served:
                raise UsageError(f"No service here consumes the topic {step.topic}: play scenes of nova's services.")
        for root in script.roots:
            if script.steps[root].role_from not in roles:
                raise UsageError(f"There is no {script.steps[root].role_from} here: play scenes of nova's services.")

    def _sender(self, script: Script, root: int) -> Member:
        step = script.steps[root]
        host = script.casting.hosts.get(step.host_from)
        able = [member for member in self._members if member.role == step.role_from]
        return next((member for member in able if member.host == host), able[0])

    def _expected(self, script: Script, number: int) -> dict[Report, int]:
        """Every message handled once by each process that gets it, every root returned."""
        expected: dict[Report, int] = {Returned(number, root): 1 for root in script.roots}
        for n, step in enumerate(script.steps):
            everyone = sum(step.topic in member.topics for member in self._members)
            expected[Handled(number, n)] = everyone if step.kind is MessageKind.FANOUT else 1
        return expected

    def _tell_all(self, order: Rehearse | Forget) -> None:
        for member in self._members:
            member.tell(order)

    @contextlib.contextmanager
    def _channel(self) -> Iterator[BlockingChannel]:
        parameters = pika.URLParameters(self._url.replace("rabbit://", "amqp://", 1))
        try:
            with pika.BlockingConnection(parameters) as connection:
                yield connection.channel()
        except pika.exceptions.AMQPError as error:
            raise BrokerError(
                "The broker refuses a connection: check that it runs and knows the vhost and the user."
            ) from error

    def _wait_for_consumers(self) -> None:
        """Queues are declared before they are consumed; only a consumer shows whose queue it is."""
        wanted: Counter[str] = Counter()
        for member in self._members:
            for topic in member.topics:
                wanted.update([topic, f"{topic}.{member.host}"])
        until = time.monotonic() + _START_S
        with self._channel() as channel:
            for queue, count in wanted.items():
                while channel.queue_declare(queue, passive=True).method.consumer_count < count:
                    if time.monotonic() > until:
                        raise BrokerError(
                            f"Nobody consumes the queue {queue}: look at the broker's log and start again."
                        )
                    time.sleep(0.05)
