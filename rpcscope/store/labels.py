"""Labels of recordings: `release=2026.2`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import select

from rpcscope.store.database import Database
from rpcscope.store.schema import LABEL_LENGTH, recording_label
from rpcscope.store.text import fit, scrub
from rpcscope.store.upsert import upsert


def put_labels(database: Database, recording_id: int, labels: Mapping[str, str]) -> None:
    """Sets labels of a recording; a key that it has gets the new value, its other keys stay."""
    rows = [
        {"recording_id": recording_id, "key": scrub(key)[:LABEL_LENGTH], "value": fit(value)}
        for key, value in labels.items()
    ]
    if rows:
        with database.writing() as connection:
            upsert(connection, recording_label, rows, "recording_id", "key")


def labels_by_recording(database: Database) -> dict[int, dict[str, str]]:
    """Labels of the recordings that have any, by key."""
    query = select(recording_label).order_by(recording_label.c.recording_id, recording_label.c.key)
    found: defaultdict[int, dict[str, str]] = defaultdict(dict)
    with database.reading() as connection:
        for row in connection.execute(query):
            found[row.recording_id][row.key] = row.value
    return dict(found)
