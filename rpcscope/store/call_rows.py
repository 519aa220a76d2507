"""Calls as rows of `call` and of `open_message`, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import msgspec

from rpcscope.model import Call, Clock, Copy, MessageKind, Outcome, ParentSource
from rpcscope.store.schema import call
from rpcscope.store.text import fit, fit_number

CALL_COLUMNS = tuple(call.c.keys())
NAME_COLUMNS = tuple(CALL_COLUMNS.index(f"{word}_id") for word in ("method", "namespace", "version")) + tuple(
    CALL_COLUMNS.index(f"{word}_id") for word in ("exchange", "topic", "server", "failure")
)

_TEXTS = tuple(field.name for field in fields(Call) if field.type == "str")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Call).decode
_decode_copies = msgspec.msgpack.Decoder(list[tuple[int, int]]).decode


def call_names(calls: Iterable[Call]) -> set[str]:
    """Every text of the calls that the dictionary of names holds."""
    texts: set[str] = set()
    for c in calls:
        texts.update((c.method, c.namespace, c.version, c.exchange, c.topic, c.server, c.failure))
    return texts


def first_ns(c: Call) -> int:
    """The first time known of a call: its publish, or what was seen of it when that was not."""
    if c.published_ns is not None:
        return c.published_ns
    seen = (c.delivered_ns, c.replied_ns, c.reply_delivered_ns)
    return min((at for at in seen if at is not None), default=c.last_ns)


def call_rows(calls: Iterable[Call], names: Mapping[str, int]) -> Iterator[tuple[int | str | bytes | None, ...]]:
    """Rows in the order of CALL_COLUMNS. One long expression, because this is the hottest line of the store."""
    for c in calls:
        unique_id, msg_id, parent = c.unique_id, c.msg_id, c.parent_unique_id
        ids = unique_id + msg_id + parent
        if len(ids) > 255 or not ids.isalnum():
            unique_id, msg_id, parent = fit(unique_id), fit(msg_id), fit(parent)
        expiration = c.expiration_ms
        published = c.published_ns
        yield (
            c.id,
            int(c.kind),
            int(c.outcome),
            int(c.flags),
            unique_id,
            msg_id,
            c.operation_id,
            c.cause_id,
            c.parent_id,
            parent,
            int(c.parent_source),
            names[c.method],
            names[c.namespace],
            names[c.version],
            names[c.exchange],
            names[c.topic],
            names[c.server],
            c.from_process,
            c.to_process,
            first_ns(c) if published is None else published,
            published,
            c.delivered_ns,
            c.replied_ns,
            c.reply_delivered_ns,
            c.last_ns,
            expiration if expiration is None else fit_number(expiration),
            int(c.clock),
            c.publishes,
            c.replies,
            c.heartbeats,
            c.copies,
            c.request_bytes,
            c.reply_bytes,
            c.routed,
            names[c.failure],
            (fit(c.trace_context) or None) if c.trace_context else None,
            _encode([(copy.at_ns, copy.process) for copy in c.more_copies]) if c.more_copies else None,
        )


def call_of(row: Sequence[Any], names: Mapping[int, str]) -> Call:
    """The closed call of a row in the order of CALL_COLUMNS."""
    return Call(
        id=row[0],
        kind=MessageKind(row[1]),
        outcome=Outcome(row[2]),
        flags=row[3],
        unique_id=row[4],
        msg_id=row[5],
        operation_id=row[6],
        cause_id=row[7],
        parent_id=row[8],
        parent_unique_id=row[9],
        parent_source=ParentSource(row[10]),
        method=names[row[11]],
        namespace=names[row[12]],
        version=names[row[13]],
        exchange=names[row[14]],
        topic=names[row[15]],
        server=names[row[16]],
        from_process=row[17],
        to_process=row[18],
        published_ns=row[20],
        delivered_ns=row[21],
        replied_ns=row[22],
        reply_delivered_ns=row[23],
        last_ns=row[24],
        expiration_ms=row[25],
        clock=Clock(row[26]),
        publishes=row[27],
        replies=row[28],
        heartbeats=row[29],
        copies=row[30],
        request_bytes=row[31],
        reply_bytes=row[32],
        routed=row[33],
        failure=names[row[34]],
        trace_context=row[35] or "",
        more_copies=_copies(row[36]) if row[36] is not None else (),
    )


def _copies(blob: bytes) -> tuple[Copy, ...]:
    return tuple(Copy(at_ns=at_ns, process=process) for at_ns, process in _decode_copies(blob))


def open_row(c: Call) -> dict[str, Any]:
    """The row of a call that is still open: the whole call in one blob, cleaned as a closed one is."""
    texts = {name: getattr(c, name) for name in _TEXTS}
    dirty: dict[str, Any] = {name: clean for name, text in texts.items() if (clean := fit(text)) is not text}
    kept = replace(c, flags=int(c.flags), expiration_ms=fit_number(c.expiration_ms), **dirty)
    return {
        "id": c.id,
        "msg_id": kept.msg_id,
        "operation_id": c.operation_id,
        "cause_id": c.cause_id,
        "since": first_ns(c),
        "blob": _encode(kept),
    }


def open_call(blob: bytes) -> Call:
    """The open call of a blob."""
    return _decode(blob)
