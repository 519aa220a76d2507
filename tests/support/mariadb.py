"""A private MariaDB server for tests: own port of 127.0.0.1, own data folder, gone at the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pymysql
from pymysql.cursors import Cursor

from rpcscope.free_ports import free_port
from tests.support.postgres import PASSWORD, START_SECONDS, URL_PASSWORD


@dataclass
class MariadbServer:
    """A running server. `fresh` makes an empty database and returns its URL."""

    port: int
    process: subprocess.Popen[bytes]
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def fresh(self) -> str:
        name = f"store{next(self.numbers)}"
        self.execute(f"CREATE DATABASE `{name}`")
        return self.url(name)

    def url(self, name: str) -> str:
        return f"mariadb://rpcscope:{URL_PASSWORD}@127.0.0.1:{self.port}/{name}"

    def drop(self, url: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS `{url.rpartition('/')[2]}`")

    def disconnect_all(self) -> None:
        """Ends every other connection, as a restart of the server does."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT id FROM information_schema.processlist WHERE user = 'rpcscope'")
                for (number,) in cursor.fetchall():
                    cursor.execute(f"KILL {number}")
        finally:
            connection.close()

    def execute(self, statement: str) -> None:
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    def connect(self) -> pymysql.Connection[Cursor]:
        return pymysql.connect(host="127.0.0.1", port=self.port, user="root", connect_timeout=10)


@contextmanager
def mariadb_server() -> Iterator[MariadbServer]:
    """Starts a server and stops it at the end; fails with a sentence where MariaDB is not installed."""
    daemon, installer = _program("mariadbd"), _program("mariadb-install-db")
    folder = Path(tempfile.mkdtemp(prefix="rpcscope-mariadb-"))
    try:
        _make_data(installer, folder)
        with _running(daemon, folder) as server:
            server.execute(f"CREATE USER rpcscope@'%' IDENTIFIED BY '{PASSWORD}'")
            server.execute("GRANT ALL ON *.* TO rpcscope@'%'")
            yield server
    finally:
        shutil.rmtree(folder)


def _program(name: str) -> str:
    found = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin")))
    if found is None:
        raise RuntimeError("MariaDB server not found: apt-get install mariadb-server")
    return found


def _as_root() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []


def _make_data(installer: str, folder: Path) -> None:
    options = [f"--datadir={folder / 'data'}", "--auth-root-authentication-method=normal", "--skip-test-db"]
    command = [installer, "--no-defaults", *options, *_as_root()]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"mariadb-install-db failed: {done.stdout}{done.stderr}")


@contextmanager
def _running(daemon: str, folder: Path) -> Iterator[MariadbServer]:
    port = free_port()
    options = [
        f"--datadir={folder / 'data'}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        f"--socket={folder / 'socket'}",
        f"--pid-file={folder / 'pid'}",
        "--innodb-flush-log-at-trx-commit=0",
        "--skip-name-resolve",
    ]
    with (folder / "log").open("wb") as log:
        command = [daemon, "--no-defaults", *options, *_as_root()]
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        server = MariadbServer(port, process)
        try:
            _wait(server, folder / "log")
            yield server
        finally:
            process.terminate()
            process.wait()


def _wait(server: MariadbServer, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            server.connect().close()
        except pymysql.MySQLError as error:
            if server.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"MariaDB did not start: {log.read_text(errors='replace')[-2000:]}") from error
            time.sleep(0.05)
        else:
            return
