"""A real OTLP backend that others wrote: Arize's Phoenix, in an environment of its own, offline, on free ports."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from rpcscope.free_ports import free_port
from tests.support.environment import locked_environment

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements" / "phoenix.txt"
HOME = ROOT / ".venv-phoenix"
GIVE_UP_S = 180.0


@dataclass(frozen=True)
class Phoenix:
    """One that runs."""

    url: str  # of OTLP/HTTP and of its own API
    grpc_url: str

    def spans(self, expected: int) -> list[dict[str, Any]]:
        """All that it stored, as its own API tells it; waits until there are so many."""
        deadline = time.monotonic() + GIVE_UP_S
        while True:
            found = list(self._spans())
            if len(found) >= expected:
                return found
            assert time.monotonic() < deadline, f"Phoenix stored {len(found)} of {expected} spans"
            time.sleep(1)

    def _spans(self) -> Iterator[dict[str, Any]]:
        cursor = None
        while True:
            wanted = {"limit": 1000} | ({"cursor": cursor} if cursor else {})
            answer = httpx.get(f"{self.url}/v1/projects/default/spans", params=wanted, timeout=60)
            if answer.status_code == 404:  # it makes the project with the first span
                return
            page = answer.raise_for_status().json()
            yield from page["data"]
            cursor = page["next_cursor"]
            if not cursor:
                return


@contextmanager
def phoenix(folder: Path) -> Iterator[Phoenix]:
    """A server with its data in a folder. The first one of a checkout installs it: a minute, 900 MB."""
    made = locked_environment(HOME, LOCK)
    port, grpc_port = free_port(), free_port()
    own = {
        "PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "PHOENIX_WORKING_DIR": str(folder),
        "PHOENIX_HOST": "127.0.0.1", "PHOENIX_PORT": str(port), "PHOENIX_GRPC_PORT": str(grpc_port),
        "PHOENIX_TELEMETRY_ENABLED": "false", "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
    }  # fmt: skip
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([made / "bin" / "phoenix", "serve"], env=own, stdout=log, stderr=log, cwd=folder)
    try:
        running = Phoenix(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{grpc_port}")
        _until_it_answers(running, process, folder / "log")
        yield running
    finally:
        process.terminate()
        process.wait()


def _until_it_answers(running: Phoenix, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    while True:
        try:
            httpx.get(f"{running.url}/v1/projects", timeout=5).raise_for_status()
            return
        except httpx.HTTPError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.5)
