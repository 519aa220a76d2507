"""Lists of operations, a host and a server as the API tells them; what can not be asked for is told in a sentence."""

from __future__ import annotations

import pytest

from tests.unit.web.site import Web


def ids(web: Web, query: str) -> list[str]:
    return [one["request_id"] for one in web.get(f"/api/v1/operations?last=all&{query}").json()["items"]]


def test_every_filter_of_the_page_is_one_of_the_api(web: Web) -> None:
    (done,) = ids(web, "status=done")
    (failed,) = ids(web, "status=failed")
    assert ids(web, "min_rpcs=15&max_rpcs=15") == [done]
    assert ids(web, "max_rpcs=14") == [failed]
    assert ids(web, "min_duration=100ms") == [done]
    assert ids(web, "max_duration=0.1s") == [failed]
    assert ids(web, "kind=create&sort=rpcs") == [done, failed]
    assert ids(web, "kind=create&sort=rpcs&order=asc") == [failed, done]
    assert ids(web, "sort=started&order=asc") == ids(web, "")[::-1]
    assert ids(web, "status=unfinished") == []


@pytest.mark.parametrize("order", ["", "&order=asc"])
@pytest.mark.parametrize("sort", ["started", "duration", "rpcs", "messages"])
def test_next_leads_through_every_order_once(web: Web, sort: str, order: str) -> None:
    query = f"/api/v1/operations?last=all&background=1&sort={sort}{order}"
    path: str | None = f"{query}&limit=3"
    found: list[str] = []
    while path:
        answer = web.get(path).json()
        found += [one["request_id"] for one in answer["items"]]
        path = answer["next"]
    assert found == [one["request_id"] for one in web.get(f"{query}&limit=1000").json()["items"]]
    assert len(found) == len(set(found)) > 3


@pytest.mark.parametrize(
    "query",
    [
        "sort=colour",
        "order=up",
        "after=there",
        "after=1.99999999999999999999",
        "min_duration=long",
        "max_duration=1d",
        "min_rpcs=-1",
        "max_rpcs=many",
    ],
)
def test_what_can_not_be_asked_for_is_told_in_a_sentence(web: Web, query: str) -> None:
    for path in ("/api/v1/operations", "/operations"):
        assert web.get(f"{path}?{query}").status_code == 400
    problem = web.get(f"/api/v1/operations?{query}").json()
    assert len(problem["detail"]) > 20


def test_a_host_tells_its_calls_and_operations(web: Web) -> None:
    (done,) = web.get("/api/v1/operations?last=all&status=done").json()["items"]
    host = done["source_host"] or done["dest_host"]
    found = web.get(f"/api/v1/hosts/{host}?last=all").json()
    assert {one["method"]: one["calls"] for one in found["received"]}["build_and_run_instance"] == 1
    assert done in [one["operation"] for one in found["touched"]]
    assert found["operations"] == len(found["touched"])
    assert web.get("/api/v1/hosts/nobody?last=all").json()["received"] == []


def test_a_server_is_asked_for_in_all_time_at_first(web: Web) -> None:
    (done,) = web.get("/api/v1/operations?last=all&status=done").json()["items"]
    (server,) = done["instances"]
    found = web.get(f"/api/v1/instances/{server}").json()
    assert [one["operation"] for one in found["items"]] == [done]
    assert found["items"][0]["names_it"] is True
    assert web.get(f"/api/v1/instances/{server}?from=2001-01-01&to=2001-01-02").json()["items"] == []


def test_an_address_keeps_nothing_that_does_not_filter(web: Web) -> None:
    answer = web.get("/operations?kind=create&status=&min_rpcs=&q=&last=all")
    assert (answer.status_code, answer.headers["location"]) == (303, "/operations?kind=create&last=all")
