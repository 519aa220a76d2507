"""Emulated clouds on the tests' broker, and small templates to play on them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from rpcscope.emulator.bus_world import BusWorld
from rpcscope.emulator.management import Management
from rpcscope.emulator.vhost import OwnVhost
from rpcscope.fleet.model import Control
from rpcscope.private_broker import PrivateBroker
from rpcscope.templates.model import Sizes, Step, Template, Times, Variant

SAVE = "object_action(Instance.save)"
INSTANCE = "8ceb43a3-40b1-4864-bea5-05f81c2ac883"
SMALL = Control(api=1, conductor=1, scheduler=1, background=False)


def management(server: PrivateBroker) -> Management:
    return Management(server.management_url, server.user, server.password)


def own_vhost(server: PrivateBroker, flow: str = "test") -> OwnVhost:
    where = {"host": "127.0.0.1", "port": server.port, "username": server.user, "password": server.password}
    return OwnVhost(management(server), flow, **where)


@asynccontextmanager
async def world_of(
    own: OwnVhost, templates: Iterable[Template], hosts: Iterable[str] = ("compute-1",), **more: Any
) -> AsyncIterator[BusWorld]:
    async with BusWorld(own, hosts, templates, **{"control": SMALL} | more) as world:
        yield world


def always(seconds: float) -> Times:
    return Times(quantiles_s=(seconds,), count=1)


def call(method: str, topic: str = "conductor", **more: Any) -> Step:
    known: dict[str, Any] = {"kind": "call", "version": "3.0", "request": size(2600), "reply": size(700)}
    return Step(method=method, topic=topic, exchange="nova", **known | more)


def cast(method: str, topic: str, **more: Any) -> Step:
    return call(method, topic, **{"kind": "cast", "reply": Sizes()} | more)


def fanout(method: str, topic: str, **more: Any) -> Step:
    return Step(method=method, topic=topic, kind="fanout", request=size(1500), **more)


def size(count: int) -> Sizes:
    return Sizes(quantiles=(count,))


def template(kind: str, *roots: Step, **more: Any) -> Template:
    return Template(kind=kind, variants=(Variant(operations=1, share=1.0, roots=roots),), **more)


def boot() -> Template:
    """A boot with less to do: cast, call, cast to a host, calls back, a fanout, an expected failure."""
    build = cast(
        "build_and_run_instance",
        "compute",
        host="dest",
        after=0,
        version="6.0",
        request=size(15021),
        instance=0,
        steps=(
            call(SAVE, instance=0, request=size(6448), reply=size(4321), work=always(0.004)),
            call(
                "object_class_action_versions(InstanceGroup.get_by_instance_uuid)",
                after=0,
                failure="InstanceGroupNotFound",
                reply=size(2087),
                instance=0,
            ),
            fanout("update_instance_info", "scheduler", after=1),
            call(SAVE, instance=0, after=2, delay=always(0.01)),
        ),
    )
    choose = call("select_destinations", "scheduler", version="4.5", timeout_s=1800.0, work=always(0.005))
    root = cast(
        "schedule_and_build_instances",
        "conductor",
        namespace="compute_task",
        version="1.17",
        sender="api",
        request=size(13505),
        steps=(choose, build),
    )
    return template("create", root)
