"""The API says what the queries say, and its errors are problems."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from rpcscope.errors import StoreError
from rpcscope.query.cost import costs
from rpcscope.store import Store, open_store
from rpcscope_web.pulse import Beat, Pulse, look
from tests.support.dashboard import CAPTURES, import_captures
from tests.unit.web.site import Web, client


def test_the_overview_is_what_cost_says(web: Web, two_captures: Store) -> None:
    answer = web.get("/api/v1/overview", params={"last": "all"}).json()
    (cost,) = [one.as_dict() for one in costs(two_captures.reader()) if one.kind == "create"]
    (kind,) = [one for one in answer["kinds"] if one["kind"] == "create"]
    assert (kind["started"], kind["done"], kind["failed"], kind["error_share"]) == (2, 1, 1, 0.5)
    assert sum(kind["trend"]) == 2
    for name in ("rpcs", "calls", "casts", "fanouts", "messages", "messages_by_cause", "bytes", "duration_ms"):
        assert kind["cost"][name] == cost[name]


def test_the_range_of_an_answer_is_told(web: Web) -> None:
    times = {"from": "2026-11-20T08:00:00Z", "to": "2026-11-20T08:40:00Z"}
    answer = web.get("/api/v1/overview", params=times).json()
    assert answer["range"] == {
        "from": "2026-11-20T08:00:00.000000Z", "to": "2026-11-20T08:40:00.000000Z", "follows_clock": False,
    }  # fmt: skip
    assert [one["started"] for one in answer["kinds"]] == [1]


def test_pages_of_operations_follow_each_other_and_have_each_once(web: Web) -> None:
    path: str | None = "/api/v1/operations?last=all&background=1&limit=2"
    found: list[str] = []
    while path:
        answer = web.get(path).json()
        assert len(answer["items"]) <= 2
        found += [item["request_id"] for item in answer["items"]]
        path = answer["next"]
    everything = web.get("/api/v1/operations?last=all&background=1&limit=1000").json()["items"]
    assert found == [item["request_id"] for item in everything]
    assert len(found) > 2


def test_operations_are_filtered_by_status_host_and_server(web: Web) -> None:
    whole = web.get("/api/v1/operations?last=all").json()["items"]
    (failed,) = web.get("/api/v1/operations?last=all&status=failed").json()["items"]
    assert failed["error"] == "NoValidHost"
    (server,) = failed["instances"]
    assert [one["request_id"] for one in web.get(f"/api/v1/operations?instance={server}").json()["items"]] == [
        failed["request_id"]
    ]
    assert len(whole) == 2


def test_one_operation_has_its_calls(web: Web) -> None:
    (done,) = web.get("/api/v1/operations?last=all&status=done").json()["items"]
    (trace,) = web.get(f"/api/v1/operations/{done['request_id']}").json()["items"]
    assert trace["operation"] == done
    assert len([call for call in trace["calls"] if call["request_id"] == done["request_id"]]) == done["rpcs"]


def test_status_queues_and_figures_answer(web: Web) -> None:
    assert web.get("/api/v1/status").json() == {"recorders": []}
    assert web.get("/api/v1/queues").json()["queues"] == []
    figure = web.get("/api/v1/figures/rates?last=all").json()
    assert {trace["name"] for trace in figure["data"]} >= {"nova-conductor", "nova-compute"}


def test_the_messages_of_the_figure_are_those_that_were_recorded(two_captures: Store) -> None:
    from rpcscope.query.rates import rates

    recordings = two_captures.reader().recordings()
    first = next(iter(two_captures.reader().calls(limit=1))).published_ns or 0
    found = rates(two_captures.reader(), first, max(info.last_ns for info in recordings) + 1)
    assert sum(sum(series.counts) for series in found.series) == sum(info.counters.messages for info in recordings)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/nothing", 404),
        ("/api/v1/operations/req-nothing", 404),
        ("/api/v1/overview?last=soon", 400),
        ("/api/v1/operations?limit=0", 400),
        ("/api/v1/operations?limit=many", 400),
        ("/api/v1/operations?status=odd", 400),
        ("/api/v1/operations?after=99999999999999999999.1", 400),
        ("/api/v1/operations?from=2026-01-02&to=2026-01-01", 400),
    ],
)
def test_an_error_is_a_problem_with_a_sentence(web: Web, path: str, status: int) -> None:
    answer = web.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert problem["status"] == status
    assert len(problem["detail"]) > 20


def test_only_reading_is_allowed(web: Web) -> None:
    for path in ("/", "/api/v1/overview", "/api/v1/operations"):
        assert web.post(path).status_code == 405


def test_everything_of_the_api_is_described(web: Web) -> None:
    described = web.get("/api/v1/openapi.json").json()
    assert set(described["paths"]) >= {"/api/v1/overview", "/api/v1/operations", "/api/v1/queues", "/api/v1/status"}
    for path, methods in described["paths"].items():
        assert list(methods) == ["get"], path
        assert methods["get"]["description"], path


def test_a_database_that_is_away_is_said_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    open_store(str(path), create=True).close()
    with open_store(str(path)) as store, client(store) as web:
        assert web.get("/").status_code == 200
        store.close()  # connections in the pool still hold the file
        away = path.rename(tmp_path / "away.sqlite")
        page, answer = web.get("/"), web.get("/api/v1/overview")
        assert (page.status_code, answer.status_code) == (503, 503)
        assert "can not be opened" in page.text
        assert answer.json()["title"] == "Service Unavailable"
        assert not path.exists(), "who only looks makes no database"
        away.rename(path)
        assert web.get("/").status_code == 200


def test_what_is_new_is_told_to_all_who_follow_by_one_look_a_second() -> None:
    looks = [Beat("1", 10), Beat("1", 10), Beat("2", 20)]
    asked: list[int] = []

    def next_look() -> Beat:
        asked.append(1)
        return looks[min(len(asked), len(looks)) - 1]

    async def listen() -> list[list[Beat | None]]:
        pulse = Pulse(next_look, every_s=0.01)

        async def one() -> list[Beat | None]:
            found: list[Beat | None] = []
            async for beat in pulse.beats():
                found.append(beat)
                if beat == Beat("2", 20):
                    break
            return found

        return await asyncio.gather(one(), one(), one())

    assert asyncio.run(listen()) == [[Beat("1", 10), Beat("2", 20)]] * 3
    assert len(asked) < 6


def test_who_follows_is_told_that_the_database_is_away_and_let_go_at_the_end() -> None:
    looks: list[Beat | StoreError] = [Beat("1"), StoreError("away"), StoreError("away")]

    def next_look() -> Beat:
        found = looks.pop(0) if looks else Beat("1")
        if isinstance(found, StoreError):
            raise found
        return found

    async def listen() -> list[Beat | None]:
        pulse = Pulse(next_look, every_s=0.01)
        found: list[Beat | None] = []
        async for beat in pulse.beats():
            found.append(beat)
            if len(found) == 3:
                pulse.close()
        return found

    assert asyncio.run(listen()) == [Beat("1"), Beat(""), Beat("1")]


def test_every_batch_and_every_report_is_another_version(empty: Store) -> None:
    versions = {look(empty.reader()).version}
    for name in ("01_boot_1", "05_delete_1"):
        import_captures(empty, CAPTURES / f"{name}.jsonl.zst")
        versions.add(look(empty.reader()).version)
    assert len(versions) == 3
    assert look(empty.reader()) == look(empty.reader())


def test_answers_are_not_kept_by_proxies_and_files_are(web: Web) -> None:
    assert web.get("/").headers["cache-control"] == "no-store"
    page = web.get("/").text
    style = page.partition('href="/static/')[2].partition('"')[0]
    answer = web.get(f"/static/{style}")
    assert "immutable" in answer.headers["cache-control"]
    assert web.get("/static/old/house.css").headers["cache-control"] == "no-cache"
    assert web.get("/static/old/nothing.css").status_code == 404


def test_plotly_is_that_of_the_installed_package(web: Web) -> None:
    for packing in ("gzip", "identity"):
        answer = web.get("/static/x/plotly.min.js", headers={"accept-encoding": packing})
        assert answer.text.startswith("/**\n* plotly.js v")
    assert json.loads(web.get("/api/v1/figures/rates").text)["layout"]
