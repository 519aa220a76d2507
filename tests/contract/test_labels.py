"""Recordings carry labels: what goes in comes out, and a new value replaces the one before."""

from __future__ import annotations

from rpcscope.store import Store
from tests.contract.records import begun, recording_of


def test_labels_come_back_by_recording_and_recordings_without_any_are_left_out(store: Store) -> None:
    writer, first = begun(store)
    _, second = begun(store)
    begun(store)
    writer.label(recording_of(first), {"release": "2026.2", "driver": "libvirt"})
    writer.label(recording_of(second), {"release": "2026.1"})
    writer.label(recording_of(second), {})
    assert store.reader().labels() == {
        recording_of(first): {"driver": "libvirt", "release": "2026.2"},
        recording_of(second): {"release": "2026.1"},
    }


def test_a_label_that_is_there_gets_the_new_value_and_the_others_stay(store: Store) -> None:
    writer, base = begun(store)
    writer.label(recording_of(base), {"release": "2026.1", "site": "Köln"})
    writer.label(recording_of(base), {"release": "2026.2"})
    assert store.reader().labels() == {recording_of(base): {"release": "2026.2", "site": "Köln"}}


def test_hostile_labels_are_held_within_their_columns(store: Store) -> None:
    writer, base = begun(store)
    writer.label(recording_of(base), {"k\0" + "x" * 300: "v" * 10_000 + "\ud800"})
    ((key, value),) = store.reader().labels()[recording_of(base)].items()
    assert (len(key), len(value)) == (64, 255)
