"""Brings a database to the tables that this rpcscope needs, and tells which ones it has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, inspect, select, text

from rpcscope.errors import StoreError
from rpcscope.store.database import Database
from rpcscope.store.protocol import StoreStatus
from rpcscope.store.schema import metadata

SCRIPTS = "rpcscope_migrations:"
_MARK = "rpcscope_meta"
_VERSION = "alembic_version"
_LOCK = 7_272_717  # any number; all rpcscope programs use the same one

_SIZES = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_database_size(current_database())",
    "mysql": "SELECT COALESCE(SUM(data_length + index_length), 0) FROM information_schema.tables"
    " WHERE table_schema = DATABASE()",
}


def upgrade(url: str) -> None:
    """Creates the tables of an empty database, or brings those of an older rpcscope up to date.

    Raises StoreError for a database of a newer rpcscope or of another program, and leaves it as it is.
    """
    with _database(url) as database:
        upgrade_database(database)


def check(url: str) -> None:
    """Returns when the database fits this rpcscope; raises StoreError with what to do otherwise."""
    with _database(url) as database:
        require_file(database)
        check_database(database)


def status(url: str) -> StoreStatus:
    """Revision, size and rows of a database, also of one that is behind or empty."""
    with _database(url) as database:
        require_file(database)
        return database_status(database)


def upgrade_database(database: Database, *, only_empty: bool = False) -> None:
    """See `upgrade`; with `only_empty` a database that has tables is left as it is."""
    make_folder(database)
    if database.dialect == "sqlite":
        _use_wal(database)
    with database.writing() as connection, _alone(connection):
        revision = _revision(connection, database.shown)
        if revision and revision not in _known():
            raise StoreError(_ahead(database.shown, revision))
        if revision and only_empty:
            return
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check_database(database: Database) -> None:
    """See `check`."""
    with database.reading() as connection:
        revision = _revision(connection, database.shown)
    if not revision:
        raise StoreError(f"the database {database.shown} is empty: run `rpcscope db upgrade`")
    if revision not in _known():
        raise StoreError(_ahead(database.shown, revision))
    if revision != _head():
        raise StoreError(
            f"the database {database.shown} is at revision {revision}, this rpcscope needs {_head()}:"
            " run `rpcscope db upgrade`"
        )


def create_tables(database: Database) -> None:
    """Makes the tables of an empty database; waits for another program that is making them."""
    with database.reading() as connection:
        ready = {_MARK, _VERSION} <= set(inspect(connection).get_table_names()) and _stored_revision(connection)
    if not ready:
        upgrade_database(database, only_empty=True)


def require_file(database: Database) -> None:
    """Raises StoreError for an SQLite file that is not there, which SQLite itself would make."""
    if database.path is not None and not database.path.exists():
        raise StoreError(f"there is no store at {database.shown}: record or import something first")


def make_folder(database: Database) -> None:
    """Creates the folder of an SQLite file."""
    if database.path is None:
        return
    try:
        database.path.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        raise StoreError(f"the folder {database.path.parent} can not be made: name another store") from None


def database_status(database: Database) -> StoreStatus:
    """See `status`."""
    with database.reading() as connection:
        revision = _revision(connection, database.shown)
        size = int(connection.execute(text(_SIZES[database.dialect])).scalar_one())
        return StoreStatus(
            revision=revision,
            head=_head(),
            dialect=database.dialect,
            size_bytes=size if revision else 0,
            rows=table_counts(connection),
        )


def table_counts(connection: Connection) -> dict[str, int]:
    """Rows of each table that is there."""
    present = set(inspect(connection).get_table_names())
    tables = [table for table in metadata.sorted_tables if table.name in present]
    return {t.name: connection.execute(select(func.count()).select_from(t)).scalar_one() for t in tables}


def _revision(connection: Connection, shown: str) -> str:
    """The revision of the database, "" when it is empty. Raises StoreError when it is not rpcscope's."""
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return ""
    if not {_MARK, _VERSION} <= tables:
        raise StoreError(f"the database {shown} has tables of another program: name an empty database")
    revision = _stored_revision(connection)
    if not revision:
        # MariaDB can not undo a CREATE TABLE.
        raise StoreError(
            f"the database {shown} has no revision: its creation was interrupted, drop it and create it again"
        )
    return revision


def _stored_revision(connection: Connection) -> str:
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def _ahead(shown: str, revision: str) -> str:
    return (
        f"the database {shown} was written by a newer rpcscope (revision {revision}, this one knows {_head()}):"
        " install the newer rpcscope"
    )


def _use_wal(database: Database) -> None:
    # A property of the file, which can not be set within a transaction.
    with database.outside() as connection:
        tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
        if not tables:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Keeps a second upgrade waiting. SQLite needs nothing more than its write transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    if connection.dialect.name != "mysql":
        yield
        return
    connection.execute(text(f"SELECT GET_LOCK('rpcscope.{_LOCK}', 60)"))
    try:
        yield
    finally:
        connection.execute(text(f"SELECT RELEASE_LOCK('rpcscope.{_LOCK}')"))


@contextmanager
def _database(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", SCRIPTS)
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _head() -> str:
    return _scripts().get_current_head() or ""


def _known() -> set[str]:
    return {script.revision for script in _scripts().walk_revisions()}
