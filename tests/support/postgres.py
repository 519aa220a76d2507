"""A private PostgreSQL server for tests: own port of 127.0.0.1, own data folder, gone at the end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg

from rpcscope.free_ports import free_port

PASSWORD = "open sesame:@/"
URL_PASSWORD = "open%20sesame%3A%40%2F"
START_SECONDS = 60.0


@dataclass
class PostgresServer:
    """A running server. `fresh` makes an empty database and returns its URL."""

    port: int
    process: subprocess.Popen[bytes]
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def fresh(self) -> str:
        name = f"store{next(self.numbers)}"
        self.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def url(self, name: str) -> str:
        return f"postgresql://rpcscope:{URL_PASSWORD}@127.0.0.1:{self.port}/{name}"

    def drop(self, url: str) -> None:
        self.execute(f'DROP DATABASE IF EXISTS "{url.rpartition("/")[2]}" WITH (FORCE)')

    def disconnect_all(self) -> None:
        """Ends every other connection, as a restart of the server does."""
        self.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

    def execute(self, statement: str) -> None:
        with self.connect() as connection:
            connection.execute(statement.encode())

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="rpcscope",
            password=PASSWORD,
            dbname="postgres",
            autocommit=True,
            connect_timeout=10,
        )


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Starts a server and stops it at the end; fails with a sentence where PostgreSQL is not installed."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="rpcscope-pg-"))
    try:
        _give_to_postgres(folder)
        _make_data(programs, folder)
        with _running(programs, folder) as server:
            yield server
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        raise RuntimeError("PostgreSQL server not found: apt-get install postgresql")
    return found[-1].parent if found else Path(str(on_path)).resolve().parent


def _user() -> str | None:
    # PostgreSQL refuses to run as root.
    return "postgres" if os.geteuid() == 0 else None


def _give_to_postgres(folder: Path) -> None:
    if _user():
        shutil.chown(folder, "postgres", "postgres")


def _make_data(programs: Path, folder: Path) -> None:
    secret = folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    options = ["-U", "rpcscope", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--locale=C.UTF-8"]
    _run([str(programs / "initdb"), "-D", str(folder / "data"), "--no-sync", *options], folder)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, user=_user(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed: {done.stdout}{done.stderr}")


@contextmanager
def _running(programs: Path, folder: Path) -> Iterator[PostgresServer]:
    port = free_port()
    settings = ("fsync=off", "full_page_writes=off", "listen_addresses=127.0.0.1", "max_connections=50")
    options = [part for setting in settings for part in ("-c", setting)]
    command = [str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port), "-k", str(folder), *options]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, user=_user(), stdout=log, stderr=subprocess.STDOUT)
        server = PostgresServer(port, process)
        try:
            _wait(server, folder / "log")
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def _wait(server: PostgresServer, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            server.connect().close()
        except psycopg.OperationalError as error:
            if server.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}") from error
            time.sleep(0.05)
        else:
            return
