"""The commands in the unit file do what systemd runs them for."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.support.cli import PROGRAM, Cli, new_cli
from tests.support.killing import expect_a_trail, expect_no_trail
from tests.support.rabbitmq import Cloud
from tests.support.unit_file import command

pytestmark = pytest.mark.server

OPTIONS = "--mode publish --name night"


@pytest.fixture
def service(cloud: Cloud, tmp_path: Path) -> Cli:
    """An environment as the unit's file gives it: no password is on a command line."""
    server = cloud.server
    return new_cli(
        tmp_path,
        RPCSCOPE_TRANSPORT_URL=server.transport_url(cloud.vhost),
        RPCSCOPE_MANAGEMENT_URL=server.management_url,
        RPCSCOPE_OPTIONS=OPTIONS,
    )


def words(key: str, cli: Cli, cloud: Cloud) -> list[str]:
    """The command behind the program; the state folder of systemd is the cloud's."""
    cloud.state_dir.parent.mkdir(exist_ok=True)
    found = command(key, PROGRAM, cloud.state_dir.parent, cli.environment())
    return [word.replace(str(cloud.state_dir.parent / "rpcscope"), str(cloud.state_dir)) for word in found[1:]]


def test_what_the_unit_starts_records_and_its_stop_ends_all(cloud: Cloud, service: Cli) -> None:
    start = words("ExecStart", service, cloud)
    assert not any("://" in word for word in start)
    with service.running(*start) as recorder:
        recorder.wait_for("mode publish")
        assert cloud.is_traced()
        assert "rpcscope.tap.night" in cloud.management.queues(cloud.vhost)
        assert recorder.end(signal.SIGTERM).code == 0
    assert service.ok(*words("ExecStopPost", service, cloud)) == "No tracing of ours was left on.\n"
    expect_no_trail(cloud)


def test_what_the_unit_runs_last_ends_the_tracing_of_a_recorder_that_was_killed(cloud: Cloud, service: Cli) -> None:
    with service.running(*words("ExecStart", service, cloud)) as recorder:
        recorder.wait_for("rpcscope: recording")
        recorder.kill()
    assert cloud.is_traced()
    expect_a_trail(cloud)
    assert f"Tracing of vhost {cloud.vhost} ended" in service.ok(*words("ExecStopPost", service, cloud))
    expect_no_trail(cloud)


def test_what_the_unit_runs_last_is_well_when_the_start_was_refused(cloud: Cloud, service: Cli) -> None:
    cloud.server.remove_vhost(cloud.vhost)
    done = service.run(*words("ExecStart", service, cloud))
    assert done.code == 5, done
    assert "has no vhost" in done.sentence
    assert service.ok(*words("ExecStopPost", service, cloud)) == "No tracing of ours was left on.\n"
    cloud.server.add_vhost(cloud.vhost)
