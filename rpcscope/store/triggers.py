"""Details that one process asks another's recorder for, by way of the store."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, update

from rpcscope.store.database import Database
from rpcscope.store.schema import flight_trigger
from rpcscope.store.text import fit


def ask(database: Database, *, at_ns: int, name: str, why: str, minutes: float) -> int:
    """Writes a trigger down; its id."""
    row = {"at_ns": at_ns, "name": fit(name), "why": fit(why), "minutes_milli": round(minutes * 1000)}
    with database.writing() as connection:
        key: Any = connection.execute(insert(flight_trigger).values(row)).inserted_primary_key
        return int(key[0])


def take(database: Database, trigger_id: int, at_ns: int) -> bool:
    """Marks a trigger as taken; False when it was taken before, or is not there any more."""
    c = flight_trigger.c
    query = update(flight_trigger).where(c.id == trigger_id, c.taken_ns.is_(None)).values(taken_ns=at_ns)
    with database.writing() as connection:
        return connection.execute(query).rowcount > 0
