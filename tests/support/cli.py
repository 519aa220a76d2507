"""The program as a user runs it: in a process of its own, with a home of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests.support.warm import PLAIN, is_warm, warm

PROGRAM = Path(sys.executable).with_name("rpcscope")
GIVE_UP_S = 120.0


@dataclass(frozen=True)
class Done:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The one sentence on stderr; anything else there is a fault of the program."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("rpcscope: "), self.err
        return lines[0].removeprefix("rpcscope: ")


@dataclass
class Running:
    """A recorder that runs."""

    process: subprocess.Popen[str]
    log: Path

    @property
    def said(self) -> str:
        """What it has written to stderr so far."""
        return self.log.read_text()

    def wait_for(self, words: str) -> None:
        """Until it says so; a failure when it ends before or never does."""
        deadline = time.monotonic() + GIVE_UP_S
        while words not in self.said:
            assert self.process.poll() is None, f"it ended with {self.process.returncode}: {self.said}"
            assert time.monotonic() < deadline, f"it never said {words!r}: {self.said}"
            time.sleep(0.02)

    def kill(self) -> None:
        """As a crash ends it."""
        self.process.kill()
        self._rest()

    def end(self, number: signal.Signals = signal.SIGINT) -> Done:
        """Ask it to end, and wait."""
        self.process.send_signal(number)
        return self.done()

    def done(self) -> Done:
        """Wait for its end."""
        out = self._rest()
        return Done(self.process.returncode, out, self.said)

    def _rest(self) -> str:
        return self.process.communicate(timeout=GIVE_UP_S)[0]


@dataclass(frozen=True)
class Cli:
    """Runs commands on one database, which is a file of its folder unless named."""

    folder: Path
    db: str = ""
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def database(self) -> str:
        return self.db or str(self.folder / "store.sqlite")

    def environment(self) -> dict[str, str]:
        return PLAIN | {"HOME": str(self.folder / "home"), "RPCSCOPE_DB": self.database} | dict(self.env)

    def run(self, *args: str | Path, **how: Any) -> Done:
        """Run a command to its end. `how`: more for subprocess.run."""
        argv, env = [str(PROGRAM), *map(str, args)], self.environment()
        if how or not is_warm(env):
            done = subprocess.run(
                argv, env=env, cwd=self.folder, text=True, capture_output=True, check=False, timeout=GIVE_UP_S,
                stdin=subprocess.DEVNULL, **how,
            )  # fmt: skip
        else:
            done = warm().run(argv, env, self.folder, GIVE_UP_S)
        return Done(done.returncode, done.stdout, done.stderr)

    def ok(self, *args: str | Path) -> str:
        """What a command prints that must go well and say nothing on stderr."""
        done = self.run(*args)
        assert (done.code, done.err) == (0, ""), done
        return done.out

    def json(self, *args: str | Path) -> Any:
        """The same with `--format json`, read."""
        return json.loads(self.ok(*args, "--format", "json"))

    def refused(self, code: int, *args: str | Path, **how: Any) -> str:
        """The sentence of a command that must end with an error, and print nothing else."""
        done = self.run(*args, **how)
        assert (done.code, done.out) == (code, ""), done
        return done.sentence

    @contextmanager
    def running(self, *args: str | Path) -> Iterator[Running]:
        """A command in the background; killed at the end if it still runs."""
        log = self.folder / f"stderr-{time.monotonic_ns()}"
        with log.open("w") as stderr:
            process = self._start(args, stderr)
        try:
            yield Running(process, log)
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
            if process.stdout is not None:
                process.stdout.close()

    def _start(self, args: tuple[str | Path, ...], stderr: IO[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [PROGRAM, *args], env=self.environment(), cwd=self.folder, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
        )  # fmt: skip


def new_cli(folder: Path, db: str = "", **env: str) -> Cli:
    """A user with an empty home."""
    (folder / "home").mkdir(parents=True, exist_ok=True)
    return Cli(folder, db, env)
