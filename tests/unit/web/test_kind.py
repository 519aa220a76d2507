"""A kind of operation over the API, and as figures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rpcscope.store import Store
from tests.support.kinds import keep_odd, keep_usual
from tests.unit.query.one import call, stored
from tests.unit.web.site import Web, client

EVIL = "../<script>alert(1)</script>\u202e&kind=x" + "y" * 9_000


@pytest.fixture
def many(empty: Store) -> Iterator[Web]:
    keep_usual(empty, 12)
    keep_odd(empty, "req-slow", "req-missing")
    with client(empty) as found:
        yield found


def test_a_kind_has_its_cost_its_tree_and_its_odd_ones(many: Web) -> None:
    found = many.get("/api/v1/kind?kind=create&last=all").json()
    assert (found["kind"], found["looked_at"], found["all"], found["traced"]) == ("create", 14, True, 14)
    assert [step["method"] for step in found["tree"]["steps"][:2]] == ["build_and_run_instance", "event_start"]
    assert found["tree"]["steps"][1]["whole_ms"]["p50"] == 11.0
    assert [one["operation"]["request_id"] for one in found["odd"]] == ["req-slow", "req-missing"]
    slow = found["odd"][0]["reasons"][1]
    assert (slow["sort"], slow["took_ms"], slow["usual_ms"]) == ("slow", 5_020.0, 21.0)


def test_a_boot_has_the_numbers_of_its_capture(web: Web) -> None:
    found = web.get("/api/v1/kind?kind=create&last=all").json()
    assert found["cost"]["rpcs"]["p50"] == 15
    assert found["cost"]["messages"]["p50"] == 27
    assert found["tree"]["operations"] == 1
    assert sum(method["calls"] + method["casts"] + method["fanouts"] for method in found["methods"]) == 16


@pytest.mark.parametrize("what", ["rpcs", "messages", "bytes", "duration"])
def test_a_figure_counts_every_operation_once(many: Web, what: str) -> None:
    found = many.get(f"/api/v1/figures/kind?kind=create&last=all&what={what}").json()
    assert sum(found["data"][0]["y"]) == 14


def test_a_figure_of_something_else_is_a_problem(web: Web) -> None:
    answer = web.get("/api/v1/figures/kind?kind=create&what=nothing")
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_kind_that_there_is_not_is_empty_everywhere(web: Web) -> None:
    assert web.get("/api/v1/kind?kind=nothing&last=all").json()["tree"] == {"operations": 0, "steps": []}
    assert web.get("/api/v1/figures/kind?kind=nothing&last=all").json()["data"][0]["x"] == []
    page = web.get("/kinds?kind=nothing&last=all")
    assert (page.status_code, "No such operation began in this time" in page.text) == (200, True)


def test_a_kind_of_a_hostile_name_has_a_page_and_its_name_is_text(empty: Store) -> None:
    stored(empty, [call(1, 0, 1, 2, method=EVIL, topic=EVIL)], kind=EVIL)
    with client(empty) as web:
        listed = web.get("/kinds?last=all")
        assert (listed.status_code, "<script>alert" in listed.text) == (200, False)
        kind = web.get("/api/v1/overview?last=all").json()["kinds"][0]["kind"]
        page = web.get("/kinds", params={"kind": kind, "last": "all"})
        assert (page.status_code, "<script>alert" in page.text) == (200, False)
        assert web.get("/api/v1/kind", params={"kind": kind, "last": "all"}).json()["tree"]["operations"] == 1
