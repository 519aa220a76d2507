"""The hot path: rows into `call` by the fastest way that each driver has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, LargeBinary, SmallInteger

from rpcscope.store.call_rows import CALL_COLUMNS
from rpcscope.store.schema import call

_MARKS = {"sqlite": "?", "mysql": "%s"}
CallRow = tuple[int | str | bytes | None, ...]


def insert_calls(connection: Connection, rows: Iterable[CallRow]) -> None:
    """Inserts rows in the order of CALL_COLUMNS within the connection's transaction."""
    if connection.dialect.name == "postgresql":
        _copy(connection, rows)
    else:
        _execute_many(connection, rows)


def _execute_many(connection: Connection, rows: Iterable[CallRow]) -> None:
    mark = _MARKS[connection.dialect.name]
    table = connection.dialect.identifier_preparer.format_table(call)
    marks = ", ".join(mark for _ in CALL_COLUMNS)
    statement = f"INSERT INTO {table} ({', '.join(CALL_COLUMNS)}) VALUES ({marks})"  # noqa: S608, only our own names
    cursor: Any = connection.connection.cursor()
    try:
        # PyMySQL makes long multi-row statements of it.
        cursor.executemany(statement, rows if connection.dialect.name == "sqlite" else list(rows))
    finally:
        cursor.close()


def _copy(connection: Connection, rows: Iterable[CallRow]) -> None:
    driver: Any = connection.connection.driver_connection
    columns = ", ".join(CALL_COLUMNS)
    with driver.cursor() as cursor, cursor.copy(f"COPY call ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(_COPY_TYPES)
        for row in rows:
            copy.write_row(row)


def _copy_type(column: Any) -> str:
    for kind, word in ((BigInteger, "int8"), (SmallInteger, "int2"), (Integer, "int4")):
        if isinstance(column.type, kind):
            return word
    return "bytea" if isinstance(column.type, LargeBinary) else "varchar"


_COPY_TYPES = [_copy_type(column) for column in call.c]
