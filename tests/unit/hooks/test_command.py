"""Commands of a user: without a shell, ended in time, whatever they started."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from rpcscope.errors import UsageError
from rpcscope.hooks.command import run_command

LONG_S = 60.0


def run(*argv: str, timeout_s: float = LONG_S) -> bool:
    return asyncio.run(run_command(argv, timeout_s))


def test_it_is_done_when_it_ends_with_0() -> None:
    assert run(sys.executable, "-c", "raise SystemExit(0)") is True
    assert run(sys.executable, "-c", "raise SystemExit(1)") is False


def test_no_shell_reads_its_arguments(tmp_path: Path) -> None:
    target = tmp_path / "it's; a $(name)"
    assert run(sys.executable, "-c", "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text('x')", str(target))
    assert target.read_text() == "x"


def test_what_takes_too_long_is_killed_and_counts_as_failed() -> None:
    assert run(sys.executable, "-c", "import time; time.sleep(600)", timeout_s=0.2) is False


def test_with_it_goes_what_it_started(tmp_path: Path) -> None:
    held = tmp_path / "held"
    child = f"import time; f = open({str(held)!r}, 'a'); f.write('x'); f.flush(); time.sleep(600)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"

    async def main() -> int:
        running = asyncio.create_task(run_command([sys.executable, "-c", parent], 600.0))
        while not holders(held):
            await asyncio.sleep(0.02)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        while holders(held):  # a killed process closes its files a moment later
            await asyncio.sleep(0.02)
        return len(holders(held))

    assert asyncio.run(asyncio.wait_for(main(), LONG_S)) == 0


def holders(path: Path) -> list[str]:
    """Processes that have it open."""
    found = []
    for fd in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if fd.readlink() == path and (fd.parents[1] / "cmdline").read_text():
                found.append(fd.parents[1].name)
        except OSError:
            continue
    return found


@pytest.mark.parametrize("argv", [["/nowhere/PS7q"], ["a\0b"]])
def test_what_can_not_be_started_is_told_without_its_words(argv: list[str]) -> None:
    with pytest.raises(UsageError, match="can not be started") as raised:
        run(*argv)
    assert "PS7q" not in str(raised.value)
