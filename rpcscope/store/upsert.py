"""Insert or replace, in the words of each database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import mysql, postgresql, sqlite


def upsert(connection: Connection, table: Table, rows: list[dict[str, Any]], *key: str) -> None:
    """Inserts rows, and replaces every other column of those whose `key` is there already."""
    if not rows:
        return
    others = [column for column in rows[0] if column not in key]
    connection.execute(_STATEMENTS[connection.dialect.name](table, others, key), rows)


def _sqlite(table: Table, others: list[str], key: tuple[str, ...]) -> sqlite.Insert:
    insert = sqlite.insert(table)
    return insert.on_conflict_do_update(index_elements=list(key), set_={c: insert.excluded[c] for c in others})


def _postgresql(table: Table, others: list[str], key: tuple[str, ...]) -> postgresql.Insert:
    insert = postgresql.insert(table)
    return insert.on_conflict_do_update(index_elements=list(key), set_={c: insert.excluded[c] for c in others})


def _mysql(table: Table, others: list[str], _key: tuple[str, ...]) -> mysql.Insert:
    insert = mysql.insert(table)
    return insert.on_duplicate_key_update({c: insert.inserted[c] for c in others})


_STATEMENTS = {"sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mysql}
