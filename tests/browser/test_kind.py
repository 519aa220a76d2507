"""What a person sees of a kind of operation: its cost, its usual call tree, the odd ones out."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from rpcscope.store import open_store
from tests.support.dashboard import Visit, dashboard, visit
from tests.support.kinds import keep_odd, keep_usual
from tests.unit.query.one import call, stored

TREE = "table.usual-tree tbody tr"
EVIL = "<script>document.title='PS7q'</script>\u202e" + "x" * 300


def test_a_kind_is_opened_from_the_list_and_can_be_sent_as_a_link(visitor: Visit) -> None:
    page = visitor.page()
    page.goto("/kinds?last=all")
    page.get_by_role("link", name="create", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"Boot a server\s+create"))
    other = visitor.page()
    other.goto(page.url)
    expect(other.locator(TREE)).to_have_count(16)


def test_a_boot_costs_fifteen_rpcs_and_its_tree_has_sixteen_steps(page: Page) -> None:
    page.goto("/kinds?kind=create&last=all")
    expect(page.get_by_role("row", name=re.compile("^RPCs"))).to_have_text(re.compile(r"RPCs\s*15\s*15\s*15"))
    expect(page.get_by_role("row", name=re.compile("^messages 27"))).to_be_visible()
    rows = page.locator(TREE)
    expect(rows).to_have_count(16)
    expect(rows.first).to_contain_text("schedule_and_build_instances")
    expect(rows.filter(has_text="ComputeNode.save")).to_contain_text("other request id")
    expect(page.get_by_text("20 operations laid over each other")).to_be_visible()
    expect(page.get_by_label("By conditions")).to_contain_text("fake virt driver")


def test_the_spread_is_drawn(page: Page) -> None:
    page.goto("/kinds?kind=create&last=all")
    charts = page.locator("figure[data-figure] .main-svg")
    expect(charts.first).to_be_visible()
    expect(page.locator("figure[data-figure] .bars path").first).to_be_visible()


def test_the_boot_that_found_no_host_is_odd_and_a_click_shows_its_call(page: Page) -> None:
    page.goto("/kinds?kind=create&last=all")
    odd = page.locator("table.odd tbody tr").first
    expect(odd).to_contain_text("missing: build_and_run_instance below schedule_and_build_instances")
    odd.get_by_role("link", name="select_destinations failed: NoValidHost").click()
    expect(page.get_by_label("Facts of the chosen call")).to_contain_text("select_destinations")


def test_rows_are_walked_with_the_keyboard(page: Page) -> None:
    page.goto("/kinds?last=all")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The usual call tree")).to_be_visible()


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("planted")
    with open_store(str(folder / "store.sqlite"), create=True) as store:
        keep_usual(store, 12)
        keep_odd(store, "req-slow", "req-extra")
        stored(store, [call(1, 0, 1, 2, method=EVIL, topic=EVIL)], request_id="req-hostile", kind=EVIL)
    with dashboard(folder, str(folder / "store.sqlite")) as found:
        yield found


def test_a_slow_operation_is_told_with_what_is_usual(browser: Browser, planted: str) -> None:
    with visit(browser, planted) as person:
        page = person.page()
        page.goto("/kinds?kind=create&last=all")
        slow = page.locator("table.odd tbody tr").filter(has_text="req-slow")
        expect(slow.get_by_role("link", name=re.compile("2nd save took 5.02"))).to_contain_text("usually 21")
        page.get_by_text("2 steps that at most one of ten has").click()
        expect(page.get_by_role("table", name="Steps that at most one")).to_contain_text("ping")


def test_hostile_names_are_text(browser: Browser, planted: str) -> None:
    with visit(browser, planted) as person:
        page = person.page()
        page.goto("/kinds?last=all")
        page.get_by_role("link", name=re.compile("document.title")).click()
        expect(page.get_by_role("heading", name="The usual call tree")).to_be_visible()
        assert page.locator("main script").count() == 0
        assert "\u202e" not in page.locator("body").inner_text()
        assert page.title() != "PS7q"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_time_without_operations_says_what_to_do(page: Page) -> None:
    page.goto("/kinds?kind=create&from=2020-01-01&to=2020-01-02")
    page.get_by_role("link", name="Look at all time").click()
    expect(page.locator(TREE)).to_have_count(16)


def test_a_phone_scrolls_no_page(browser: Browser, address: str) -> None:
    with visit(browser, address, viewport={"width": 390, "height": 844}) as person:
        page = person.page()
        for there in ("/kinds?last=all", "/kinds?kind=create&last=all", "/kinds?kind=live-migration&last=all"):
            page.goto(there)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), there
