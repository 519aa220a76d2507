"""A broker that dies, blocks or refuses: one sentence, and everything is cleaned up."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import rpcscope
from rpcscope.amqp import Refused
from rpcscope.emulator.bus_world import BusWorld
from rpcscope.emulator.quiet import Quiet
from rpcscope.emulator.refusals import explained
from rpcscope.emulator.vhost import OwnVhost
from rpcscope.errors import BrokerError
from rpcscope.flows.world import Asked, Ended
from rpcscope.private_broker import PrivateBroker
from tests.support.emulated import INSTANCE, boot, call, management, own_vhost, template, world_of
from tests.support.reluctant import reluctant

pytestmark = pytest.mark.server

SCARCE = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300))
from rpcscope.emulator import fds
from rpcscope.fleet.model import Control
try:
    fds.check(Control(), 1000)
except Exception as error:
    print(type(error).__name__, error)
fds.check(Control(), 20)
"""


def told(server: PrivateBroker, break_it: Callable[[], object]) -> list[str]:
    """What somebody asleep, a waiting operation and a busy flow are told when the broker breaks under a world."""
    forever = template("forever", call("ping", "nobody", sender="api", timeout_s=1800.0))

    async def play() -> list[str]:
        async with world_of(own, [boot(), forever]) as world:
            waiting = [world.sleep(600), world.operate(Asked(kind="forever", instances=[INSTANCE])), busy(world)]
            found = await asyncio.gather(asyncio.to_thread(break_it), *waiting, return_exceptions=True)
            errors.extend(str(one) for one in found[1:] if isinstance(one, BrokerError))
            raise BrokerError(errors[0])

    async def busy(world: BusWorld) -> None:
        while True:
            await world.operate(Asked(kind="create", instances=[INSTANCE], dest="compute-1"))

    errors: list[str] = []
    with pytest.raises(BrokerError) as raised, own_vhost(server) as own:
        asyncio.run(asyncio.wait_for(play(), 90))
    return [*errors, str(raised.value)]


def left(server: PrivateBroker) -> list[str]:
    return [vhost.name for vhost in management(server).vhosts() if vhost.name.startswith("rpcscope-")]


def test_a_broker_that_blocks_ends_the_emulation_with_a_sentence(fragile: PrivateBroker) -> None:
    try:
        sentences = told(fragile, lambda: fragile.ctl("set_vm_memory_high_watermark", "0.000001"))
    finally:
        fragile.ctl("set_vm_memory_high_watermark", "0.4")
    assert len(sentences) == 4
    assert all("blocks publishers" in sentence for sentence in sentences)
    assert left(fragile) == []


def test_a_broker_that_dies_ends_the_emulation_with_a_sentence_that_the_cleaning_does_not_hide(
    fragile: PrivateBroker, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        sentences = told(fragile, fragile.kill)
    finally:
        fragile.start()
        for vhost in left(fragile):
            fragile.remove_vhost(vhost)
    assert len(sentences) == 4
    assert all("was lost" in sentence for sentence in sentences)
    assert not caplog.records  # no traceback of a callback that still wanted to publish


def test_a_broker_that_declares_otherwise_is_told_and_nothing_stays(fragile: PrivateBroker) -> None:
    async def play() -> None:
        connection = await own.connect("other:1:x", Quiet(print))
        await connection.exchange_declare("nova", "fanout")
        await connection.close()
        async with world_of(own, [boot()]):
            raise AssertionError("it came up")

    with pytest.raises(BrokerError, match="nova"), own_vhost(fragile) as own:
        asyncio.run(asyncio.wait_for(play(), 60))
    assert left(fragile) == []


def test_handshakes_that_are_refused_or_slow_are_tried_again(rabbitmq: PrivateBroker) -> None:
    async def play() -> None:
        account = {"username": rabbitmq.user, "password": rabbitmq.password}
        async with reluctant(rabbitmq.port, turned_away={1, 2, *range(6, 14)}, delay_s=0.2) as door:
            with OwnVhost(management(rabbitmq), "door", host="127.0.0.1", port=door, **account) as own:
                async with world_of(own, [boot()], hosts=[f"compute-{n}" for n in range(6)]) as world:
                    answer = await world.operate(Asked(kind="create", instances=[INSTANCE], dest="compute-5"))
                    assert answer.ended is Ended.DONE

    asyncio.run(asyncio.wait_for(play(), 60))


def test_a_broker_that_lets_nobody_in_is_told(rabbitmq: PrivateBroker) -> None:
    async def play() -> None:
        async with world_of(own, [boot()]):
            raise AssertionError("it came up")

    account = {"username": rabbitmq.user, "password": "PS7q"}
    own = OwnVhost(management(rabbitmq), "door", host="127.0.0.1", port=rabbitmq.port, **account)
    with pytest.raises(BrokerError) as raised, own:
        asyncio.run(asyncio.wait_for(play(), 60))
    assert "PS7q" not in str(raised.value)
    assert left(rabbitmq) == []


def test_a_broker_without_transient_queues_is_told_by_what_to_do() -> None:
    text = "INTERNAL_ERROR - Feature `transient_nonexcl_queues` is deprecated"
    assert "quorum+stream" in str(explained(Refused("The broker closed it.", 541, text)))


def test_too_few_file_descriptors_are_told_before_anything_starts() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(rpcscope.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", SCARCE], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("UsageError 1,000 hosts need ")
    assert "300" in done.stdout
