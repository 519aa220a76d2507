"""`rpcscope demo` ends by serving the dashboard where somebody can look at it."""

from __future__ import annotations

import re
from pathlib import Path

import httpx

from tests.support.cli import new_cli


def test_the_demo_serves_what_it_recorded_until_it_is_ended(tmp_path: Path) -> None:
    with new_cli(tmp_path).running("demo", "--no-live", "--serve") as demo:
        demo.wait_for("until Ctrl-C")
        found = re.search(r"http://127\.0\.0\.1:\d+/", demo.said)
        assert found, demo.said
        kinds = httpx.get(f"{found[0]}api/v1/overview", params={"last": "all"}, trust_env=False).json()["kinds"]
        assert {"create", "live-migration", "evacuate"} <= {kind["kind"] for kind in kinds}
        done = demo.end()
    assert done.code == 0, done.err


def test_the_demo_does_not_stay_without_a_terminal(tmp_path: Path) -> None:
    assert "dashboard" not in new_cli(tmp_path).ok("demo", "--no-live")
