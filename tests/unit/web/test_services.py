"""The API of services and methods says what the queries say; the picture of services."""

from __future__ import annotations

import itertools
import re

import pytest

from rpcscope.query.methods import methods
from rpcscope.query.services import services
from rpcscope.store import Store
from rpcscope_web.graph.drawing import draw
from rpcscope_web.graph.layout import plan
from rpcscope_web.paces import pace
from rpcscope_web.render import address
from tests.unit.web.site import Web

ALL = (0, 2**62)


def test_services_of_the_api_are_those_of_the_query(web: Web, two_captures: Store) -> None:
    answer = web.get("/api/v1/services?last=all").json()
    found = services(two_captures.reader(), *ALL)
    calls = {(edge.sender, edge.worker): edge.red.calls for edge in found.edges}
    assert {(edge["from"], edge["to"]): edge["calls"] for edge in answer["edges"]} == calls
    assert [one["service"] for one in answer["services"]] == [one.name for one in found.services]
    assert answer["looked"]["estimate"] is False


def test_methods_of_the_api_follow_each_other_page_by_page(web: Web, two_captures: Store) -> None:
    path: str | None = "/api/v1/methods?last=all&sort=name&limit=7"
    found: list[str] = []
    while path:
        answer = web.get(path).json()
        assert len(answer["items"]) <= 7
        found += [item["method"] for item in answer["items"]]
        path = answer["next"]
    assert found == [row.method for row in methods(two_captures.reader(), *ALL, order="name").rows]
    assert len(found) > 7


def test_one_method_of_the_api_has_its_callers_and_workers(web: Web) -> None:
    answer = web.get("/api/v1/methods/build_and_run_instance?last=all").json()
    assert (answer["count"], answer["kinds"], answer["error_share"]) == (1, {"cast": 1}, None)
    assert [one["name"] for one in answer["callers"]] == ["schedule_and_build_instances"]
    assert answer["wait_ms"]["count"] == 1
    assert answer["total_ms"]["p50"] is None
    nothing = web.get("/api/v1/methods/never?last=all").json()
    assert (nothing["count"], nothing["workers"], nothing["unevenness"]) == (0, [], None)


@pytest.mark.parametrize("view", ["rate", "duration"])
def test_figures_of_a_method_have_a_point_where_it_was_called(web: Web, view: str) -> None:
    figure = web.get(f"/api/v1/figures/method?name=select_destinations&last=all&view={view}").json()
    assert any(value for trace in figure["data"] for value in trace["y"])
    assert web.get(f"/api/v1/figures/method?name=never&view={view}").json()["data"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/methods?sort=colour",
        "/api/v1/methods?limit=0",
        "/api/v1/figures/method",
        "/api/v1/figures/method?name=ping&view=pie",
        f"/api/v1/methods?service={'x' * 256}",
    ],
)
def test_what_can_not_be_read_is_a_problem(web: Web, path: str) -> None:
    answer = web.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_every_edge_has_a_line_that_begins_and_ends_at_its_services(two_captures: Store) -> None:
    found = services(two_captures.reader(), *ALL)
    placed = plan(found.services, found.edges)
    assert len(placed.routes) == len(found.edges)
    for route in placed.routes:
        for box, (x, y) in ((route.boxes[0], route.ends[0]), (route.boxes[-1], route.ends[-1])):
            assert x in (box.x, box.x + 168)
            assert box.y <= y <= box.y + box.height
    tops = sorted((box.x, box.y, box.y + box.height) for box in placed.boxes)
    for (x, _, bottom), (other_x, top, _) in itertools.pairwise(tops):
        assert x != other_x or bottom < top
    drawn = draw(placed, lambda path, **words: address(path, words))
    assert drawn.count('class="node"') == len(found.services)
    assert len(re.findall('class="edge', drawn)) == len(found.edges)
    assert "style=" not in drawn
    assert draw(plan((), ()), lambda path, **words: path) == ""


@pytest.mark.parametrize(
    ("per_second", "words"),
    [(1_234.5, "1,234/s"), (12, "12/s"), (1.26, "1.3/s"), (0.24, "0.24/s"), (1 / 60, "1.0/min"), (1 / 3_600, "1.0/h"),
     (2 / 86_400, "2.0/day"), (1e-9, "<0.1/day"), (0, "0/s"), (None, "?")],
)  # fmt: skip
def test_rates_are_written_in_the_unit_in_which_they_can_be_read(per_second: float | None, words: str) -> None:
    assert pace(per_second) == words
