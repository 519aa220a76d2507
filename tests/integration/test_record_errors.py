"""A broker that refuses, in one sentence each, with nothing left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from rpcscope.private_broker import PrivateBroker
from tests.support.cli import Cli, new_cli
from tests.support.rabbitmq import Cloud
from tests.support.recording import broker_options, is_left
from tests.support.traffic import Traffic

pytestmark = pytest.mark.server


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return new_cli(tmp_path)


@pytest.fixture(scope="module")
def plain() -> Iterator[PrivateBroker]:
    """A broker without the management plugin."""
    with PrivateBroker(plugins=()) as server:
        yield server


def url_of(cloud: Cloud, user: str = "", password: str = "", vhost: str = "") -> str:
    who = f"{user or cloud.server.user}:{password or cloud.server.password}"
    return f"rabbit://{who}@127.0.0.1:{cloud.server.port}/{quote(vhost or cloud.vhost, safe='')}"


def refused(cli: Cli, cloud: Cloud, url: str, *more: str) -> str:
    """The last sentence of `record`; the database is made before, and holds nothing then."""
    options = ("--state-dir", str(cloud.state_dir), "--duration", "1", *more)
    sentence = cli.refused(5, "record", "--transport-url", url, *options)
    assert "PS7q" not in sentence
    assert cloud.server.password not in sentence
    assert not is_left(cloud)
    return sentence


def test_a_wrong_password(cli: Cli, cloud: Cloud) -> None:
    sentence = refused(cli, cloud, url_of(cloud, password="PS7qwrong"), "--no-trace")
    assert "password" in sentence


def test_a_vhost_that_is_not_there(cli: Cli, cloud: Cloud) -> None:
    assert "vhost" in refused(cli, cloud, url_of(cloud, vhost="nowhere"), "--no-trace")


def test_a_user_without_rights(cli: Cli, cloud: Cloud) -> None:
    cloud.server.add_user("stranger", "PS7qstranger")
    cloud.server.grant("stranger", cloud.vhost, configure="^nova$", write="^nova$", read="^nova$")
    sentence = refused(cli, cloud, url_of(cloud, "stranger", "PS7qstranger"), "--no-trace")
    assert "rpcscope" in sentence
    assert "configure" in sentence


def test_a_user_who_may_not_switch_tracing(cli: Cli, cloud: Cloud) -> None:
    cloud.server.add_user("no-tracer", "PS7qreader")
    cloud.server.grant("no-tracer", cloud.vhost)
    management = cloud.server.management_url
    sentence = refused(cli, cloud, url_of(cloud, "no-tracer", "PS7qreader"), "--management-url", management)
    assert "management" in sentence or "administrator" in sentence


def test_a_management_url_where_nobody_listens(cli: Cli, cloud: Cloud) -> None:
    sentence = refused(cli, cloud, url_of(cloud), "--management-url", "http://127.0.0.1:1")
    assert "127.0.0.1:1" in sentence


def test_a_management_url_that_is_the_broker_itself(cli: Cli, cloud: Cloud) -> None:
    refused(cli, cloud, url_of(cloud), "--management-url", f"http://127.0.0.1:{cloud.server.port}")


def test_a_broker_that_is_not_there(cli: Cli, cloud: Cloud) -> None:
    assert "127.0.0.1:1 " in refused(cli, cloud, "rabbit://u:PS7qpassword@127.0.0.1:1/", "--no-trace")


def test_a_second_recorder_of_the_same_name_is_refused_and_the_first_goes_on(
    cli: Cli, cloud: Cloud, tmp_path: Path
) -> None:
    traffic = Traffic(cloud)
    with cli.running("record", *broker_options(cloud)) as first:
        first.wait_for("rpcscope: recording")
        second = new_cli(tmp_path / "second")
        assert "Another recorder consumes rpcscope.tap.default" in second.refused(5, "record", *broker_options(cloud))
        traffic.play(20)
        assert first.end().code == 0
    assert len(cli.json("operations", "--all")) == 20
    assert not is_left(cloud)


def test_a_database_that_can_not_be_used_leaves_the_broker_alone(cli: Cli, cloud: Cloud) -> None:
    Path(cli.database).write_text("hello world " * 99)
    assert "is not an SQLite database" in cli.refused(4, "record", *broker_options(cloud))
    assert not is_left(cloud)


def test_without_management_it_says_what_to_run_and_records_what_is_traced(
    cli: Cli, plain: PrivateBroker, tmp_path: Path
) -> None:
    traffic = Traffic(Cloud(plain, "/", tmp_path))
    with cli.running("record", "--transport-url", plain.transport_url(), "--mode", "full") as recorder:
        recorder.wait_for("rpcscope: recording")
        assert "rabbitmqctl trace_on -p '/'" in recorder.said
        plain.ctl("trace_on", "-p", "/")
        traffic.play(20)
        assert recorder.end().code == 0
    assert len(cli.json("operations", "--all")) == 20


def test_tracing_that_a_killed_recorder_left_on_is_shown_and_ended(cli: Cli, cloud: Cloud) -> None:
    state = ("--state-dir", str(cloud.state_dir))
    with cli.running("record", *broker_options(cloud)) as recorder:
        recorder.wait_for("rpcscope: recording")
        assert "records vhost" in cli.refused(2, "untrace", *broker_options(cloud))
        recorder.kill()
    assert cloud.is_traced()
    done = cli.run("untrace", *state)
    assert (done.code, "its recorder is gone" in done.out) == (2, True)
    assert "name the broker" in done.sentence
    assert f"Tracing of vhost {cloud.vhost} ended" in cli.ok("untrace", *broker_options(cloud))
    assert not cloud.is_traced()
    assert cli.ok("untrace", *broker_options(cloud)) == "No tracing of ours was left on.\n"


def test_a_capture_of_a_live_broker_can_be_imported(cli: Cli, cloud: Cloud) -> None:
    traffic = Traffic(cloud, secret="PS7qcapture")
    with cli.running("capture", "live.jsonl.zst", *broker_options(cloud), "--mode", "full") as recorder:
        recorder.wait_for("rpcscope: capturing")
        traffic.play(200)
        done = recorder.end()
    assert done.code == 0, done
    assert not is_left(cloud)
    totals = cli.json("import", cli.folder / "live.jsonl.zst")
    assert (totals["messages"], totals["copies"], totals["operations"]) == (600, 600, 200)
    assert "exists" in cli.refused(3, "capture", "live.jsonl.zst", *broker_options(cloud))
