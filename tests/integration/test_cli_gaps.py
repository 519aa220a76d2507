"""Every command that shows a total says so when a gap touches it, for people and for programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from rpcscope.model import Gap, GapCause
from rpcscope.store import open_store
from tests.support.bus import SECOND, START_NS, Bus
from tests.support.cli import Cli, new_cli
from tests.support.nova import Nova
from tests.support.stored import keep

BLIND = "blind 3.2 s from 2026-11-20T08:36:38Z: its queue was full, about 40 messages missed"
AT_NS = START_NS + 10 * SECOND
GAP = Gap(from_ns=AT_NS, to_ns=AT_NS + 3_200_000_000, cause=GapCause.DROPPED, estimate=40)
TOLD = {
    "recording": 1, "from": "2026-11-20T08:36:38.000000Z", "to": "2026-11-20T08:36:41.200000Z", "blind_s": 3.2,
    "cause": "dropped", "missed": 40,
}  # fmt: skip


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    made = new_cli(tmp_path)
    nova = Nova(Bus(), computes=2)
    nova.boot(nova.bus.request_id(), [nova.bus.uuid()])
    request_id, server = nova.bus.request_id(), nova.bus.uuid()
    nova.schedule(request_id, [server])
    nova.build(request_id, server, "compute-1")
    nova.bus.wait(120)
    nova.report_state(nova.computes["compute-2"])
    with open_store(made.database, create=True) as store:
        keep(store, [nova.bus.topology(), *nova.bus.events, GAP])
    return made


def test_people_see_a_mark_at_the_total_and_a_line_below_it(cli: Cli) -> None:
    for command in (("cost", "--kind", "create"), ("operations",), ("calls",), ("stuck",), ("db", "status")):
        lines = cli.ok(*command).splitlines()
        assert [line for line in lines if line.startswith("* ") and f"{BLIND}." in line], command
    (doubtful, whole) = (line for line in cli.ok("operations").splitlines() if " create " in line)
    assert "2*" in doubtful.split()
    assert "*" not in whole
    shown = cli.ok("show", doubtful.split()[-1])
    assert f"{BLIND}: calls may be missing" in shown
    assert "at least 2 messages" in shown


def test_programs_find_the_gaps_at_what_they_touch(cli: Cli) -> None:
    (doubtful, whole) = cli.json("operations")
    assert (doubtful["gaps"], doubtful["status"], doubtful["end_missed"]) == ([TOLD], "unknown", True)
    assert (whole["gaps"], whole["status"], whole["end_missed"]) == ([], "done", False)
    assert [one["gaps"] for one in cli.json("stuck")] == [[TOLD]]
    cost = cli.json("cost")
    (kind,) = cost["kinds"]
    assert (cost["gaps"], kind["gaps"], kind["operations_with_gaps"], kind["left_out"]) == ([TOLD], [TOLD], 0, 1)
    assert cli.json("db", "status")["gaps"] == [TOLD]
    head, *rows = (line.split(",") for line in cli.ok("operations", "--format", "csv").splitlines())
    assert [row[head.index("gaps")] for row in rows] == ["1", ""]
