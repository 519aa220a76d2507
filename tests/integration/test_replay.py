"""`rpcscope replay` of a real recording, on more hosts than it had: the same messages, as often as asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rpcscope.private_broker import PrivateBroker
from rpcscope.store import open_store
from rpcscope.store.protocol import OperationFilter
from tests.support.cli import Cli, new_cli
from tests.support.dashboard import CAPTURES

DRAIN = CAPTURES / "10_drain_serial_6.jsonl.zst"


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return new_cli(tmp_path, TMPDIR=str(tmp_path))


def test_a_dry_run_shows_what_is_to_be_expected_at_another_scale(cli: Cli) -> None:
    said = cli.ok("replay", DRAIN, "--hosts", "1000", "--rate", "10", "--dry-run")
    for words in ("8 operations on 2 hosts", "1,000 hosts: 80 operations", "5,022 connections", "200.0 messages",
                  "a fake driver"):  # fmt: skip
        assert words in said
    told = json.loads(cli.ok("replay", DRAIN, "--resample", "600", "--dry-run", "--format", "json"))
    assert 200 < told["expected"]["operations"] < 420  # 8 in 15.4 s, for 600 s
    assert told["expected"]["kinds"]["live-migration"]["messages"] % 85 == 0
    assert not Path(cli.database).exists()


@pytest.mark.server
def test_a_recorded_drain_is_replayed_message_for_message_by_other_hosts(
    cli: Cli, rabbitmq: PrivateBroker, tmp_path: Path
) -> None:
    url = rabbitmq.management_url.replace("://", f"://{rabbitmq.user}:{rabbitmq.password}@")
    done = cli.run("replay", DRAIN, "--hosts", "8", "--rate", "1.5", "--speed", "4", "--format", "json", "--yes",
                   "--transport-url", rabbitmq.transport_url("/"), "--management-url", url)  # fmt: skip
    assert done.code == 0, done
    told = json.loads(done.out)
    assert told["what"] == "replay"
    assert len(told["kinds"]) == 2
    for kind in told["kinds"]:
        for word in ("operations", "done"):
            assert kind["measured"][word] == kind["expected"][word], kind["kind"]
        for word in ("rpcs", "messages"):  # the cause of a ComputeNode.save is inferred: its request id is stale
            assert kind["measured"][word] == pytest.approx(kind["expected"][word], abs=2), kind["kind"]
    for method in told["methods"]:
        assert method["measured"] == method["expected"] or "ComputeNode.save" in method["method"]
    with open_store(cli.database) as store:
        found = list(store.reader().operations(OperationFilter(kind="live-migration")))
    hosts = {host for one in found for host in (one.source_host, one.dest_host)}
    assert len(hosts) > 2
    assert hosts <= {f"compute-{n:04}" for n in range(1, 9)}
    assert all(one.source_host != one.dest_host for one in found)
    assert len({one.instances for one in found}) == len(found)
    assert list(tmp_path.glob("rpcscope-*")) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((CAPTURES / "00_idle_120s.jsonl.zst",), "No operation was recorded as a whole"),
        (("nowhere.sqlite",), "there is no store at"),
        (("nowhere.jsonl.zst",), "nowhere.jsonl.zst"),
        ((DRAIN, "--kind", "resize"), "No operation was recorded as a whole"),
    ],
)
def test_what_can_not_be_replayed_is_told_in_a_sentence(
    cli: Cli, arguments: tuple[str | Path, ...], words: str
) -> None:
    done = cli.run("replay", *arguments, "--yes")
    assert done.code in (2, 3, 4)
    assert words in done.sentence
