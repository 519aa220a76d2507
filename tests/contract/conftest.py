"""One suite, three databases: each test gets an empty one of SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rpcscope.store import Store, open_store
from tests.support.mariadb import MariadbServer, mariadb_server
from tests.support.postgres import PostgresServer, postgres_server

Server = PostgresServer | MariadbServer
DATABASES = [
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.server),
    pytest.param("mariadb", marks=pytest.mark.server),
]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariadbServer]:
    with mariadb_server() as server:
        yield server


@pytest.fixture(params=DATABASES)
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(request: pytest.FixtureRequest, database_kind: str) -> Server | None:
    """The server of the database, None for SQLite."""
    if database_kind == "sqlite":
        return None
    found: Server = request.getfixturevalue(database_kind)
    return found


@pytest.fixture
def store_url(server: Server | None, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if server is None:
        yield str(tmp_path / "store.db")
        return
    url = server.fresh()
    yield url
    server.drop(url)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with open_store(store_url, create=True) as opened:
        yield opened
