"""Messages that were looked at: what is known to be safe of each, on a screen or for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from rpcscope.cli import output
from rpcscope.cli.fit import put_table
from rpcscope.decode import Decoder
from rpcscope.errors import DecodeError
from rpcscope.model import Clock, Message, Observation
from rpcscope.query.calls import KIND_WORDS
from rpcscope.query.times import iso, ms
from rpcscope.query.words import duration
from rpcscope.rules import Rules

if TYPE_CHECKING:
    from rpcscope_collectors.peek import Peeked

_COLUMNS = (">", "kind", "method", "request id", ">bytes", ">age", "redelivered", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class PeekedRow:
    """One message of a queue. None is unknown."""

    place: int  # from 1, the head of the queue
    kind: str | None  # call, cast, fanout, reply, heartbeat, notification
    method: str | None
    request_id: str | None
    bytes: int
    redelivered: bool  # it was so before this look
    published_at: str | None
    age_ms: float | None
    reason: str | None  # why it is no message of oslo.messaging


def rows_of(messages: Iterable[Observation], rules: Rules, published: Mapping[str, int]) -> list[PeekedRow]:
    """The messages decoded; `published` says when those that were recorded were published, by unique id."""
    decoder = Decoder(rules)
    return [_row(place, seen, decoder, published) for place, seen in enumerate(messages, start=1)]


def _row(place: int, seen: Observation, decoder: Decoder, published: Mapping[str, int]) -> PeekedRow:
    message, reason = _decoded(seen, decoder)
    at_ns = None if message is None else _published_ns(message, published)
    return PeekedRow(
        place=place,
        kind=KIND_WORDS[message.kind] if message else None,
        method=(message.method if message else "") or None,
        request_id=(message.request_id if message else "") or None,
        bytes=seen.size,
        redelivered=seen.redelivered,
        published_at=iso(at_ns),
        age_ms=None if at_ns is None else ms(max(0, seen.at_ns - at_ns)),
        reason=reason,
    )


def _decoded(seen: Observation, decoder: Decoder) -> tuple[Message | None, str | None]:
    try:
        message = decoder.decode(seen)
    except DecodeError as error:
        return None, error.reason
    return (message, None) if isinstance(message, Message) else (None, "rpcscope's own")


def _published_ns(message: Message, published: Mapping[str, int]) -> int | None:
    """By the broker's own stamp where it sets one, else by what was recorded."""
    return message.at_ns if message.clock is Clock.BROKER else published.get(message.unique_id)


def put_peeked(found: Peeked, rows: Sequence[PeekedRow], format_: str) -> None:
    """All rows, with what has to be known of the look itself."""
    if format_ == "json":
        output.put_json(
            {"queue": found.queue, "type": found.type, "consumers_came": found.consumers, "cut": found.cut,
             "messages": [asdict(row) for row in rows]}
        )  # fmt: skip
    elif format_ == "csv":
        output.put_csv(asdict(row) for row in rows)
    else:
        _print(found, rows)


def _print(found: Peeked, rows: Sequence[PeekedRow]) -> None:
    screen = output.console()
    first = "no message" if not rows else "its first message" if len(rows) == 1 else f"its first {len(rows)} messages"
    screen.print(output.cell(f"{found.queue} ({found.type}): {first}."))
    lines = output.table(*_COLUMNS)
    for row in rows:
        age = "" if row.age_ms is None else duration(round(row.age_ms * 1_000_000))
        lines.add_row(
            str(row.place), output.cell(row.kind or "unknown"), output.cell(row.method), output.cell(row.request_id),
            output.size(row.bytes), age, "yes" if row.redelivered else "", output.cell(row.reason),
        )  # fmt: skip
    if rows:
        put_table(lines, spare=("",))
    if found.cut:
        screen.print(output.cell("No more were looked at: their bodies are too large to be held at once."))
    if found.consumers:
        came = f"{found.consumers:,} consumers came meanwhile and may have got later messages before these."
        screen.print(output.cell(came))
