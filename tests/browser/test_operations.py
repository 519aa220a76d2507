"""Finding operations among many, what hit a host, and all that touched a server."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from rpcscope.model import Batch, Status
from rpcscope.store import open_store
from tests.browser.test_hostile import HOSTILE, fill
from tests.contract.records import SECOND, START, begun, make_operation
from tests.support.dashboard import dashboard, visit

ROWS = "table[data-rows] tbody tr"


def test_filters_that_are_typed_stand_in_the_address_and_nothing_else(page: Page) -> None:
    page.goto("/operations?last=all")
    page.get_by_label("Kind", exact=True).fill("create")
    page.locator("select[name=status]").select_option("done")
    page.get_by_label("RPCs at least").fill("15")
    page.get_by_role("button", name="Filter").click()
    expect(page).to_have_url(re.compile(r"\?last=all&kind=create&status=done&min_rpcs=15$"))
    expect(page.locator(ROWS)).to_have_count(20)


def test_filters_are_taken_away_one_by_one(page: Page) -> None:
    page.goto("/operations?last=all&kind=create&status=failed&min_rpcs=1")
    expect(page.locator(ROWS)).to_have_count(1)
    page.get_by_role("link", name="Remove the filter Status").click()
    expect(page).to_have_url(re.compile(r"\?last=all&kind=create&min_rpcs=1$"))
    expect(page.locator(ROWS)).to_have_count(21)
    page.get_by_role("link", name="Remove all").click()
    expect(page.locator(".chips")).to_have_count(0)


def test_counts_by_status_and_kind_are_links_that_show_as_many(page: Page) -> None:
    page.goto("/operations?last=all")
    page.locator(".census a", has_text="failed 3").click()
    expect(page.locator(ROWS)).to_have_count(3)
    page.goto("/operations?last=all")
    page.locator(".census a", has_text="boot a server 21").click()
    expect(page.locator(ROWS)).to_have_count(21)


@pytest.mark.parametrize(("column", "first"), [("RPCs", "43"), ("Messages", "83")])
def test_a_click_on_a_column_sorts_by_it_and_a_second_one_turns_it(page: Page, column: str, first: str) -> None:
    page.goto("/operations?last=all")
    cells = f"{ROWS} td:nth-child({6 if column == 'RPCs' else 7})"
    page.get_by_role("link", name=column, exact=True).click()
    expect(page.locator(cells).first).to_have_text(first)
    expect(page.locator("th[aria-sort=descending]")).to_contain_text(column)
    page.get_by_role("link", name=column, exact=True).click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text(column)
    expect(page.locator(cells).last).to_have_text(first)


@pytest.mark.parametrize(("text", "chip"), [("compute-1", "Host compute-1"), ("evacuate", "Kind evacuate")])
def test_the_box_understands_what_is_typed(page: Page, text: str, chip: str) -> None:
    page.goto("/operations?last=all")
    page.get_by_label("Find").fill(text)
    page.keyboard.press("Enter")
    expect(page.locator(".chips")).to_contain_text(chip)
    expect(page.locator(ROWS).first).to_be_visible()


def test_a_server_that_is_typed_is_found_in_all_time_and_leads_to_all_that_touched_it(page: Page) -> None:
    page.goto("/operations?last=all&kind=live-migration&status=failed")
    server = page.locator(f"{ROWS} td bdi.id").first.get_attribute("title") or ""
    page.goto("/operations?last=15m")
    page.get_by_label("Find").fill(server)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"last=all&instance={server}"))
    expect(page.locator(ROWS)).to_have_count(2)
    page.get_by_role("link", name="All that ever touched this server").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(server)
    kinds = [cell.strip() for cell in page.locator(f"{ROWS} td:nth-child(4)").all_inner_texts()]
    assert kinds == ["boot a server", "move a running server"]
    expect(page.locator(".line .bar")).to_have_count(2)
    page.locator(".line a").last.click()
    expect(page).to_have_url(re.compile("#op-2$"))


def test_what_hit_a_compute_is_one_click_and_the_times_stay(page: Page) -> None:
    page.goto("/operations?kind=evacuate&from=2026-11-20T08:42:00Z&to=2026-11-20T08:42:10Z")
    page.locator(f"{ROWS} td a", has_text="compute-3").first.click()
    expect(page).to_have_url(re.compile(r"/hosts/compute-3\?from=2026-11-20T08%3A42%3A00"))
    expect(page.get_by_role("heading", level=1)).to_have_text("What hit compute-3")
    called = page.locator("section[data-part=received] tbody tr", has_text="rebuild_instance")
    expect(called.locator("td").nth(1)).to_have_text("1")
    page.locator("section[data-part=operations] tbody th a").last.click()
    expect(page).to_have_url(re.compile("/operations/req-"))


def test_a_host_that_nothing_hit_says_what_to_do(page: Page) -> None:
    page.goto("/hosts/compute-99")
    expect(page.get_by_role("heading", name="No operation touched")).to_be_visible()
    expect(page.get_by_role("link", name="Look at all time")).to_be_visible()


def test_j_opens_the_first_row(page: Page) -> None:
    page.goto("/hosts/compute-1?last=all")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/operations/req-"))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dashboard over 120 operations, one of which is stuck."""
    folder = tmp_path_factory.mktemp("many")
    path = str(folder / "store.sqlite")
    with open_store(path, create=True) as store:
        writer, base = begun(store)
        operations = tuple(
            make_operation(
                base + n, request_id=f"req-{n:03}", error="", started_ns=START + n * SECOND,
                last_ns=START + n * SECOND, status=Status.RUNNING if n == 5 else Status.DONE,
            )
            for n in range(1, 121)
        )  # fmt: skip
        writer.write(Batch(recording_id=base >> 40, operations=operations, last_ns=START + 500 * SECOND, ended=True))
    with dashboard(folder, path) as address:
        yield address


def test_pages_lead_to_the_oldest_and_back_to_the_first(browser: Browser, many: str) -> None:
    with visit(browser, many) as person:
        page = person.page()
        page.goto("/operations?last=all")
        seen: list[str] = []
        for size in (50, 50, 20):
            expect(page.locator(ROWS)).to_have_count(size)
            seen += page.locator(f"{ROWS} th").all_inner_texts()
            if size == 50:
                page.get_by_role("link", name="Older").click()
                expect(page).to_have_url(re.compile("after="))
                expect(page.locator(f"{ROWS} th").first).to_have_text(f"req-{120 - len(seen):03}")
        assert seen == [f"req-{n:03}" for n in range(120, 0, -1)]
        expect(page.get_by_role("link", name="Older")).to_have_count(0)
        page.get_by_role("link", name="First page").click()
        expect(page.locator(f"{ROWS} th").first).to_have_text("req-120")


def test_the_stuck_one_is_found_and_says_who_owes(browser: Browser, many: str) -> None:
    with visit(browser, many) as person:
        page = person.page()
        page.goto("/operations?last=all&status=stuck")
        expect(page.locator(ROWS)).to_have_count(1)
        expect(page.locator(ROWS)).to_contain_text("stuck host-3")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("which", HOSTILE)
def test_hostile_names_stay_text_on_a_host_and_on_a_server(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory, which: str, width: int
) -> None:
    folder = tmp_path_factory.mktemp("hostile")
    path = str(folder / "store.sqlite")
    fill(path, HOSTILE[which])
    with dashboard(folder, path) as address, visit(browser, address, viewport={"width": width, "height": 800}) as one:
        page = one.page()
        for link in ("/hosts/", "/instances/"):
            page.goto("/operations?last=all&background=1")
            page.locator(f"{ROWS} a[href^='{link}']").first.click()
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            expect(page.locator(ROWS).first).to_be_visible()
            assert page.locator("main script, main img").count() == 0
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            text = page.locator("body").inner_text()
            assert not set("\u202e\u2066\u200f\u0007") & set(text)
            assert "x" * 301 not in text
            assert page.title().endswith(" · rpcscope")
