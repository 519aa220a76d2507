"""What a person sees of runs of the emulator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from rpcscope.store import open_store
from rpcscope.store.run_rows import RunState
from tests.browser.test_axe import found_in
from tests.browser.test_hostile import BIDI, EVIL
from tests.support.dashboard import dashboard, visit
from tests.support.queue_store import fill
from tests.support.runs import OUTCOME, VHOST, plant_run


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The dashboard over a run that is done, one that was interrupted, and one that was killed."""
    folder = tmp_path_factory.mktemp("runs")
    path = str(folder / "store.sqlite")
    with open_store(path, create=True) as store:
        fill(store, "another")
        plant_run(store)
        plant_run(store, label=EVIL[:100] + BIDI, state=RunState.INTERRUPTED, asked={}, expected={}, outcome={})
        plant_run(store, state=RunState.RUNNING, ended_ns=None, vhost="rpcscope-elsewhere", outcome=OUTCOME)
    with dashboard(folder, path) as address:
        yield address


def test_a_run_is_found_in_the_list_and_its_plan_stands_beside_what_was_recorded(browser: Browser, ran: str) -> None:
    with visit(browser, ran) as visitor:
        page = visitor.page()
        page.goto("/")
        page.get_by_role("navigation", name="Pages").get_by_role("link", name="Runs").click()
        row = page.get_by_role("row").filter(has_text="first").last
        expect(row).to_contain_text("boot-storm")
        expect(row).to_contain_text("fake driver")
        row.get_by_role("link", name="1", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Run 1: boot-storm")
        expect(page.locator("main")).to_contain_text("on a fake driver: messages and their order are real")
        expect(page.locator("main")).to_contain_text("1.50 a second of 2.00 asked for, 25% less")
        kind = page.get_by_role("row").filter(has_text="create").first
        expect(kind.get_by_role("img", name="expected 12, measured 10").first).to_be_visible()
        expect(kind.get_by_role("img", name="expected 348, measured 290")).to_be_visible()
        expect(page.get_by_role("row").filter(has_text="build_and_run_instance")).to_contain_text("12")
        charts = page.locator("figure[data-figure]")
        expect(charts).to_have_count(2)
        assert all(VHOST in (one.get_attribute("data-figure") or "") for one in charts.all())
        kind.get_by_role("link", name="create").click()
        expect(page.locator("table tbody tr")).to_have_count(10)


def test_a_run_that_tells_little_has_question_marks_and_no_zeros(browser: Browser, ran: str) -> None:
    with visit(browser, ran) as visitor:
        page = visitor.page()
        page.goto("/runs/2")
        expect(page.locator("h1")).to_contain_text("interrupted")
        expect(page.locator("dd", has_text="hosts with")).to_have_text(": ? hosts with ? servers at the start")
        expect(page.locator("dd", has_text="begun")).to_have_text("? begun, ? done, ? failed, ? timed out")
        expect(page.locator("dd", has_text="<script>")).to_contain_text("evil")
        assert "PS7q" not in page.title()


def test_a_run_that_was_killed_is_said_to_be(browser: Browser, ran: str) -> None:
    with visit(browser, ran) as visitor:
        page = visitor.page()
        page.goto("/runs/3")
        expect(page.locator("main")).to_contain_text("Nobody recorded its vhost into this database")


def test_an_empty_list_says_what_to_do_and_a_run_that_is_not_there_is_not_found(
    browser: Browser, tmp_path: Path
) -> None:
    path = str(tmp_path / "store.sqlite")
    with open_store(path, create=True), dashboard(tmp_path, path) as address, visit(browser, address) as visitor:
        visitor.allowed.append("404")
        page = visitor.page()
        page.goto("/runs")
        expect(page.locator("main")).to_contain_text("rpcscope emulate rolling-update --fleet FILE")
        page.goto("/runs/1")
        expect(page.locator("main")).to_contain_text("there is no run of this number")


def test_axe_finds_nothing_serious_in_runs(browser: Browser, ran: str) -> None:
    with visit(browser, ran) as visitor:
        assert found_in(visitor.page(), {"runs": "runs", "run": "runs/1", "bare": "runs/2"}) == {}


def test_a_phone_scrolls_the_tables_and_never_the_page(browser: Browser, ran: str) -> None:
    with visit(browser, ran, viewport={"width": 390, "height": 800}) as visitor:
        page = visitor.page()
        for path in ("/runs", "/runs/1", "/runs/2"):
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_api_tells_the_same(browser: Browser, ran: str) -> None:
    with visit(browser, ran) as visitor:
        request = visitor.context.request
        listed = request.get("/api/v1/runs?limit=2").json()
        assert ([one["id"] for one in listed["items"]], listed["next"]) == ([3, 2], 2)
        (kind,) = request.get("/api/v1/runs/1").json()["kinds"]
        assert (kind["expected"]["messages"], kind["measured"]["messages"]) == (348, 290)
        assert request.get("/api/v1/runs/99").status == 404
