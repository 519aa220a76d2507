"""What a person sees first."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.support.dashboard import visit


def row(page: Page, kind: str) -> list[str]:
    """The cells of a kind's row as they are read."""
    line = page.locator("table.kinds tbody tr", has=page.get_by_role("link", name=kind, exact=True)).first
    return [" ".join(text.split()) for text in line.locator("th, td").all_inner_texts()]


def test_the_first_row_answers_how_many_rpcs_a_boot_makes(page: Page) -> None:
    page.goto("/")
    assert row(page, "create")[:9] == ["create", "21", "15", "", "12", "2", "1", "27", "114.8 kB"]
    assert row(page, "live-migration")[2:8] == ["43", "", "40", "2", "1", "83"]
    assert row(page, "evacuate")[2:8] == ["21", "", "18", "2", "1", "39"]


def test_timers_are_folded_away(page: Page) -> None:
    page.goto("/")
    timer = page.get_by_role("link", name=re.compile("^periodic:"))
    expect(timer.first).to_be_hidden()
    page.get_by_text("Timers and start-up").click()
    expect(timer.first).to_be_visible()


def test_a_kind_leads_to_its_operations_and_one_of_them_to_its_calls(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="evacuate", exact=True).click()
    expect(page.locator("table[data-rows] tbody tr")).to_have_count(6)
    page.locator("table[data-rows] tbody th a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("evacuate")
    expect(page.locator("main")).to_contain_text("18 calls")
    expect(page.locator("main table[data-rows] tbody tr")).not_to_have_count(0)


def test_messages_by_service_are_drawn(page: Page) -> None:
    page.goto("/")
    chart = page.locator("figure[data-figure]")
    chart.scroll_into_view_if_needed()
    expect(chart.locator("svg.main-svg").first).to_be_visible()
    expect(chart.locator("text.legendtext", has_text="nova-conductor")).to_be_visible()
    # plotly's rules took hold: without them its svgs are not laid over each other.
    assert chart.locator("svg.main-svg").nth(1).evaluate("e => getComputedStyle(e).position") == "absolute"


def test_a_phone_shows_the_answer_and_scrolls_only_tables(browser: Browser, address: str) -> None:
    with visit(browser, address, viewport={"width": 390, "height": 844}) as person:
        page = person.page()
        for path in ("/", "/taps", "/operations"):
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        page.goto("/")
        expect(page.get_by_role("link", name="create", exact=True)).to_be_in_viewport()


def test_what_is_seen_is_there_without_scripts(browser: Browser, address: str) -> None:
    with visit(browser, address, java_script_enabled=False) as person:
        page = person.page()
        page.goto("/")
        assert row(page, "create")[2] == "15"
        assert page.locator("time").first.inner_text().endswith("UTC")
