"""`record --dry-run` tells what recording would cost, and changes nothing."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from rpcscope.private_broker import PrivateBroker
from tests.support.cli import Cli, Done, new_cli
from tests.support.rabbitmq import Cloud, new_cloud
from tests.support.recording import broker_options, is_left
from tests.support.traffic import Traffic

pytestmark = pytest.mark.server
RATE = 60.0
"""Operations a second; each is a call, its reply and a cast."""


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return new_cli(tmp_path)


def together(cli: Cli, *commands: tuple[str, ...]) -> list[Done]:
    """All at once: each looks at the broker for a quarter of a minute."""
    with ThreadPoolExecutor(len(commands)) as pool:
        return list(pool.map(lambda words: cli.run(*words), commands))


@dataclass(frozen=True)
class Looked:
    """What was told of a vhost with traffic, and what was left there before the traffic ended."""

    cli: Cli
    cloud: Cloud
    shown: Done
    told: Done
    is_left: bool


@pytest.fixture(scope="module")
def looked(rabbitmq: PrivateBroker, tmp_path_factory: pytest.TempPathFactory) -> Looked:
    folder = tmp_path_factory.mktemp("looked")
    cli, cloud = new_cli(folder), new_cloud(rabbitmq, folder)
    dry = ("record", *broker_options(cloud), "--dry-run")
    with Traffic(cloud, rate=RATE).flowing():
        shown, told = together(cli, (*dry, "--flight", "--keep", "24h"), (*dry, "--format", "json"))
        return Looked(cli, cloud, shown, told, is_left(cloud))


def test_it_tells_the_present_rate_and_leaves_no_trace(looked: Looked) -> None:
    assert not looked.is_left
    assert not looked.cloud.state_dir.exists(), "a lease"
    assert not Path(looked.cli.database).exists()
    done = looked.shown
    assert done.code == 0
    lines = done.out.splitlines()
    assert "publish all the time, control for 5m on a trigger; what is older than 1d is removed." in done.out
    assert [line.split()[0] for line in lines[4:8]] == ["bindings", "publish", "control", "full"]
    assert "may switch it on and off" in done.out
    assert "may make and read its queue" in done.out


def test_programs_get_the_numbers_and_control_lies_between(looked: Looked) -> None:
    told = json.loads(looked.told.out)
    traffic, costs = told["traffic"], {cost["mode"]: cost for cost in told["costs"]}
    assert traffic["publishes"] > 0
    assert 0 < traffic["replies"] < traffic["publishes"]
    assert 0 < traffic["control_deliveries"] < traffic["deliveries"]
    assert 0 < costs["publish"]["core_share"] < costs["control"]["core_share"] < costs["full"]["core_share"]
    assert costs["full"]["events"] > costs["control"]["events"] > costs["publish"]["events"]
    assert (told["may_trace"], told["tap_lacks"]) == (True, [])


def test_an_account_that_may_not_is_named_with_what_it_lacks(cli: Cli, cloud: Cloud) -> None:
    tap, monitor = f"tap-{cloud.vhost}", f"monitor-{cloud.vhost}"
    cloud.server.add_user(tap, "PS7q")
    cloud.server.grant(tap, cloud.vhost, configure=r"^rpcscope\.tap\..*$", write="^$", read=r"^rpcscope\.tap\..*$")
    cloud.server.add_user(monitor, "PS7q", tags="monitoring")
    cloud.server.grant(monitor, cloud.vhost, configure="^$", write="^$", read="^$")
    where = ("--transport-url", f"rabbit://{tap}:PS7q@127.0.0.1:{cloud.server.port}/{cloud.vhost}")
    plain = cloud.server.management_url
    by_monitor = plain.replace("://", f"://{monitor}:PS7q@")
    by_admin = plain.replace("://", f"://{cloud.server.user}:{cloud.server.password}@")
    asked = (("record", *where, "--management-url", url, "--dry-run") for url in (by_monitor, by_admin))
    to_monitor, to_admin = together(cli, *asked)
    assert f"user {monitor} may not switch it" in to_monitor.out
    assert f"whether user {tap} may tap is not known" in " ".join(to_monitor.out.split())
    sentence = "lacks write on rpcscope.tap.default, write on amq.default, read on amq.rabbitmq.trace"
    assert sentence in " ".join(to_admin.out.split())
    assert "PS7q" not in "".join(done.out + done.err for done in (to_monitor, to_admin))


def test_a_broker_that_does_not_answer_gets_a_sentence(cli: Cli) -> None:
    where = ("--transport-url", "rabbit://tap:PS7q@127.0.0.1:1/", "--management-url", "http://127.0.0.1:1")
    done = cli.run("record", *where, "--dry-run")
    assert (done.code, done.out) == (5, "")
    assert "can not be reached" in done.err
