"""A recorder in a process of its own, so that what it does delays nothing of an emulation."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rpcscope.cli.cleaning import owned
from rpcscope.errors import BrokerError

if TYPE_CHECKING:
    from rpcscope.cli.ground import Ground

_START_S = 120.0
_STOP_S = 90.0
_QUEUES_EVERY_S = 5
_BEGUN = "rpcscope: recording "
_PROGRAM = "from rpcscope.cli import main; main()"


class RecorderBeside:
    """`rpcscope record` of one vhost. Passwords go by its environment, which nobody else may read."""

    def __init__(self, ground: Ground, vhost: str, db: str, folder: Path, *, label: str, conditions: str) -> None:
        """Nothing is started yet. `folder`: where it writes what it says."""
        self._ground, self._vhost, self._db, self._folder = ground, vhost, db, folder
        self._label, self._conditions = label, conditions
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return once it records. Raises BrokerError with what it said."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-c", _PROGRAM, "record", *self._options()],
                env=os.environ | self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,  # Ctrl-C is for us
            )  # fmt: skip
        deadline = time.monotonic() + _START_S
        while _BEGUN not in self.said:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise BrokerError(f"the recorder beside the emulation did not start: {self._last()}")
            time.sleep(0.05)

    @property
    def said(self) -> str:
        """What it has written so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def failure(self) -> str:
        """What ended it before its time; "" while it runs."""
        return self._last() if self._process is not None and self._process.poll() is not None else ""

    def stop(self) -> str:
        """Let it store what the broker traced so far, and end; what it had to complain of, or ""."""
        if self._process is None:
            return ""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            code = self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return "the recorder did not end in time: what it had not stored is missing"
        return "" if code == 0 else self._last()

    def kill(self) -> None:
        """End it at once; what was recorded stays."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    @property
    def _log(self) -> Path:
        return self._folder / "recorder.log"

    def _options(self) -> list[str]:
        ground = self._ground
        options = ["--mode", "control", "--name", "emulation", "--churn", "--conditions", self._conditions]
        options += ["--label", f"run={self._label or self._vhost}"]
        if ground.prometheus_url:  # a broker for this run alone may be asked often
            options += ["--prometheus-url", ground.prometheus_url, "--queues-every", str(_QUEUES_EVERY_S)]
        return options + (["--state-dir", str(ground.state)] if ground.state else [])

    def _environment(self) -> dict[str, str]:
        return {
            **owned(),
            "RPCSCOPE_DB": self._db,
            "RPCSCOPE_TRANSPORT_URL": self._ground.transport_url(self._vhost),
            "RPCSCOPE_MANAGEMENT_URL": self._ground.account_url(),
        }

    def _last(self) -> str:
        lines = [line.strip() for line in self.said.splitlines() if line.strip()]
        return lines[-1].removeprefix("rpcscope: ") if lines else "it said nothing"
