"""A cloud with an API broker and a cell's, its services real processes with real oslo.messaging."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from tests.support.rabbitmq import Cloud

HERE = Path(__file__).parents[2]
TREE = {
    "schedule_and_build_instances": {
        "select_destinations": {},
        "build_and_run_instance": {
            "object_class_action_versions(InstanceActionEvent.event_start)": {},
            "object_action(Instance.save)": {},
            "object_class_action_versions(InstanceActionEvent.event_finish_with_failure)": {},
        },
    }
}
"""What a boot is here: who causes what."""
RPCS, MESSAGES = 6, 10
"""Of a boot: two casts, four calls with their replies."""
PROGRAMS = {
    "scheduler": ("nova-scheduler", "ctl", ("api",)),
    "conductor": ("nova-conductor", "ctl", ("api", "cell")),  # one process on both brokers
    "cell-conductor": ("nova-conductor", "cell1", ("cell",)),
    "compute": ("nova-compute", "compute-1", ("cell",)),
    "api": ("gunicorn", "ctl", ("api",)),
}


ONE_BROKER = {
    "scheduler": ("nova-scheduler", "ctl", ("api",)),
    "one-conductor": ("nova-conductor", "ctl", ("api", "cell")),
    "compute": ("nova-compute", "compute-1", ("cell",)),
    "api": ("gunicorn", "ctl", ("api",)),
}
"""The same boot without cells."""


class Cells:
    """The running services."""

    def __init__(
        self, api: Cloud, cell: Cloud, folder: Path, stack: ExitStack, *, driver: str = "", **more: str
    ) -> None:
        self.api, self.cell = api, cell
        urls = {
            name: driver + cloud.server.transport_url(cloud.vhost) for name, cloud in (("api", api), ("cell", cell))
        }
        self._running = {}
        for role, (program, host, brokers) in (ONE_BROKER if api is cell else PROGRAMS).items():
            log = stack.enter_context((folder / f"{role}.log").open("wb"))
            setup = {"role": role, "host": host, **{name: urls[name] for name in brokers}, **more}
            self._running[role] = stack.enter_context(_process(program, setup, log))
        for role, process in self._running.items():
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", (folder / f"{role}.log").read_text()

    @property
    def conductor(self) -> str:
        """program:pid of the process that is on both brokers."""
        return f"{PROGRAMS['conductor'][0]}:{self._running['conductor'].pid}"

    def boot(self, servers: int = 1) -> list[str]:
        """Boot servers one after the other, each a request of its own; their request ids once all are built."""
        asked, built = self._running["api"].stdin, self._running["compute"].stdout
        assert asked is not None
        assert built is not None
        request_ids = []
        for _ in range(servers):
            request_ids.append(f"req-{uuid.uuid4()}")
            asked.write(f"{request_ids[-1]} {uuid.uuid4()}\n")
            asked.flush()
            assert built.readline().strip() == request_ids[-1]
        return request_ids


@contextmanager
def cells(api: Cloud, cell: Cloud, folder: Path, *, driver: str = "", **more: str) -> Iterator[Cells]:
    """Start all services; they end with the block.

    Args:
        cell: the same as `api` for a cloud without cells.
        driver: what comes before their transport URLs.
        more: of `cell_service`: spans, where they trace to; notifies, where they notify.
    """
    with ExitStack() as stack:
        yield Cells(api, cell, folder, stack, driver=driver, **more)


@contextmanager
def _process(program: str, setup: dict[str, str], log: IO[bytes]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.cell_service", program], cwd=HERE, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(json.dumps(setup) + "\n")
    process.stdin.flush()
    try:
        yield process
    finally:
        process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
