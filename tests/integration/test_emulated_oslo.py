"""Emulated services and real oslo.messaging talk to each other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from rpcscope.emulator.bus_world import BusWorld
from rpcscope.emulator.tally import Tally
from rpcscope.flows.world import Answer, Asked, Ended
from rpcscope.private_broker import PrivateBroker
from rpcscope.templates.model import Sizes, Template
from tests.support.emulated import INSTANCE, always, call, cast, own_vhost, size, template, world_of
from tests.support.openstack import cfg, oslo_messaging

pytestmark = pytest.mark.server

SERVED = template(
    "served",
    call("ping", namespace="baseapi", reply=size(600)),
    call("select_destinations", "scheduler", failure="NoValidHost", reply=size(1200)),
    call("build_instances", work=always(2.5)),
    cast("live_migration", "compute"),
)


@contextmanager
def transport(server: PrivateBroker, vhost: str) -> Iterator[Any]:
    """A real client's."""
    cfg.CONF([], project="nova", default_config_files=[], default_config_dirs=[])
    oslo_messaging.set_transport_defaults("nova")
    found = oslo_messaging.get_rpc_transport(cfg.CONF, url=server.transport_url(vhost))
    try:
        yield found
    finally:
        found.cleanup()


def asked_by_a_real_client(server: PrivateBroker, ask: Callable[[Any], Any]) -> tuple[Any, Tally]:
    """What a real client gets from an emulated cloud; errors are returned."""

    async def play() -> tuple[Any, Tally]:
        async with world_of(own, [SERVED]) as world:
            with transport(server, own.name) as through:
                (found,) = await asyncio.gather(asyncio.to_thread(ask, through), return_exceptions=True)
            return found, world.tally

    with own_vhost(server) as own:
        return asyncio.run(asyncio.wait_for(play(), 60))


def client(through: Any, topic: str, timeout_s: float = 30, **more: Any) -> Any:
    return oslo_messaging.get_rpc_client(through, oslo_messaging.Target(topic=topic), timeout=timeout_s, **more)


def test_a_real_client_calls_an_emulated_server(rabbitmq: PrivateBroker) -> None:
    found, tally = asked_by_a_real_client(rabbitmq, lambda through: client(through, "conductor").call({}, "ping"))
    assert set(found) == {"."}
    assert tally.strangers == 1


def test_a_real_client_gets_the_failure_of_an_emulated_server(rabbitmq: PrivateBroker) -> None:
    found, _ = asked_by_a_real_client(
        rabbitmq, lambda through: client(through, "scheduler").call({}, "select_destinations")
    )
    assert isinstance(found, oslo_messaging.RemoteError)
    assert found.exc_type == "NoValidHost"


def test_a_real_client_times_out_when_an_emulated_server_is_slow(rabbitmq: PrivateBroker) -> None:
    found, _ = asked_by_a_real_client(
        rabbitmq, lambda through: client(through, "conductor", timeout_s=1).call({}, "build_instances")
    )
    assert isinstance(found, oslo_messaging.MessagingTimeout)


def test_a_real_client_that_watches_its_call_hears_that_the_emulated_server_is_at_it(rabbitmq: PrivateBroker) -> None:
    found, tally = asked_by_a_real_client(
        rabbitmq, lambda through: client(through, "conductor", call_monitor_timeout=2).call({}, "build_instances")
    )
    assert set(found) == {"."}
    assert tally.heartbeats == 2


def test_a_real_client_casts_to_an_emulated_host_and_to_all(rabbitmq: PrivateBroker) -> None:
    def send(through: Any) -> None:
        for where in ({"server": "compute-1"}, {"fanout": True}):
            client(through, "compute").prepare(**where).cast({}, "live_migration")
        client(through, "conductor").call({}, "ping")  # the casts are taken before this is answered, or soon after
        time.sleep(0.5)

    assert asked_by_a_real_client(rabbitmq, send)[1].strangers == 3


class Endpoint:
    """A real service's."""

    target = oslo_messaging.Target(version="3.0")

    def __init__(self) -> None:
        self.seen: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def ping(self, ctxt: dict[str, Any], **args: Any) -> str:
        self.seen.append((ctxt, args))
        return "pong"

    def refuse(self, ctxt: dict[str, Any], **args: Any) -> None:
        raise KeyError("PS7q")

    def dawdle(self, ctxt: dict[str, Any], **args: Any) -> None:
        time.sleep(2)


def answered_by_a_real_server(
    server: PrivateBroker, played: Template, then: Callable[[BusWorld], Coroutine[Any, Any, None]] | None = None
) -> tuple[Answer, Endpoint, Tally]:
    """How an operation ends whose topic a real server serves."""
    endpoint = Endpoint()

    async def play() -> tuple[Answer, Tally]:
        async with world_of(own, [played]) as world:
            answer = await world.operate(Asked(kind=played.kind, instances=[INSTANCE]))
            if then is not None:
                await then(world)
            return answer, world.tally

    with own_vhost(server) as own, transport(server, own.name) as through:
        target = oslo_messaging.Target(topic="real", server="elsewhere")
        service = oslo_messaging.get_rpc_server(through, target, [endpoint])
        service.start()
        try:
            answer, tally = asyncio.run(asyncio.wait_for(play(), 60))
        finally:
            service.stop()
            service.wait()
    return answer, endpoint, tally


def test_an_emulated_client_calls_a_real_server(rabbitmq: PrivateBroker) -> None:
    answer, endpoint, _ = answered_by_a_real_server(rabbitmq, template("ask", call("ping", "real", sender="api")))
    assert answer.ended is Ended.DONE
    ((context, args),) = endpoint.seen
    assert context["request_id"] == answer.request_id
    assert args["instance"]["nova_object.data"] == {"uuid": INSTANCE, "host": None}


def test_an_emulated_client_gets_the_failure_of_a_real_server(rabbitmq: PrivateBroker) -> None:
    answer, _, _ = answered_by_a_real_server(rabbitmq, template("ask", call("refuse", "real", sender="api")))
    assert (answer.ended, answer.error) == (Ended.FAILED, "KeyError")


def test_an_emulated_client_times_out_when_a_real_server_is_slow_and_drops_its_late_reply(
    rabbitmq: PrivateBroker,
) -> None:
    async def wait(world: BusWorld) -> None:
        async with asyncio.timeout(30):
            while not world.tally.late_replies:
                await asyncio.sleep(0.05)

    played = template("ask", call("dawdle", "real", sender="api", timeout_s=1.0))
    answer, _, tally = answered_by_a_real_server(rabbitmq, played, wait)
    assert (answer.ended, answer.error) == (Ended.TIMED_OUT, "MessagingTimeout")
    assert tally.expired["dawdle"] == tally.late_replies == 1


def test_an_emulated_client_casts_to_a_real_server(rabbitmq: PrivateBroker) -> None:
    played = template("tell", cast("ping", "real", sender="api", reply=Sizes()), call("ping", "real", sender="api"))
    answer, endpoint, _ = answered_by_a_real_server(rabbitmq, played)
    assert answer.ended is Ended.DONE
    assert len(endpoint.seen) == 2
