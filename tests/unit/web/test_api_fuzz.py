"""Whatever is asked, the API answers: with data, or with a problem of the asker, never with a mistake of its own."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rpcscope.store import Store
from rpcscope_web import create_app
from tests.unit.web.site import LOCAL, Web, client

STREAM = "/api/v1/events"
LARGEST = 4_000_000
READERS = 40
NASTY = (
    "", "0", "-1", "1", "50", "1000", "1001", "99999999999999999999", "1e309", "nan", "inf", "-0.0", "1.5", "true",
    "null", "all", "1h", "0s", "999999d", "1h ", "2026-11-20", "0001-01-01", "9999-12-31T23:59:59-12:00",
    "2026-02-30", "2026-11-20T00:00:00+99:99", "create", "done", "stuck", "conductor", "nova-conductor", "save", "/",
    "..", "../../etc", "%", "_", "'", "' OR 1=1 --", '"; DROP TABLE call; --', "\0", "a\0b", "\u202e", "\ufeff", "١",
    "<script>", "{}", "[]", "req-", "x" * 255, "x" * 256, "x" * 5_000, "\U0001f642" * 100,
)  # fmt: skip
values = st.one_of(st.sampled_from(NASTY), st.text(max_size=40), st.binary(max_size=40), st.integers().map(str))
asks = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture(scope="module")
def described(two_captures: Store) -> dict[str, list[dict[str, Any]]]:
    """The parameters of every address."""
    with client(two_captures) as web:
        paths = web.get("/api/v1/openapi.json").json()["paths"]
    return {path: methods["get"].get("parameters", []) for path, methods in paths.items() if path != STREAM}


@pytest.fixture(scope="module")
def known(two_captures: Store) -> dict[str, str]:
    """For some parameters a value that finds something, so that what lies behind is reached."""
    newest = next(iter(two_captures.reader().operations()))
    call = next(iter(two_captures.reader().calls(limit=1)))
    return {
        "request_id": newest.request_id,
        "kind": "create",
        "method": call.method,
        "name": call.method,
        "last": "all",
    }


def expect_answer(web: Web, address: str) -> None:
    answer = web.get(address)
    assert answer.status_code < 500, (address, answer.text[:500])
    assert len(answer.content) < LARGEST, address
    assert "Traceback" not in answer.text, address
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", address
        assert (answer.json()["status"], len(answer.json()["detail"]) > 15) == (answer.status_code, True), address
        assert len(answer.content) < 2_000, "what was asked is not told back at length"


@asks
@given(data=st.data())
def test_any_parameters_are_answered_with_data_or_with_a_problem_of_the_asker(
    web: Web, described: dict[str, list[dict[str, Any]]], known: dict[str, str], data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(sorted(described)))
    asked: list[str] = []
    for parameter in described[path]:
        name = parameter["name"]
        if parameter["in"] == "query" and not parameter.get("required") and data.draw(st.booleans()):
            continue
        usual = st.just(known[name]) if name in known else values
        value = quote(data.draw(st.one_of(usual, values)), safe="")
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", value or "-")
        else:
            asked.append(f"{quote(name)}={value}")
    expect_answer(web, f"{path}?{'&'.join(asked)}")


@asks
@given(path=values, query=values)
def test_any_address_of_the_api_is_answered(web: Web, path: str | bytes, query: str | bytes) -> None:
    # A client works out dots itself, and asks for something else.
    expect_answer(web, f"/api/v1/{quote(path, safe='').replace('.', '%2E')}?{quote(query, safe='=&')}")


@pytest.mark.parametrize("times", ["from=0001-01-01&to=9999-12-31", "last=all", "last=999999d", "to=0001-01-02"])
def test_the_longest_and_the_emptiest_time_have_answers_of_a_bounded_size(
    web: Web, described: dict[str, list[dict[str, Any]]], known: dict[str, str], times: str
) -> None:
    for path, parameters in described.items():
        if "{" not in path and not any(one.get("required") and one["name"] not in known for one in parameters):
            needed = [f"{one['name']}={known[one['name']]}" for one in parameters if one.get("required")]
            expect_answer(web, f"{path}?{'&'.join([times, *needed])}")


def test_no_list_is_longer_than_its_limit(web: Web, described: dict[str, list[dict[str, Any]]]) -> None:
    limited = {
        path: parameter["schema"]
        for path, parameters in described.items()
        for parameter in parameters
        if parameter["name"] == "limit"
    }
    assert "/api/v1/operations" in limited
    for path, schema in limited.items():
        most = schema["maximum"]
        assert most <= 10_000, path
        if "{" not in path:
            assert web.get(f"{path}?limit={most + 1}").status_code == 400, path


def test_more_readers_at_once_than_there_are_connections_are_all_answered(two_captures: Store) -> None:
    paths = ("/api/v1/overview?last=all", "/api/v1/operations?last=all", "/", "/api/v1/figures/rates?last=all")
    app = create_app(two_captures)

    async def read_all() -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=LOCAL) as asker:
            answers = await asyncio.gather(*(asker.get(path) for path in paths * (READERS // len(paths))))
        return [answer.status_code for answer in answers]

    assert asyncio.run(read_all()) == [200] * READERS
