"""`record --dry-run` tells what recording would cost, and changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cli import Cli, new_cli
from tests.support.rabbitmq import Cloud
from tests.support.recording import broker_options, is_left
from tests.support.traffic import Traffic

pytestmark = pytest.mark.server
RATE = 60.0
"""Operations a second; each is a call, its reply and a cast."""


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return new_cli(tmp_path)


def test_it_tells_the_present_rate_and_leaves_no_trace(cli: Cli, cloud: Cloud) -> None:
    with Traffic(cloud, rate=RATE).flowing():
        done = cli.run("record", *broker_options(cloud), "--dry-run", "--flight", "--keep", "24h")
        assert not is_left(cloud)
    assert done.code == 0
    assert not cloud.state_dir.exists(), "a lease"
    assert not Path(cli.database).exists()
    lines = done.out.splitlines()
    assert "publish all the time, control for 5m on a trigger; what is older than 1d is removed." in done.out
    assert [line.split()[0] for line in lines[4:8]] == ["bindings", "publish", "control", "full"]
    assert "may switch it on and off" in done.out
    assert "may make and read its queue" in done.out


def test_programs_get_the_numbers_and_control_lies_between(cli: Cli, cloud: Cloud) -> None:
    with Traffic(cloud, rate=RATE).flowing():
        done = cli.run("record", *broker_options(cloud), "--dry-run", "--format", "json")
    told = json.loads(done.out)
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
    told = cli.run("record", *where, "--management-url", by_monitor, "--dry-run")
    assert f"user {monitor} may not switch it" in told.out
    assert f"whether user {tap} may tap is not known" in " ".join(told.out.split())
    told = cli.run("record", *where, "--management-url", by_admin, "--dry-run")
    sentence = "lacks write on rpcscope.tap.default, write on amq.default, read on amq.rabbitmq.trace"
    assert sentence in " ".join(told.out.split())
    assert "PS7q" not in told.out + told.err


def test_a_broker_that_does_not_answer_gets_a_sentence(cli: Cli) -> None:
    where = ("--transport-url", "rabbit://tap:PS7q@127.0.0.1:1/", "--management-url", "http://127.0.0.1:1")
    done = cli.run("record", *where, "--dry-run")
    assert (done.code, done.out) == (5, "")
    assert "can not be reached" in done.err
