"""Expected beside measured: a plan of 12 boots beside ten that were recorded."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rpcscope.query import runs
from rpcscope.query.run_words import provenance_note, shortfalls
from rpcscope.query.runs import compared, is_silent, wire_kind
from rpcscope.store import open_store
from rpcscope.store.run_rows import Run, RunState
from tests.support.dashboard import CAPTURES, import_captures
from tests.support.runs import ASKED, EXPECTED, OUTCOME, plant_run

SECOND = 1_000_000_000
RUN = Run(what="drain", vhost="v", started_ns=0, heard_ns=100 * SECOND, asked={}, expected={}, outcome={})


def test_a_plan_stands_beside_what_its_own_vhost_has_and_nothing_else(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "store.sqlite"), create=True) as store:
        import_captures(store, CAPTURES / "12_evacuate_6.jsonl.zst")
        found = compared(store.reader(), plant_run(store))
    (kind,) = found.kinds
    assert kind.name == "create"
    assert kind.expected is not None
    assert kind.measured is not None
    assert (kind.expected.operations, kind.measured.operations) == (12, 10)
    assert (kind.measured.done, kind.measured.failed, kind.measured.others) == (10, 0, 0)
    assert (kind.expected.messages, kind.measured.messages) == (12 * 29, 10 * 29)
    assert kind.measured.p50_s == pytest.approx(0.52, abs=0.1)
    methods = {one.method: (one.expected, one.measured) for one in found.methods}
    expected, measured = methods["build_and_run_instance"]
    assert expected == (12, 12, 180_000)
    assert measured is not None
    assert measured[:2] == (10, 10)
    assert methods["select_destinations"][0] is None
    assert sum((measured or (0, 0, 0))[1] for _, measured in methods.values()) == 10 * 29
    assert found.background_messages > 0
    json.dumps(found.as_dict())


def test_a_run_that_nobody_recorded_has_nothing_measured(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "store.sqlite"), create=True) as store:
        found = compared(store.reader(), plant_run(store, vhost="rpcscope-elsewhere"))
    assert found.recordings == ()
    assert [(one.name, one.measured) for one in found.kinds] == [("create", None)]


def test_methods_of_too_many_messages_are_counted_only_when_all_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "MOST_MESSAGES", 100)
    with open_store(str(tmp_path / "store.sqlite"), create=True) as store:
        reader, run = store.reader(), plant_run(store)
        few, all_of_them = compared(reader, run), compared(reader, run, all_methods=True)
    assert (few.methods_left_out, few.methods, few.as_dict()["methods"]) == (True, (), None)
    assert not all_of_them.methods_left_out
    assert all_of_them.methods


def test_kinds_of_templates_are_told_as_they_are_recorded() -> None:
    assert [wire_kind(kind) for kind in ("create", "create-no-valid-host", "startup:compute", "startup:ping")] == [
        "create", "create", "startup", "startup",
    ]  # fmt: skip


def test_boots_without_a_host_count_as_boots_that_failed(tmp_path: Path) -> None:
    kinds = EXPECTED["kinds"]
    refused = kinds["create"] | {"asked": 3, "done": 0, "failed": 3, "messages": 30, "took_p50_s": None}
    with open_store(str(tmp_path / "store.sqlite"), create=True) as store:
        run = plant_run(store, expected=EXPECTED | {"kinds": kinds | {"create-no-valid-host": refused}})
        (kind,) = compared(store.reader(), run).kinds
    assert kind.expected is not None
    found = kind.expected
    assert (found.operations, found.done, found.failed, found.messages, found.p50_s) == (15, 12, 3, 378, 0.5)


def test_a_run_is_silent_when_it_runs_and_says_nothing() -> None:
    assert is_silent(RUN, 131 * SECOND)
    assert not is_silent(RUN, 129 * SECOND)
    assert not is_silent(replace(RUN, state=RunState.DONE), 10_000 * SECOND)


def test_what_a_run_did_not_do_is_said() -> None:
    said = shortfalls(replace(RUN, outcome=OUTCOME))
    assert said[0] == "The pace was not kept: 1.50 a second of 2.00 asked for, 25% less"
    assert "1 operations ended with NoValidHost" in said
    assert "3 calls had no answer in their caller's time" in said
    assert "2 replies came when nobody waited any more" in said
    assert shortfalls(RUN) == []


def test_a_fake_driver_is_said_wherever_there_is_one() -> None:
    (note,) = provenance_note(ASKED)
    assert note.startswith("The templates are recordings of nova 34.0 on a fake driver")
    mixed = {"templates": {**ASKED["templates"], "delete": {"release": "nova 34.0", "driver": "libvirt"}}}
    assert provenance_note(mixed)[0].startswith("The templates of create are")
    assert provenance_note({"templates": {"delete": {"driver": "libvirt"}}}) == []
