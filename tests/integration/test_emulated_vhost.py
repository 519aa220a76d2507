"""Vhosts of emulations: made, marked, deleted; nobody else's is touched."""

from __future__ import annotations

import ast
import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

import rpcscope.emulator
from rpcscope.emulator.management import Management, Vhost
from rpcscope.emulator.owner import Owner
from rpcscope.emulator.quiet import Quiet
from rpcscope.emulator.vhost import MARK, OwnVhost, clean
from rpcscope.errors import BrokerError, UsageError
from rpcscope.private_broker import PrivateBroker
from tests.support.emulated import management, own_vhost
from tests.support.rabbitmq import Cloud

pytestmark = pytest.mark.server

HOLDER = """
import sys, time
from rpcscope.emulator.management import Management
from rpcscope.emulator.vhost import OwnVhost
url, port, user, password = sys.stdin.readline().split()
with OwnVhost(Management(url, user, password), "held", host="127.0.0.1", port=int(port), username=user,
              password=password) as own:
    print(own.name, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def api(rabbitmq: PrivateBroker) -> Management:
    return management(rabbitmq)


@pytest.fixture
def by_hand(rabbitmq: PrivateBroker) -> Iterator[str]:
    """A vhost whose name looks like ours, made by somebody else."""
    rabbitmq.add_vhost("rpcscope-x")
    yield "rpcscope-x"
    rabbitmq.remove_vhost("rpcscope-x")


def holder(rabbitmq: PrivateBroker) -> tuple[subprocess.Popen[str], str]:
    """A program that holds a vhost, and the vhost's name."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(rpcscope.emulator.__file__).parents[2])},
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(f"{rabbitmq.management_url} {rabbitmq.port} {rabbitmq.user} {rabbitmq.password}\n")
    child.stdin.flush()
    return child, child.stdout.readline().strip()


def end(child: subprocess.Popen[str], number: signal.Signals) -> int:
    child.send_signal(number)
    with child:
        return child.wait(60)


def names(api: Management) -> set[str]:
    return {vhost.name for vhost in api.vhosts()}


def test_a_vhost_is_there_and_marked_while_it_is_held_and_gone_afterwards(
    rabbitmq: PrivateBroker, api: Management
) -> None:
    with own_vhost(rabbitmq, "boot-storm") as own:
        found = api.vhost(own.name)
        assert found is not None
        assert own.name.startswith("rpcscope-boot-storm-")
        assert MARK in found.tags
        assert Owner.read(found.description) is not None
    assert own.name not in names(api)


def test_a_vhost_goes_when_the_emulation_fails(rabbitmq: PrivateBroker, api: Management) -> None:
    with pytest.raises(KeyError), own_vhost(rabbitmq) as own:
        raise KeyError("something of the flow")
    assert own.name not in names(api)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_vhost_goes_with_a_signal(rabbitmq: PrivateBroker, api: Management, number: signal.Signals) -> None:
    child, name = holder(rabbitmq)
    assert name in names(api)
    assert end(child, number) != 0
    assert name not in names(api)


def test_what_a_killed_emulation_left_is_cleaned_and_what_another_holds_stays(
    rabbitmq: PrivateBroker, api: Management, by_hand: str
) -> None:
    child, name = holder(rabbitmq)
    other, held = holder(rabbitmq)
    try:
        end(child, signal.SIGKILL)
        assert {name, held} <= names(api)
        assert clean(api) == [name]
        assert {held, by_hand} <= names(api)
    finally:
        end(other, signal.SIGINT)


def test_a_vhost_made_by_hand_is_never_ours_whatever_its_name(
    rabbitmq: PrivateBroker, api: Management, by_hand: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = own_vhost(rabbitmq)
    own.name = by_hand
    with pytest.raises(BrokerError, match="is not ours"), own:
        raise AssertionError("it was entered")
    assert clean(api, older_than_s=0) == []
    assert by_hand in names(api)


def test_a_vhost_that_lost_its_mark_is_not_deleted(rabbitmq: PrivateBroker, api: Management) -> None:
    with own_vhost(rabbitmq) as own:
        api.make(Vhost(own.name, "somebody uses it now", ("kept",)))
    assert own.name in names(api)
    rabbitmq.remove_vhost(own.name)


def test_a_vhost_of_another_host_goes_only_when_it_is_old(rabbitmq: PrivateBroker, api: Management) -> None:
    there = replace(Owner.ourselves(), host="elsewhere", since_s=int(time.time()) - 100)
    api.make(Vhost("rpcscope-far-00000000", f"{MARK}: {there.words}", (MARK,)))
    assert clean(api) == []
    assert clean(api, older_than_s=1000) == []
    assert clean(api, older_than_s=50) == ["rpcscope-far-00000000"]


def test_an_owner_whose_pid_belongs_to_another_process_now_is_gone() -> None:
    ours = Owner.ourselves()
    assert ours.is_alive()
    assert not replace(ours, start="00000000-1").is_alive()


def test_nothing_connects_before_the_vhost_is_made_or_after_it_is_gone(rabbitmq: PrivateBroker) -> None:
    own = own_vhost(rabbitmq)
    for _ in range(2):
        with pytest.raises(BrokerError, match="is not there"):
            asyncio.run(own.connect("nova-compute:1:x", Quiet(print)))
        with own:
            pass


def test_an_account_that_may_make_no_vhost_is_told_so(rabbitmq: PrivateBroker) -> None:
    rabbitmq.add_user("plain", "PS7q-plain", tags="monitoring")
    api = Management(rabbitmq.management_url, "plain", "PS7q-plain")
    own = OwnVhost(api, "x", host="127.0.0.1", port=rabbitmq.port, username="plain", password="PS7q-plain")
    with pytest.raises(BrokerError, match="administrator") as told, own:
        raise AssertionError("it was entered")
    assert "PS7q" not in str(told.value) + repr(own) + repr(api)


def test_a_vhost_that_takes_longer_to_delete_than_a_request_may_take_is_deleted() -> None:
    # Some ten times what making a vhost takes, and less than half of what deleting this one does: both on any machine.
    with PrivateBroker(settings={"management.tcp.idle_timeout": "300"}) as server:
        with own_vhost(server) as own, closing(Cloud(server, own.name, Path()).connect()) as connection:
            channel = connection.channel()
            for number in range(800):
                channel.queue_declare(f"queue-{number}")
        assert own.name not in names(management(server))


def test_a_flow_with_an_odd_name_is_refused(rabbitmq: PrivateBroker) -> None:
    with pytest.raises(UsageError, match="lower-case"):
        own_vhost(rabbitmq, "../nova")


def test_only_the_module_of_vhosts_connects() -> None:
    """Nobody else in the emulator can publish anywhere: the client's way in and its addresses are imported once."""
    folder = Path(rpcscope.emulator.__file__).parent
    importing = {
        path.name
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("rpcscope.amqp")
        and {"connect", "Where", "handshake", "where"} & {name.name for name in node.names}
    }
    assert importing == {"vhost.py"}
