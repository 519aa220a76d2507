"""The page of an operation tells what notifications said of its server, and how far its migration is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rpcscope.model import Noted, Notice
from rpcscope.store import Store
from tests.contract.records import SECOND, START
from tests.support.dashboard import import_captures
from tests.support.trouble import TROUBLES, Cloud
from tests.unit.web.conftest import CAPTURES
from tests.unit.web.site import client

NOTIFIED = CAPTURES.parent / "nova34-notifications" / "01_boot_1.jsonl.zst"
SERVER = "003a7e15-8c0a-4889-a087-bc54a24feb64"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def moving(empty: Store) -> Store:
    cloud = Cloud(empty)
    TROUBLES["endless-migrations"](cloud)
    noted = Noted(
        call_id=cloud.base + 9_500, operation_id=cloud.base + 31, unique_id="f" * 32, at_ns=START + 900 * SECOND,
        event="instance.live_migration_rollback.start", instance=SERVER, failure="LiveMigrationFailed",
        notice=Notice(publisher="nova-compute:h1", host="h1", state="active", task_state="migrating", percent=40),
    )  # fmt: skip
    cloud.write(notices=(noted, replace(noted, call_id=cloud.base + 9_501, unique_id="e" * 32, event=HOSTILE)))
    return empty


def test_a_migration_that_does_not_converge_is_said_in_words_with_its_numbers(moving: Store) -> None:
    with client(moving) as web:
        page = web.get("/operations/req-moves").text
    assert "Its copy has come no nearer to its end for 45" in page
    assert "not converging" in page
    assert page.count("<meter ") == 10
    assert "1.0\N{NO-BREAK SPACE}GB a second" in page.replace("\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}")


def test_a_notification_tells_its_event_states_and_error_and_nothing_of_it_is_markup(moving: Store) -> None:
    with client(moving) as web:
        page = web.get("/operations/req-moves").text
        calls = web.get("/api/v1/operations/req-moves/trace").json()
    assert "active / migrating 40 %" in page
    assert "LiveMigrationFailed" in page
    assert HOSTILE not in page
    assert [one["error"] for one in calls["notices"]] == ["LiveMigrationFailed"] * 2
    assert calls["migrations"][0]["pace"] == "not converging"
    assert calls["migrations"][0]["samples"][0]["memory_remaining"] == 4 * 10**9


def test_an_operation_without_either_has_neither_part(moving: Store, empty: Store) -> None:
    Cloud(moving, "bindings").operation(7, request_id="req-plain")
    with client(moving) as web:
        page = web.get("/operations/req-plain").text
    assert 'data-part="notices"' not in page
    assert 'data-part="migration"' not in page


def test_a_recorded_boot_tells_the_way_of_its_server(empty: Store) -> None:
    import_captures(empty, NOTIFIED)
    with client(empty) as web:
        (boot,) = web.get("/api/v1/operations?kind=create&last=all").json()["items"]
        found = web.get(f"/api/v1/operations/{boot['request_id']}/trace").json()["notices"]
    assert (boot["messages"], boot["notifications"], len(found)) == (38, 11, 11)
    states = [(one["state"], one["task_state"]) for one in found if one["event"] == "instance.update"]
    words = ["scheduling", None, None, "networking", "block_device_mapping", "spawning"]
    assert states == [*(("building", word) for word in words), ("active", None)]
    assert [one["event"] for one in found if one["event"].startswith("instance.create")] == [
        "instance.create.start", "instance.create.end",
    ]  # fmt: skip
    assert {one["instance"] for one in found} == {SERVER}
