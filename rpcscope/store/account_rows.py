"""What processes told of their sides of calls, as rows of `call_account`, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, select

from rpcscope.model import Account, Outcome, Side
from rpcscope.store.schema import INSIDE_TIMES, call_account
from rpcscope.store.text import fit, fit_number
from rpcscope.store.upsert import upsert

ACCOUNT_NAMES = ("host_id", "failure_id")
_KEY = tuple(call_account.primary_key.columns.keys())
_TIMES = tuple(f"{word}_ns" for word in INSIDE_TIMES)
_NUMBERS = ("request_bytes", "reply_bytes", "timeout_ms", "pool_wait_ns")
_SPANS = ("trace_id", "span_id", "parent_span_id")
_IDS = 500


def account_names(accounts: Iterable[Account]) -> set[str]:
    """Every text of accounts that the dictionary of names holds."""
    return {text for one in accounts for text in (one.host, one.failure)}


def put_accounts(connection: Connection, accounts: Iterable[Account], names: Mapping[str, int]) -> None:
    """Stores accounts. What an earlier run of the recorder stored of them is not forgotten."""
    rows = {_key(row): row for row in (_row(one, names) for one in accounts)}
    numbers = sorted({row["call_id"] for row in rows.values()})
    for start in range(0, len(numbers), _IDS):
        query = select(call_account).where(call_account.c.call_id.in_(numbers[start : start + _IDS]))
        for stored in connection.execute(query).mappings():
            row = rows.get(_key(stored))
            if row is not None:
                row.update({name: kept for name, kept in stored.items() if row[name] in (None, 0) and kept})
    upsert(connection, call_account, list(rows.values()), *_KEY)


def account_of(row: Row[Any], texts: Mapping[int, str]) -> Account:
    """The account of a row."""
    values = row._mapping
    return Account(
        call_id=row.call_id,
        side=Side(row.side),
        process=row.process_id,
        source=row.source,
        host=texts[row.host_id],
        at_ns=row.at_ns,
        outcome=Outcome(row.outcome),
        failure=texts[row.failure_id],
        retries=row.retries,
        reconnects=row.reconnects,
        **{name: values[name] for name in (*_TIMES, *_NUMBERS)},
        trace_id=row.trace_id or "",
        span_id=row.span_id or "",
        parent_span_id=row.parent_span_id or "",
    )


def _row(one: Account, names: Mapping[str, int]) -> dict[str, Any]:
    return {
        "call_id": one.call_id,
        "side": int(one.side),
        "process_id": one.process,
        "source": fit(one.source)[:16],
        "host_id": names[one.host],
        "at_ns": one.at_ns,
        "outcome": int(one.outcome),
        "failure_id": names[one.failure],
        "retries": one.retries,
        "reconnects": one.reconnects,
        **{name: fit_number(getattr(one, name)) for name in (*_TIMES, *_NUMBERS)},
        **{name: fit(getattr(one, name)) or None for name in _SPANS},
    }


def _key(row: Mapping[Any, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEY)
