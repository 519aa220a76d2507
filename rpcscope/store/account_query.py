"""What processes told of their sides of calls."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, select

from rpcscope.model import Account, Call
from rpcscope.store.account_rows import ACCOUNT_NAMES, account_of
from rpcscope.store.call_rows import NAME_COLUMNS, call_of, open_call
from rpcscope.store.database import Database
from rpcscope.store.names import NameReader
from rpcscope.store.schema import call, call_account, open_message

_IDS = 500


def accounts(database: Database, names: NameReader, call_ids: Collection[int]) -> dict[int, list[Account]]:
    """Accounts by Call.id, in the order of side, process, source; calls without any are left out."""
    rows: list[Row[Any]] = []
    with database.reading() as connection:
        for some in _some(call_ids):
            query = select(call_account).where(call_account.c.call_id.in_(some))
            rows += connection.execute(query.order_by(*call_account.primary_key.columns)).all()
    return _by_call(rows, names)


def newest_accounts(
    database: Database, names: NameReader, limit: int, recording_id: int | None
) -> dict[int, list[Account]]:
    """Those of the calls that began last, about `limit` rows."""
    query = select(call_account).order_by(*(column.desc() for column in call_account.primary_key.columns)).limit(limit)
    if recording_id is not None:
        number = call_account.c.call_id
        query = query.where(number >= recording_id << 40, number < (recording_id + 1) << 40)
    with database.reading() as connection:
        rows = list(connection.execute(query))
    return _by_call(rows[::-1], names)


def calls_by_id(database: Database, names: NameReader, ids: Collection[int]) -> dict[int, Call]:
    """Closed and open calls by id; unknown ids are left out."""
    rows: list[Row[Any]] = []
    found: dict[int, Call] = {}
    with database.reading() as connection:
        for some in _some(ids):
            blobs = connection.execute(select(open_message.c.blob).where(open_message.c.id.in_(some))).scalars()
            found.update((one.id, one) for one in map(open_call, blobs))
            rows += connection.execute(select(call).where(call.c.id.in_(some))).all()
    texts = names.load({row[column] for row in rows for column in NAME_COLUMNS})
    return found | {row.id: call_of(row, texts) for row in rows}


def _by_call(rows: list[Row[Any]], names: NameReader) -> dict[int, list[Account]]:
    texts = names.load({getattr(row, column) for row in rows for column in ACCOUNT_NAMES})
    found: dict[int, list[Account]] = {}
    for row in rows:
        found.setdefault(row.call_id, []).append(account_of(row, texts))
    return found


def _some(ids: Collection[int]) -> list[list[int]]:
    ordered = sorted(ids)
    return [ordered[start : start + _IDS] for start in range(0, len(ordered), _IDS)]
