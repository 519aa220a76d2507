"""Plays scenes with real oslo.messaging services on a broker that is there for nothing else.

with PrivateBroker() as broker, Player(broker.transport_url()) as player:
    played = player.play(scene)
"""

from __future__ import annotations

import itertools
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import pika
import pika.exceptions

from rpcscope.demo.control import Begin, Casting, Forget, Handled, Ready, Rehearse, Rehearsed, Report, Returned, Setup
from rpcscope.demo.scenes import DEST, SOURCE, Scene, walk
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
        self._heard = threading.Condition()
        self._reports: Counter[object] = Counter()
        self._problems: dict[int, str] = {}
        self._gone: list[str] = []
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()

    def __enter__(self) -> Self:
        """Start all services, and return when they consume. Raises BrokerError when they do not come up."""
        try:
            for program, role, host, topics, first in self._roles():
                setup = Setup(self._url, role, host, topics, first)
                self._members.append(Member(program, setup, self._hear, self._log))
            self._wait({Ready(): len(self._members)}, _START_S, "did not start")
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
        script = Script(scene, self._cast(scene, instances, source, dest, speed))
        self._check(script)
        number, started = next(self._numbers), time.time_ns()
        patience = script.recorded_s + _SPARE_S if timeout_s is None else timeout_s
        try:
            self._tell_all(Rehearse(number, scene, script.casting))
            self._wait({Rehearsed(number): len(self._members)}, _START_S, "did not learn the scene")
            for root in script.roots:
                script.wait(script.steps[root].delay_ns)
                self._sender(script, root).tell(Begin(number, root))
            self._wait(self._expected(script, number), patience, "did not play the scene to its end", number)
        finally:
            self._forget(number, len(script.steps))
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

    def _cast(self, scene: Scene, instances: Sequence[str], source: str, dest: str, speed: float) -> Casting:
        wanted = len(scene.instances)
        if instances and len(instances) != wanted:
            raise UsageError(f"This scene is about {wanted} servers: give as many instances, or none for new ones.")
        if speed <= 0:
            raise UsageError("Give a speed above 0: 1 is as recorded, 10 is ten times faster.")
        return Casting(
            request_id=f"req-{uuid.uuid4()}",
            instances=tuple(instances) or tuple(str(uuid.uuid4()) for _ in range(wanted)),
            hosts=self._places(scene, source, dest),
            speed=speed,
        )

    def _places(self, scene: Scene, source: str, dest: str) -> dict[str, str]:
        """A host here for each of the recording; source and dest first, others in turn."""
        named = {host for step in walk(scene.roots) for host in (step.host_from, step.host_to) if host}
        # The source of an evacuation is down and gets nothing, but its server's record names it.
        named |= {place for place, host in ((SOURCE, scene.source), (DEST, scene.dest)) if host}
        given = {SOURCE: source, DEST: dest}
        if unknown := sorted({source, dest} - {"", *self.hosts}):
            raise UsageError(f"There is no host {unknown[0]}: choose among {', '.join(self.hosts)}.")
        places = {place: host for place, host in given.items() if host and place in named}
        free = itertools.cycle([host for host in self.hosts if host not in places.values()] or self.hosts)
        for place in sorted(named - places.keys(), key=lambda host: (host != SOURCE, host != DEST, host)):
            places[place] = next(free)
        return places

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

    def _hear(self, member: Member, report: Report | None) -> None:
        with self._heard:
            if report is None:
                self._gone.append(member.name)
            elif isinstance(report, Returned) and report.problem:
                self._problems[report.play] = report.problem
            else:
                self._reports[report] += 1
            self._heard.notify_all()

    def _wait(self, expected: dict[Report, int], patience: float, fault: str, play: int = 0) -> None:
        def over() -> bool:
            return bool(self._gone or play in self._problems or self._missing(expected) == 0)

        with self._heard:
            self._heard.wait_for(over, patience)
            if play in self._problems:
                raise BrokerError(
                    f"The services {fault} ({self._problems[play]}): look at the broker's log and try again."
                )
            if self._gone:
                raise BrokerError(f"{self._gone[0]} ended too early: look at the broker's log and start again.")
            if missing := self._missing(expected):
                raise BrokerError(
                    f"The services {fault} within {patience:.0f} s ({missing} reports are missing):"
                    " check that the broker runs and the machine has room, and try again."
                )

    def _missing(self, expected: dict[Report, int]) -> int:
        return sum(max(0, count - self._reports[report]) for report, count in expected.items())

    def _forget(self, number: int, steps: int) -> None:
        self._tell_all(Forget(number))
        with self._heard:
            self._problems.pop(number, None)
            self._reports.pop(Rehearsed(number), None)
            for n in range(steps):
                self._reports.pop(Handled(number, n), None)
                self._reports.pop(Returned(number, n), None)

    def _wait_for_consumers(self) -> None:
        """Queues are declared before they are consumed; only a consumer shows whose queue it is."""
        wanted: Counter[str] = Counter()
        for member in self._members:
            for topic in member.topics:
                wanted.update([topic, f"{topic}.{member.host}"])
        parameters = pika.URLParameters(self._url.replace("rabbit://", "amqp://", 1))
        until = time.monotonic() + _START_S
        try:
            with pika.BlockingConnection(parameters) as connection:
                channel = connection.channel()
                for queue, count in wanted.items():
                    while channel.queue_declare(queue, passive=True).method.consumer_count < count:
                        if time.monotonic() > until:
                            raise BrokerError(
                                f"Nobody consumes the queue {queue}: look at the broker's log and start again."
                            )
                        time.sleep(0.05)
        except pika.exceptions.AMQPError as error:
            raise BrokerError("The broker refused a connection: check that it runs and takes the URL.") from error
