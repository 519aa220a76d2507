"""Who calls whom, and what each method costs, as a person looks at it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_hostile import HOSTILE, fill
from tests.support.dashboard import dashboard, visit

PATHS = ("/services", "/services?service=nova-compute", "/methods", "/methods/select_destinations")


def cells(page: Page, link: str) -> list[str]:
    """A row of a table as it is read, by the link at its head."""
    line = page.locator("table[data-rows] tbody tr", has=page.get_by_role("link", name=link, exact=True)).first
    return [" ".join(text.split()) for text in line.locator("th, td").all_inner_texts()]


def test_the_picture_and_the_table_say_the_same_of_an_edge(page: Page) -> None:
    page.goto("/services?last=all")
    assert cells(page, "nova-compute → nova-conductor")[1] == "869"
    edge = page.get_by_role("link", name=re.compile("^nova-compute to nova-conductor: 869 RPCs, .*errors 0 %$"))
    expect(edge).to_have_count(1)
    expect(page.get_by_role("link", name=re.compile("^nova-compute: 7 processes on 3 hosts; "))).to_have_count(1)
    boxes = {
        name: page.locator("svg.graph .node", has_text=name).locator("rect").bounding_box()
        for name in ("gunicorn", "nova-conductor", "nova-compute")
    }
    places = [box["x"] for box in boxes.values() if box]
    assert len(places) == 3
    assert places == sorted(places)


def test_an_edge_leads_to_its_methods_and_one_of_them_to_its_numbers(page: Page) -> None:
    page.goto("/services?last=all")
    page.get_by_role("link", name="nova-conductor → nova-scheduler", exact=True).click()
    expect(page.locator("table[data-rows] tbody tr")).to_have_count(1)
    expect(page.get_by_label("Taken by")).to_have_value("nova-scheduler")
    page.get_by_role("link", name="select_destinations", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("select_destinations")
    assert "last=all" in page.url
    expect(page.locator("main")).to_contain_text("2 failed, 0 timed out")
    assert cells(page, "schedule_and_build_instances") == [
        "schedule_and_build_instances", "nova-conductor", "21", "58.3 %"
    ]  # fmt: skip
    assert cells(page, "create") == ["create", "21", "58.3 %"]


def test_a_slow_call_leads_to_its_operation(page: Page) -> None:
    page.goto("/methods/select_destinations?last=all")
    row = page.locator("[data-part=slowest] tbody tr").first
    expect(row).to_contain_text("247 ms")
    row.get_by_role("link", name=re.compile("^req-")).click()
    expect(page).to_have_url(re.compile("/operations/req-3391c348"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_the_order_of_methods_is_a_link(page: Page) -> None:
    page.goto("/methods?last=all")
    heads = page.locator("table[data-rows] tbody th a")
    expect(heads.first).to_have_text("Instance.save")
    page.get_by_role("columnheader", name="Errors").get_by_role("link").click()
    expect(page).to_have_url(re.compile("sort=errors"))
    expect(heads.first).to_have_text("select_destinations")
    expect(page.get_by_role("columnheader", name="Errors")).to_have_attribute("aria-sort", "descending")
    page.keyboard.press("j")
    expect(heads.first).to_be_focused()
    page.get_by_label("Order").select_option("largest")
    page.get_by_label("Taken by").select_option("nova-compute")
    page.get_by_role("button", name="Show").click()
    expect(heads.first).to_have_text("build_and_run_instance")


def test_a_method_is_drawn_over_time(page: Page) -> None:
    page.goto("/methods/select_destinations?last=all")
    for chart in page.locator("figure[data-figure]").all():
        chart.scroll_into_view_if_needed()
        expect(chart.locator("svg.main-svg").first).to_be_visible()
    expect(page.locator("text.legendtext", has_text=re.compile("^failed$"))).to_be_visible()
    expect(page.locator("text.legendtext", has_text="median, to the reply")).to_be_visible()


def test_what_was_not_called_says_where_to_look(page: Page) -> None:
    page.goto("/methods/select_destinations?from=2026-11-20T01:00Z&to=2026-11-20T02:00Z")
    page.get_by_role("link", name="Look at all time").click()
    expect(page.locator("main")).to_contain_text("36 calls")
    page.goto("/services?from=2026-11-20T01:00Z&to=2026-11-20T02:00Z")
    expect(page.get_by_role("heading", name="No RPC began in this time")).to_be_visible()
    page.goto("/methods?from=2026-11-20T01:00Z&to=2026-11-20T02:00Z")
    expect(page.get_by_role("heading", name="No method matches")).to_be_visible()


def test_a_phone_scrolls_the_picture_and_the_tables_alone(browser: Browser, address: str) -> None:
    with visit(browser, address, viewport={"width": 390, "height": 844}, color_scheme="dark") as person:
        page = person.page()
        for path in PATHS:
            page.goto(path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


@pytest.fixture(scope="module", params=HOSTILE)
def hostile_address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("hostile")
    path = str(folder / "store.sqlite")
    fill(path, HOSTILE[request.param])
    with dashboard(folder, path) as found:
        yield found


def test_services_and_methods_with_hostile_names_are_text_and_nothing_else(
    browser: Browser, hostile_address: str
) -> None:
    with visit(browser, hostile_address) as person:
        page = person.page()
        page.goto("/services?last=all")
        expect(page.locator("svg.graph .node")).to_have_count(1)
        page.locator("svg.graph .edge").focus()
        page.keyboard.press("Enter")
        page.locator("table[data-rows] tbody th a").click()
        expect(page.locator("[data-part=sums]")).to_contain_text("1 call")
        for path in ("/services?last=all", "/methods?last=all", page.url):
            page.goto(path)
            assert page.title().endswith("· rpcscope")
            assert page.locator("main script, main img").count() == 0
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            text = page.locator("body").inner_text()
            assert not set("\u202e\u2066\u200f\u0007") & set(text)
            assert "x" * 301 not in text
