"""What is true of the recorded captures, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from rpcscope.doctor import Level, RedFlag, ask, examine
from rpcscope.store import open_store
from tests.support.dashboard import CAPTURES, import_captures

NOTIFYING = CAPTURES.parent / "nova34-notifications" / "01_boot_1.jsonl.zst"
FOREVER = 1 << 61


def up(folder: Path, *captures: Path) -> dict[str, RedFlag]:
    with open_store(str(folder / "store.sqlite"), create=True) as store:
        import_captures(store, *captures)
        return {flag.name: flag for flag in examine(ask(store.reader(), 0, FOREVER, FOREVER))}


def test_no_flag_is_up_where_all_went_well(tmp_path: Path) -> None:
    well = [path for path in sorted(CAPTURES.glob("*.zst")) if "timeout" not in path.name]
    assert well
    assert up(tmp_path, *well) == {}


def test_a_stopped_compute_is_a_timeout_and_work_for_a_caller_that_is_gone(tmp_path: Path) -> None:
    found = up(tmp_path, *CAPTURES.glob("*timeout*.zst"))
    assert set(found) == {"timeouts", "late-replies"}
    assert {flag.level for flag in found.values()} == {Level.WARN}
    (callee, example) = found["timeouts"].evidence
    assert (found["timeouts"].title, callee.what) == ("1 call timed out", "compute.compute-3")
    assert example.key.startswith("req-")
    assert found["late-replies"].evidence[0].what == "get_console_output"


def test_notifications_without_a_consumer_are_told(tmp_path: Path) -> None:
    (flag,) = up(tmp_path, NOTIFYING).values()
    assert (flag.name, flag.title) == ("unread-notifications", "11 notifications that nobody reads")
    assert flag.evidence[0].what == "versioned_notifications.info"


@pytest.mark.parametrize("kind", ["nova34-otlp", "nova34-parents"])
def test_other_recordings_of_a_healthy_cloud_put_up_no_flag(tmp_path: Path, kind: str) -> None:
    captures = sorted((CAPTURES.parent / kind).glob("[0-9]*.zst"))
    assert captures
    assert up(tmp_path, *captures) == {}
