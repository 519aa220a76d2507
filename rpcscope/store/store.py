"""The store as the other rooms open it."""

from __future__ import annotations

from types import TracebackType

from rpcscope.store.database import Database
from rpcscope.store.migrate import check_database, create_tables, make_folder, require_file
from rpcscope.store.reader import SqlReader
from rpcscope.store.writer import SqlWriter


class Store:
    """An open database whose tables fit. Leave it by `close`, or use it in a `with`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def shown(self) -> str:
        """The database as a person knows it, without user and password."""
        return self._database.shown

    def writer(self) -> SqlWriter:
        """A new writer, for one recorder."""
        return SqlWriter(self._database)

    def reader(self) -> SqlReader:
        """A new reader; threads may share it."""
        return SqlReader(self._database)

    def close(self) -> None:
        """Closes every connection."""
        self._database.close()

    def __enter__(self) -> Store:
        """The store itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Closes it."""
        self.close()


def open_store(url: str, *, create: bool = False) -> Store:
    """Opens a store by the URL of a database or the path of an SQLite file.

    With `create` an SQLite file that is not there (and its folder) and the tables of an empty database are made.
    An older store is never changed. Raises StoreError (TransientStoreError when a server can not be reached).
    """
    database = Database(url, create=create)
    try:
        _prepare(database, create)
    except BaseException:
        database.close()
        raise
    return Store(database)


def _prepare(database: Database, create: bool) -> None:
    if create:
        make_folder(database)
        create_tables(database)
    else:
        require_file(database)
    check_database(database)
