"""The dictionary of names: methods, topics, hosts and the like, stored once and referred to by id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from sqlalchemy import Connection, select

from rpcscope.store.database import Database
from rpcscope.store.schema import TEXT_LENGTH, name, rpcscope_meta
from rpcscope.store.text import digest, fit
from rpcscope.store.upsert import upsert

EPOCH = "names_epoch"
CACHED = 100_000
_CHUNK = 500
_T = TypeVar("_T")


class NameWriter:
    """Finds or makes the ids of texts within the caller's transaction.

    What it finds is remembered only by `remember`, after the commit, so that an undone transaction leaves no id
    behind that nobody stored. Each transaction reads the epoch of names: when `prune` has begun a new one since,
    everything remembered is forgotten, as names may have been removed.
    """

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._epoch = -1

    def resolve(self, connection: Connection, texts: Iterable[str]) -> dict[str, int]:
        """Ids of the texts, by the texts as given; "" is 0."""
        epoch = _epoch(connection)
        if epoch != self._epoch:
            self._ids.clear()
            self._epoch = epoch
        found = {text: self._ids[text] for text in texts if text in self._ids}
        fitted = {text: fit(text) for text in texts if text not in found}
        found.update(dict.fromkeys((text for text, kept in fitted.items() if not kept), 0))
        hashes = {text: digest(kept) for text, kept in fitted.items() if kept}
        texts_by_hash = {hashes[text]: fitted[text] for text in hashes}
        ids = _store(connection, texts_by_hash, epoch)
        found.update((text, ids[key]) for text, key in hashes.items())
        return found

    def remember(self, ids: dict[str, int]) -> None:
        """Keeps ids that are committed; the longest unused go first when there are more than 100,000."""
        for text, number in ids.items():
            if len(text) <= TEXT_LENGTH:
                self._ids.pop(text, None)
                self._ids[text] = number
        if len(self._ids) > CACHED:
            for text in list(self._ids)[: len(self._ids) - CACHED]:
                del self._ids[text]


def _epoch(connection: Connection) -> int:
    # The share lock makes a new epoch wait for this transaction, and its names with it.
    query = select(rpcscope_meta.c.value).where(rpcscope_meta.c.key == EPOCH).with_for_update(read=True)
    return int(connection.execute(query).scalar_one())


def _store(connection: Connection, texts: dict[str, str], epoch: int) -> dict[str, int]:
    """Ids by hash. Two writers may bring the same name: both insert or touch it, in one order, then look."""
    rows = [{"hash": key, "text": texts[key], "epoch": epoch} for key in sorted(texts)]
    upsert(connection, name, rows, "hash")
    ids: dict[str, int] = {}
    for chunk in _chunks(list(texts)):
        query = select(name.c.hash, name.c.id).where(name.c.hash.in_(chunk))
        ids.update((row.hash, row.id) for row in connection.execute(query))
    return ids


def read_names(connection: Connection, ids: Iterable[int]) -> dict[int, str]:
    """Texts by their ids; 0 is the empty text."""
    texts = {0: ""}
    for chunk in _chunks([number for number in set(ids) if number]):
        query = select(name.c.id, name.c.text).where(name.c.id.in_(chunk))
        texts.update((row.id, row.text) for row in connection.execute(query))
    return texts


class NameReader:
    """Remembers texts by their ids. An id is never given to another text, so what was read once holds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._texts: dict[int, str] = {0: ""}

    def load(self, ids: Iterable[int]) -> dict[int, str]:
        """Texts of at least these ids."""
        if len(self._texts) > CACHED:
            self._texts = {0: ""}
        texts = self._texts
        missing = set(ids) - texts.keys()
        if missing:
            with self._database.reading() as connection:
                texts.update(read_names(connection, missing))
        return texts

    def id_of(self, text: str) -> int | None:
        """The id of a text, None when it was never stored."""
        if not text:
            return 0
        with self._database.reading() as connection:
            query = select(name.c.id).where(name.c.hash == digest(fit(text)))
            return connection.execute(query).scalar_one_or_none()


def _chunks(items: list[_T]) -> Iterator[list[_T]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
