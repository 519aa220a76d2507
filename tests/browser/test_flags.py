"""Red flags as a person sees them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from rpcscope.query.times import iso
from rpcscope.store import open_store
from tests.contract.records import START
from tests.support.dashboard import dashboard, visit
from tests.support.trouble import END, TROUBLES, Cloud

HOUR = f"from={iso(START)}&to={iso(END)}"


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dashboard over a cloud where everything is wrong."""
    folder = tmp_path_factory.mktemp("troubled")
    with open_store(str(folder / "store.sqlite"), create=True) as store:
        cloud = Cloud(store)
        cloud.quiet()
        for trouble in TROUBLES.values():
            trouble(cloud)
    with dashboard(folder, str(folder / "store.sqlite")) as found:
        yield found


@pytest.fixture
def trouble(browser: Browser, troubled: str) -> Iterator[Page]:
    with visit(browser, troubled) as person:
        yield person.page()


def test_what_is_bad_comes_first_with_its_evidence_and_what_to_do(trouble: Page) -> None:
    trouble.goto(f"/flags?{HOUR}")
    first = trouble.locator("article").first
    expect(first).to_contain_text("1 broker node is in trouble")
    expect(first.get_by_role("row")).to_contain_text(["What", "has a memory alarm"])
    expect(first).to_contain_text("find the deep queue")


def test_levels_are_links_that_can_be_sent(trouble: Page) -> None:
    trouble.goto(f"/flags?{HOUR}")
    trouble.get_by_role("link", name=re.compile("^Good to know")).click()
    expect(trouble.locator("article")).to_have_count(3)
    expect(trouble.locator("nav.levels [aria-current]")).to_have_text(re.compile("Good to know"))
    assert "level=info" in trouble.url
    trouble.reload()
    expect(trouble.locator("article")).to_have_count(3)


def test_evidence_leads_to_its_operation_and_keeps_the_time(trouble: Page) -> None:
    trouble.goto(f"/flags?{HOUR}")
    trouble.locator("#stuck-operations").get_by_role("link", name="create").click()
    expect(trouble.get_by_role("heading", level=1)).to_contain_text("create")
    assert "from=2026-09-21" in trouble.url


def test_the_overview_leads_to_a_flag(trouble: Page) -> None:
    trouble.goto(f"/?{HOUR}")
    trouble.get_by_role("link", name="1 broker node is in trouble").click()
    expect(trouble.locator("article#broker-nodes")).to_be_in_viewport()


def test_j_walks_over_the_evidence(trouble: Page) -> None:
    trouble.goto(f"/flags?{HOUR}&level=info")
    trouble.keyboard.press("j")
    trouble.keyboard.press("j")
    expect(trouble.locator("article tbody tr").nth(1).locator(":focus")).to_have_count(1)


def test_a_phone_scrolls_nothing_sideways(browser: Browser, troubled: str) -> None:
    with visit(browser, troubled, viewport={"width": 390, "height": 844}) as person:
        page = person.page()
        page.goto(f"/flags?{HOUR}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        wide = page.evaluate(
            "[...document.querySelectorAll('.flag .scroll')].filter(e => e.scrollWidth > e.clientWidth)"
        )
        assert wide == []


def test_nothing_wrong_is_said_with_how_much_was_looked_for(page: Page) -> None:
    page.goto("/flags?last=all&level=bad")
    expect(page.locator("main")).to_contain_text("No flag of this level is up")
    expect(page.locator("main")).to_contain_text("no queue was sampled in this time")
    page.get_by_role("link", name="Look at all levels").click()
    expect(page.locator("article")).to_have_count(2)
