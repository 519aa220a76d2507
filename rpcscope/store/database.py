"""One database: its address, its engine, and the two ways to be in a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from rpcscope.errors import StoreError
from rpcscope.store.failures import DRIVER_ERRORS, translate

BUSY_TIMEOUT_S = 15.0
CONNECT_TIMEOUT_S = 10
_BEGIN = "rpcscope_begin"
_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mysql+pymysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mariadb+pymysql": "mysql+pymysql",
}
_HOW = "write a path, sqlite:///path, postgresql://user@host/name or mariadb://user@host/name"


def parse_url(text: str) -> URL:
    """The address of a database from a URL or the plain path of an SQLite file.

    Raises StoreError, without the text itself, as it may hold a password.
    """
    if "://" not in text:
        return URL.create("sqlite", database=str(Path(text).expanduser().absolute()))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise StoreError(f"the database URL can not be read: {_HOW}") from None
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise StoreError(f"rpcscope has no driver for this kind of database URL: {_HOW}")
    if not url.database or url.database == ":memory:":
        raise StoreError(f"the database URL names no database: {_HOW}")
    return url.set(drivername=driver)


class Database:
    """An engine for one address. Connections are made when needed and closed by `close`.

    Threads may share it; each `reading` and `writing` has a connection of its own.
    """

    def __init__(self, url: str, *, create: bool = True) -> None:
        """Without `create`, an SQLite file that is not there (or no longer) is an error, and is not made."""
        self.url = parse_url(url)
        self.dialect = self.url.get_backend_name()  # sqlite, postgresql, mysql
        self.engine = _engine(self.url, create)

    @property
    def shown(self) -> str:
        """The database as error messages name it: without user and password."""
        if self.dialect == "sqlite":
            return str(self.url.database)
        port = f":{self.url.port}" if self.url.port else ""
        return f"{self.url.database} on {self.url.host or 'localhost'}{port}"

    @property
    def path(self) -> Path | None:
        """The file of an SQLite database, None for a server."""
        return Path(str(self.url.database)) if self.dialect == "sqlite" else None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads. Raises StoreError for what the driver raises."""
        with self._translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed at the end of the block, and undone when the block raises.

        On SQLite it waits for the lock at its beginning, where waiting can not deadlock.
        """
        with self._translated(), self.engine.connect() as connection:
            connection.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
            with connection.begin():
                yield connection

    @contextmanager
    def outside(self) -> Iterator[Connection]:
        """A connection to SQLite without a transaction, for what can not be said within one."""
        with self._translated(), self.engine.connect() as connection:
            connection.execution_options(**{_BEGIN: None})
            yield connection

    def close(self) -> None:
        """Closes every connection."""
        self.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DRIVER_ERRORS as error:
            raise translate(error, self.shown) from error


def _engine(url: URL, create: bool) -> Engine:
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, create)
    # READ COMMITTED on both: a writer must see the names that another one committed a moment ago.
    options: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT_S}
    if url.get_backend_name() == "mysql":
        # Strict, whatever the server says: a value that does not fit is an error, never cut silently.
        options |= {"charset": "utf8mb4", "sql_mode": "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION"}
    return create_engine(
        url, connect_args=options, isolation_level="READ COMMITTED", pool_pre_ping=True, hide_parameters=True
    )


def _sqlite(url: URL, create: bool) -> Engine:
    address = f"{Path(str(url.database)).absolute().as_uri()}?mode={'rwc' if create else 'rw'}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S, check_same_thread=False)

    engine = create_engine(url, creator=connect, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # The driver's own idea of transactions is off: BEGIN is said below.
        connection.isolation_level = None
        # FULL: each commit reaches the disk, so that neither kill -9 nor a power cut undoes what was acknowledged.
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA cache_size=-65536")
        connection.execute("PRAGMA temp_store=MEMORY")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        statement = connection.get_execution_options().get(_BEGIN, "BEGIN")
        if statement:
            connection.exec_driver_sql(statement)

    return engine
