"""The dictionary of names is bounded in memory and right whatever was forgotten."""

from __future__ import annotations

import pytest

from rpcscope.model import Batch
from rpcscope.store import Store
from tests.contract.records import begun, make_call, recording_of


def test_a_name_is_stored_once_and_the_empty_one_never(store: Store) -> None:
    writer, base = begun(store)
    words = {"namespace": "", "version": "", "exchange": "", "topic": "", "server": "", "failure": ""}
    for number in range(1, 4):
        calls = (make_call(base + number, method="ping", **words),)
        writer.write(Batch(recording_id=recording_of(base), calls=calls))
    assert store.reader().counts()["name"] == 1


def test_writer_and_reader_remember_a_bounded_number_of_names(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rpcscope.store.names.CACHED", 20)
    writer, base = begun(store)
    reader = store.reader()
    for start in range(0, 300, 30):
        calls = tuple(make_call(base + start + n, method=f"method_{start + n}") for n in range(30))
        writer.write(Batch(recording_id=recording_of(base), calls=calls))
        assert len(writer._names._ids) == 20
        first = calls[0].published_ns
        assert [call.method for call in reader.calls(since_ns=first)] == [call.method for call in calls]
        assert len(reader._names._texts) <= 20 + 30 + 7
    again = make_call(base + 1_000, method="method_0")
    writer.write(Batch(recording_id=recording_of(base), calls=(again,)))
    assert [call.method for call in reader.calls()][-1] == "method_0"


def test_a_writer_keeps_the_names_that_it_used_last(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rpcscope.store.names.CACHED", 20)
    writer, base = begun(store)
    for start in range(0, 60, 2):
        calls = (make_call(base + start, method="always"), make_call(base + start + 1, method=f"method_{start}"))
        writer.write(Batch(recording_id=recording_of(base), calls=calls))
    assert "always" in writer._names._ids
    assert "method_0" not in writer._names._ids
