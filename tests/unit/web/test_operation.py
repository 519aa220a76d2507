"""One operation in other forms, over the API."""

from __future__ import annotations

import pytest

from tests.unit.web.site import Web


@pytest.fixture
def boot(web: Web) -> str:
    (done,) = web.get("/api/v1/operations?kind=create&status=done&last=all").json()["items"]
    return f"/api/v1/operations/{done['request_id']}"


def test_text_and_mermaid_are_plain_text_and_can_be_saved(web: Web, boot: str) -> None:
    for form, ending, begin in (("text", "txt", "create  done"), ("mermaid", "mmd", "sequenceDiagram")):
        shown, saved = web.get(f"{boot}/{form}"), web.get(f"{boot}/{form}?download=1")
        assert shown.headers["content-type"] == "text/plain; charset=utf-8"
        assert "content-disposition" not in shown.headers
        assert saved.headers["content-disposition"].endswith(f'.{ending}"')
        assert shown.text == saved.text
        assert shown.text.startswith(begin)


def test_the_trace_is_the_operation_with_its_calls_as_trees(web: Web, boot: str) -> None:
    trace = web.get(f"{boot}/trace").json()
    assert trace["operation"]["rpcs"] == 15
    (root,) = trace["calls"]
    assert root["method"] == "schedule_and_build_instances"
    assert [child["method"] for child in root["children"]] == ["select_destinations", "build_and_run_instance"]


def test_the_parts_of_the_critical_path_add_up(web: Web, boot: str) -> None:
    found = web.get(f"{boot}/critical-path").json()
    assert sum(link["ms"] for link in found["links"]) == pytest.approx(found["total_ms"], abs=0.1)


def test_statistics_count_every_rpc_once_by_method_and_by_service(web: Web, boot: str) -> None:
    found = web.get(f"{boot}/statistics").json()
    assert sum(row["rpcs"] for row in found["methods"]) == sum(row["rpcs"] for row in found["services"]) == 16


def test_of_the_only_boot_nothing_is_usual(web: Web, boot: str) -> None:
    assert web.get(f"{boot}/usual").json() == {"operations": 0, "steps": []}


@pytest.mark.parametrize("form", ["text", "mermaid", "trace", "critical-path", "statistics", "usual"])
def test_an_unknown_request_id_is_a_problem(web: Web, form: str) -> None:
    answer = web.get(f"/api/v1/operations/req-nothing/{form}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_a_view_that_there_is_not_is_said_in_a_sentence(web: Web, boot: str) -> None:
    answer = web.get(f"/operations/{boot.rsplit('/', 1)[1]}?view=nothing")
    assert answer.status_code == 400
    assert "`view` wants one of tree, sequence, numbers, related" in answer.text


def test_an_unknown_call_is_not_found(web: Web, boot: str) -> None:
    assert web.get(f"/operations/{boot.rsplit('/', 1)[1]}/calls/nothing").status_code == 404
