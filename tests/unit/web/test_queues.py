"""The pages of queues, their API and their charts: the same numbers everywhere, and unknown is not zero."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rpcscope.store import Store, open_store
from tests.contract.records import SECOND, START
from tests.support.queue_store import LAST_S, LOST_S, REPLY, WAITING, fill
from tests.unit.test_queue_query import record
from tests.unit.web.site import Web, client

DEPTH = (LAST_S - LOST_S) // 10
"""What lies in compute.host-2 at the end."""
TIMES = {"from": "2026-09-21T14:13:20Z", "to": "2026-09-21T14:43:20Z"}  # the first half hour
LATE = {"to": "2026-09-21T17:00:00Z"}


@pytest.fixture(scope="module")
def two_vhosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(str(tmp_path_factory.mktemp("queues") / "store.sqlite"), create=True) as store:
        fill(store, "nova", silent_s=range(600, 1_200))
        fill(store, "cell1", computes=120)
        yield store


@pytest.fixture
def queues(two_vhosts: Store) -> Iterator[Web]:
    with client(two_vhosts) as found:
        yield found


def page(web: Web, path: str, **parameters: Any) -> str:
    answer = web.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.replace("\N{NO-BREAK SPACE}", " ")).split())


def test_history_ends_with_the_depth_of_the_newest_look_and_starts_where_it_was_empty(queues: Web) -> None:
    answer = queues.get("/api/v1/queues/history", params={"name": "compute.host-2", "vhost": "nova"}).json()
    (line,) = answer["lines"]
    assert (line["name"], line["vhost"], line["sum"]) == ("compute.host-2", "nova", False)
    assert (line["steps"][0]["depth"], line["steps"][0]["consumers"]) == (0, 1)
    assert (line["steps"][-1]["depth"], line["steps"][-1]["consumers"]) == (DEPTH, 0)
    assert line["steps"][-1]["publish_rate"] is None
    assert [(m["what"], m["came"], m["count"], m["queues"]) for m in answer["churn"]] == [
        ("consumer", False, 1, ["compute.host-2"])
    ]


def test_a_time_in_which_nobody_looked_is_null(queues: Web) -> None:
    answer = queues.get("/api/v1/queues/history", params={"vhost": "nova"}).json()
    conductor = next(line for line in answer["lines"] if line["name"] == "conductor")
    unknown = [step["at"] for step in conductor["steps"] if step["depth"] is None]
    assert len(unknown) == 1
    assert "2026-09-21T14:23:20" < unknown[0] < "2026-09-21T14:33:20"


def test_what_is_in_a_queue_is_told_by_method_kind_and_request(queues: Web) -> None:
    items = queues.get("/api/v1/queues/waiting", params={"name": "compute.host-2"}).json()["items"]
    assert [item["messages"] for item in items] == [WAITING] * 2
    assert {share["name"]: share["messages"] for share in items[0]["by_method"]} == {
        "build_and_run_instance": WAITING - 1,
        "terminate_instance": 1,
    }
    assert [share["name"] for share in items[0]["by_kind"] + items[0]["by_request"]] == ["create", "req-waits"]


def test_queues_without_consumers_are_told_with_when_they_go_by_default(queues: Web) -> None:
    items = queues.get("/api/v1/queues/abandoned", params={"vhost": "nova"}).json()["items"]
    assert [(i["name"], i["ready"]) for i in items] == [("compute.host-2", DEPTH), (REPLY, 0)]
    assert items[0]["expires_at_default"] is None
    assert (items[1]["lost_at"], items[1]["expires_at_default"]) == (
        "2026-09-21T14:53:20.000000Z",
        "2026-09-21T15:23:20.000000Z",
    )


def test_routes_name_exchange_queue_and_process(queues: Web) -> None:
    (route,) = queues.get("/api/v1/queues/routes", params={"name": "compute.host-1", "vhost": "nova"}).json()["items"]
    assert [(b["exchange"], b["queue"], b["keys"]) for b in route["bindings"]] == [
        ("nova", "compute.host-1", "compute.host-1")
    ]
    assert [(c["process"], c["host"]) for c in route["consumers"]] == [("nova-compute:1", "host-1")]


@pytest.mark.parametrize(
    ("path", "parameters"),
    [("/api/v1/queues/waiting", {}), ("/api/v1/queues/history", {"last": "soon"}), ("/queues", {"show": "odd"})],
)
def test_what_can_not_be_asked_is_a_problem(queues: Web, path: str, parameters: dict[str, str]) -> None:
    answer = queues.get(path, params=parameters)
    assert answer.status_code in (400, 422)
    if path.startswith("/api"):
        assert answer.headers["content-type"] == "application/problem+json"


def test_charts_line_up_and_every_line_has_its_times(queues: Web) -> None:
    depth = queues.get("/api/v1/figures/queues").json()
    work = queues.get("/api/v1/figures/in_flight").json()
    for side in ("l", "r"):
        assert depth["layout"]["margin"][side] == work["layout"]["margin"][side]
    assert depth["layout"]["xaxis"]["range"] == work["layout"]["xaxis"]["range"]
    assert all(len(trace["x"]) == len(trace["y"]) for trace in depth["data"] + work["data"])
    assert {trace["name"] for trace in depth["data"] if "legendgroup" in trace} >= {
        "compute.* (nova)",
        "conductor (cell1)",
    }
    titles = [axis["title"]["text"] for name, axis in depth["layout"].items() if name.startswith("yaxis")]
    assert titles == ["", "messages", "consumers"]  # rates are not known, and nothing is unacknowledged


def test_a_chart_of_one_queue_has_only_those_who_consume_it(queues: Web) -> None:
    asked = {"vhost": "nova"}
    mine = queues.get("/api/v1/figures/in_flight", params=asked | {"name": "conductor"}).json()
    assert [trace["name"] for trace in mine["data"]] == ["nova-conductor:1 ctl"]
    assert mine["data"][0]["y"][-1] == LAST_S // 60
    assert queues.get("/api/v1/figures/in_flight", params=asked | {"name": "scheduler"}).json()["data"] == []


def test_names_in_a_chart_are_text_for_plotly(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "store.sqlite"), create=True) as store:
        fill(store, '<b>x</b><a href="http://evil.example">')
        fill(store, "y")
        with client(store) as web:
            names = [trace["name"] for trace in web.get("/api/v1/figures/queues").json()["data"]]
    assert not any("<" in name for name in names)
    assert any("&lt;b&gt;" in name for name in names)


def test_the_page_says_how_fresh_it_is_what_it_costs_and_what_is_wrong(queues: Web) -> None:
    said = page(queues, "/queues")
    assert "rabbit@one has a memory alarm: it takes no message; 3 connections are blocked" in said
    assert said.count("rabbit@one lost sight of rabbit@two") == 1  # two recorders see the same node
    assert "looked at every 30.00 s" in said
    assert "That look took 100 ms: at most 0.3 % of one broker core" in said


def families(text: str) -> str:
    """The part of a page that has its first table."""
    return text.split('id="rows-title"')[1].split("</section>")[0]


def test_filters_keep_what_they_say(queues: Web) -> None:
    rows = r'<th scope="row"><a href="/queues/([^?"]+)'
    table = {
        show: re.findall(rows, families(queues.get("/queues", params={"show": show, "vhost": "nova"}).text))
        for show in ("", "growing", "consumerless")
    }
    assert table[""] == ["compute.%2A", "conductor", "reply_%2A", "scheduler"]
    assert table["growing"] == ["compute.%2A", "conductor"]
    assert table["consumerless"] == ["compute.%2A", "reply_%2A"]


def test_a_page_of_an_earlier_time_tells_of_that_time(queues: Web) -> None:
    said = page(queues, "/queues/compute.host-2", vhost="nova", **TIMES)
    assert "nobody consumes it" not in said
    assert "Ready 0 Unacked 0 Consumers 1" in said
    assert "not of a time that was chosen" in said
    assert f"Ready {DEPTH}, +60 with unacked in 10 min" in page(queues, "/queues/compute.host-2", vhost="nova")


def test_a_large_family_is_paged_and_every_queue_is_on_one_page(queues: Web) -> None:
    found: list[str] = []
    for offset in (0, 100):
        text = queues.get("/queues/compute.*", params={"vhost": "cell1", "offset": offset}).text
        found += re.findall(r'<th scope="row"><a href="/queues/(compute\.host-\d+)', families(text))
    assert sorted(found) == sorted(f"compute.host-{n}" for n in range(120))
    assert found[0] == "compute.host-2"


def test_a_name_that_nobody_saw_is_not_found(queues: Web) -> None:
    for name, vhost in (("nothing", ""), ("nothing.*", ""), ("compute.host-119", "nova"), ("~*", "")):
        assert queues.get(f"/queues/{name}", params={"vhost": vhost}).status_code == 404
    assert queues.get("/queues/compute.host-119").status_code == 200


def test_a_queue_that_is_gone_has_a_page_for_the_time_in_which_it_was_there(empty: Store) -> None:
    record(empty, "nova", {s: {"conductor": (0, 1), **({"old": (9, 1)} if s < 300 else {})} for s in range(0, 601, 30)})
    with client(empty) as web:
        assert "It was not there at the newest look of this time" in page(web, "/queues/old", **TIMES)
        assert web.get("/queues/old", params={"from": "2026-09-21T16:00:00Z", **LATE}).status_code == 404


def test_a_queue_whose_name_is_no_name_is_found_by_it_and_in_its_family(empty: Store) -> None:
    record(empty, "nova", {0: {"PS7q is no name": (3, 1)}})
    with client(empty) as web:
        assert "Ready 3" in page(web, "/queues/PS7q is no name", **TIMES)
        assert "PS7q" not in page(web, "/queues/~*", **TIMES)
        assert "PS7q" not in page(web, "/queues", **TIMES)


def test_without_samples_the_page_says_how_to_get_them(web: Web) -> None:
    assert "--prometheus-url http://HOST:15692" in page(web, "/queues", last="all")
    assert web.get("/api/v1/figures/queues", params={"last": "all"}).json()["data"] == []


def test_a_capture_has_no_depths(web: Web) -> None:
    answer = web.get("/api/v1/queues/history", params={"last": "all"}).json()
    assert (answer["lines"], answer["churn"]) == ([], [])


def test_a_silent_queue_tap_is_told_while_a_recorder_runs(tmp_path: Path) -> None:
    from rpcscope.query.queues import queues as asked
    from rpcscope_web.pages.queues import silent
    from rpcscope_web.ranges import Now, TimeRange

    with open_store(str(tmp_path / "store.sqlite"), create=True) as store:
        fill(store, "nova")
        end_ns = START + LAST_S * SECOND

        def told(late_s: int, *, recording: bool) -> list[str]:
            to_ns = end_ns + late_s * SECOND
            range = TimeRange(from_ns=START, to_ns=to_ns, now=Now(at_ns=to_ns, recording=recording), last="1h")
            return silent(asked(store.reader(), until_ns=to_ns), range)

        assert told(60, recording=True) == []
        assert told(600, recording=False) == []
        assert told(600, recording=True) == [
            "The queues of vhost nova were last looked at 10 min 0 s before the end of this time: what came after is "
            "not known"
        ]
