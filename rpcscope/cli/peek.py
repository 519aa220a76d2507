"""`rpcscope queues NAME --peek N`: the first messages of a queue on the live broker, decoded, and left there."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from rpcscope.cli.brokers import one_place
from rpcscope.cli.options import opened, the_rules
from rpcscope.errors import StoreError, UsageError

_ASKED = (
    "The first {first} of {queue} ({broker}) {are} taken and given back at once. Order and number stay, but the broker "
    "marks what was looked at as redelivered, and a queue that expires when unused begins its time anew. Go on?"
)


def show_peek(queue: str, count: int, *, db: str | None, yes: bool, format_: str, where: Mapping[str, Any]) -> None:
    """Ask, look, print. Raises UsageError when the queue might be harmed."""
    from rpcscope.cli.peek_view import put_peeked, rows_of
    from rpcscope_collectors.peek import peek
    from rpcscope_collectors.peekable import PeekApi

    place = one_place(dict(where))
    if not place.management_urls:
        raise UsageError("what kind of queue it is has to be asked first: give --management-url")
    api = PeekApi(place.management_urls[0], place.broker.username, place.broker.password)
    first = "message" if count == 1 else f"{count} messages"
    if api.check(place.broker.vhost, queue) == "classic" and not yes:
        _confirm(_ASKED.format(first=first, queue=queue, broker=place.broker, are="is" if count == 1 else "are"))
    found = peek(api, place.broker, queue, count)
    rows = rows_of(found.messages, the_rules(()), _published(queue, str(place.broker), db))
    put_peeked(found, rows, format_)


def _confirm(sentence: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError("a look into a queue has to be agreed to: add --yes, or run it on a terminal")
    click.confirm(sentence, abort=True, err=True)


def _published(queue: str, broker: str, db: str | None) -> dict[str, int]:
    """When what waits in the queue was published, by unique id, as far as it was recorded."""
    from rpcscope.query.waiting import waiting

    try:
        with opened(db) as store:
            return {
                unique_id: at_ns
                for one in waiting(store.reader(), queue)
                if one.watch.broker == broker
                for unique_id, at_ns in one.published.items()
            }
    except StoreError as error:
        click.echo(f"rpcscope: how old they are is not known: {error}", err=True)
        return {}
