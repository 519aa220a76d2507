"""Red flags on their page, in the API and on the overview: all from one source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rpcscope.doctor import CHECKS, Evidence, Subject
from rpcscope.query.times import iso
from rpcscope.store import Store, open_store
from rpcscope_web.flagged import coded, path_of
from tests.contract.records import START
from tests.support.trouble import END, STUCK, TROUBLES, Cloud
from tests.unit.web.site import Web, client

HOUR = {"from": str(iso(START)), "to": str(iso(END))}


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Everything is wrong at once."""
    with open_store(str(tmp_path_factory.mktemp("troubled") / "store.sqlite"), create=True) as store:
        cloud = Cloud(store)
        cloud.quiet()
        for trouble in TROUBLES.values():
            trouble(cloud)
        yield store


@pytest.fixture
def web(troubled: Store) -> Iterator[Web]:
    with client(troubled) as found:
        yield found


def flags(web: Web, **how: str) -> list[dict[str, Any]]:
    answer = web.get("/api/v1/flags", params=HOUR | how)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["flags"]
    return found


def test_the_api_tells_all_flags_the_worst_first(web: Web) -> None:
    levels = [flag["level"] for flag in flags(web)]
    assert levels == sorted(levels, key=("bad", "warn", "info").index)
    # The recorder was last heard of years ago: it was left to be so.
    assert {check.name for check in CHECKS} - {flag["name"] for flag in flags(web)} == {"recorders"}


def test_flags_are_asked_by_level(web: Web) -> None:
    assert {flag["level"] for flag in flags(web, level="info")} == {"info"}
    assert web.get("/api/v1/flags?level=worst").status_code == 400


def test_what_was_looked_at_is_told(web: Web) -> None:
    answer = web.get("/api/v1/flags", params=HOUR).json()
    assert (answer["checks"], answer["calls_since"]) == (len(CHECKS), None)
    assert answer["polled_at"] is not None
    before = web.get("/api/v1/flags?from=2020-01-01&to=2020-01-02").json()
    assert (before["polled_at"], before["flags"]) == (None, [])


def test_the_page_links_the_evidence(web: Web) -> None:
    page = web.get("/flags", params=HOUR).text
    for path in ("/operations/req-stuck?", "/hosts/host-3?", "/taps?"):
        assert f'href="{path}' in page


def test_the_overview_has_the_flags_that_need_no_call(web: Web) -> None:
    page = web.get("/", params=HOUR).text
    assert "#broker-nodes" in page
    assert "#lost-reply-queues" in page
    assert "#late-replies" not in page


def test_names_from_the_wire_are_bounded_and_harmless(tmp_path: Path) -> None:
    name = "<script>alert(1)</script>\u202e" + "x" * 10_000
    with open_store(str(tmp_path / "store.sqlite"), create=True) as store:
        cloud = Cloud(store)
        cloud.quiet()
        cloud.operation(30, request_id="req-odd", kind=name[:200], **STUCK)
        with client(store) as web:
            page = web.get("/flags", params=HOUR).text
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("path", ["/flags", "/"])
def test_an_empty_store_says_what_to_do_next(empty: Store, path: str) -> None:
    with client(empty) as web:
        assert "rpcscope import FILE" in web.get(path).text


def test_evidence_leads_to_the_page_of_its_subject() -> None:
    assert path_of(Evidence(what="a", said="", subject=Subject.OPERATION, key="req-1/2")) == "/operations/req-1%2F2"
    assert path_of(Evidence(what="host-1", said="", subject=Subject.HOST)) == "/hosts/host-1"
    assert path_of(Evidence(what="rabbit@a", said="")) == ""


def test_what_is_to_be_typed_is_code_and_the_rest_is_text() -> None:
    assert coded("see `rpcscope queues <NAME>` & go") == "see <code>rpcscope queues &lt;NAME&gt;</code> &amp; go"
