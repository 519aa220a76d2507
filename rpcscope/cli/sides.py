"""What a command compares: a database, a capture file, a time of it, the recordings of a label."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rpcscope.cli.options import moment
from rpcscope.errors import UsageError

if TYPE_CHECKING:
    from rpcscope.compare.newest import Reading
    from rpcscope.compare.population import Population
    from rpcscope.rules import Rules
    from rpcscope.store.store import Store

_SQLITE = b"SQLite format 3\0"


def side(text: str, labels: Mapping[str, str], reading: Reading, rules: Rules) -> Population:
    """What one side holds.

    Args:
        text: a database's URL or file, or a capture file; `@FROM..TO` behind it is a time.

    Raises:
        UsageError: it is none of these, or nothing carries the labels.
        CaptureError: the capture can not be read.
        StoreError: the database can not.
    """
    from rpcscope.compare.population import population
    from rpcscope.compare.selection import select

    where, from_ns, to_ns = _cut(text)
    with _opened(where, rules) as store:
        reader = store.reader()
        selection = select(reader, labels, from_ns=from_ns, to_ns=to_ns)
        name = store.shown if is_database(where) else Path(where).name
        return population(reader, selection, f"{name} {selection.words}".rstrip(), reading)


def is_database(where: str) -> bool:
    """A URL, or a file that SQLite wrote; anything else is a capture."""
    if "://" in where:
        return True
    try:
        with Path(where).open("rb") as opened:
            return opened.read(len(_SQLITE)) == _SQLITE
    except (OSError, ValueError):
        raise UsageError(f"there is nothing to read at {where!a}: name a database or a capture file") from None


def _cut(text: str) -> tuple[str, int | None, int | None]:
    """Where it is, and its time. A URL may have a @ of its own."""
    where, at, time = text.rpartition("@")
    start, dots, end = time.partition("..")
    if not at or not dots or "/" in time:
        return text, None, None
    return where, moment(start or None, "the time behind @"), moment(end or None, "the time behind @")


@contextmanager
def _opened(where: str, rules: Rules) -> Iterator[Store]:
    from rpcscope.store import open_store

    if is_database(where):
        with open_store(where) as store:
            yield store
        return
    with (
        TemporaryDirectory(prefix="rpcscope-") as folder,
        open_store(str(Path(folder) / "side.sqlite"), create=True) as store,
    ):
        _import(store, Path(where), rules)
        yield store


def _import(store: Store, path: Path, rules: Rules) -> None:
    from rpcscope.capture import CaptureReader
    from rpcscope.cli.importing import import_capture

    with CaptureReader(path) as reader:
        import_capture(store, reader, rules, name=path.name)
