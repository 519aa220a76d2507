"""What every page has: the time, the keyboard, the colours, the search box, who follows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from rpcscope.store import open_store
from tests.support.dashboard import CAPTURES, dashboard, import_captures, visit

PAGES = ("/", "/operations", "/taps")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_one_heading_a_title_and_where_it_is_in_the_navigation(page: Page, path: str) -> None:
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    here = page.locator("nav [aria-current=page]")
    assert page.title() == f"{here.inner_text()} · rpcscope"


@pytest.mark.parametrize("path", PAGES)
def test_every_field_and_button_has_a_name(page: Page, path: str) -> None:
    page.goto(path)
    unnamed = page.evaluate(
        """[...document.querySelectorAll('input:not([type=hidden]), select, button, a, summary, [role=img]')].filter(
            e => !(e.labels?.length || e.ariaLabel || e.textContent.trim() || e.title)).map(e => e.outerHTML)"""
    )
    assert unnamed == []


def contrasts(page: Page) -> list[str]:
    """Texts whose contrast with the ground behind them is less than AA wants."""
    found: list[str] = page.evaluate(
        """() => {
        const parse = (c) => c.match(/[\\d.]+/g).map(Number);
        const light = ([r, g, b]) => {
            const part = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
            return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
        };
        const ground = (e) => {
            for (let at = e; at; at = at.parentElement) {
                const c = parse(getComputedStyle(at).backgroundColor);
                if (c.length === 3 || c[3] > 0) return c;
            }
            return [255, 255, 255];
        };
        const bad = [];
        for (const e of document.querySelectorAll('body *')) {
            const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
            if (!own || e.closest('svg, .sr, .skip') || !e.checkVisibility()) continue;
            const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
            const ratio = (a + 0.05) / (b + 0.05);
            const what = `${e.tagName} ${e.className} ${e.textContent.trim().slice(0, 40)}`;
            if (ratio < 4.5) bad.push(`${what} ${ratio.toFixed(2)}`);
        }
        return bad;
    }"""
    )
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read_in_both_themes(browser: Browser, address: str, scheme: str) -> None:
    with visit(browser, address, color_scheme=scheme) as person:
        page = person.page()
        for path in (*PAGES, "/operations?status=failed", "/nothing"):
            person.allowed = ["404"]
            page.goto(path)
            assert contrasts(page) == [], path


def test_times_are_in_the_viewers_zone_and_utc_on_hover(page: Page) -> None:
    page.goto("/operations?kind=delete")
    moment = page.locator("td time").first
    utc = moment.get_attribute("datetime") or ""
    hour = int(utc[11:13])
    expect(moment).to_contain_text(f"{hour + 1:02}:{utc[14:23]}")
    expect(moment).to_have_attribute("title", re.compile(rf"{utc[11:23]} UTC \(shown in"))


def test_the_range_stands_in_the_address_and_in_every_link(page: Page) -> None:
    page.goto("/")
    page.locator("summary", has_text="last 1 h").click()
    page.get_by_role("link", name="all time", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?last=all$"))
    page.get_by_role("navigation").get_by_role("link", name="Operations").click()
    expect(page).to_have_url(re.compile(r"/operations\?last=all$"))


def test_a_link_to_these_very_times_shows_the_same_rows(page: Page) -> None:
    page.goto("/operations?last=1h")
    rows = page.locator("table[data-rows] tbody th").all_inner_texts()
    page.locator("details.menu summary").click()
    page.get_by_role("link", name="A link to these very times").click()
    expect(page).to_have_url(re.compile(r"from=.*&to="))
    assert page.locator("table[data-rows] tbody th").all_inner_texts() == rows


def test_chosen_times_are_typed_in_the_viewers_zone(page: Page) -> None:
    page.goto("/operations?kind=evacuate")
    page.locator("details.menu summary").click()
    page.get_by_label("From").fill("2026-11-20T09:42:00")
    page.get_by_label("To", exact=True).fill("2026-11-20T09:42:10")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile(r"kind=evacuate.*from=2026-11-20T08%3A42%3A00.000Z"))
    expect(page.locator("table[data-rows] tbody tr")).to_have_count(2)


def test_a_range_that_can_not_be_is_told_in_a_sentence(page: Page, visitor: object) -> None:
    visitor.allowed = ["400"]  # type: ignore[attr-defined]
    page.goto("/?last=soon")
    expect(page.get_by_text("wants a number with s, m, h or d")).to_be_visible()


def test_slash_searches_and_a_request_id_is_found(page: Page) -> None:
    page.goto("/operations?kind=delete")
    request_id = page.locator("table[data-rows] tbody th a").first.get_attribute("title") or ""
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type(request_id)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/operations/{request_id}"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("delete", ignore_case=True)


@pytest.mark.parametrize(
    ("text", "leads_to"),
    [("evacuate", "kind=evacuate"), ("compute-1", "host=compute-1"), ("no such thing", "request_id=no\\+such")],
)
def test_the_search_box_knows_kinds_and_hosts_and_says_what_it_does_not_know(
    page: Page, text: str, leads_to: str
) -> None:
    page.goto("/")
    page.get_by_role("searchbox").fill(text)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/operations\?.*{leads_to}"))
    empty = page.get_by_text("No operation matches")
    expect(empty if "no" in text else page.locator("table[data-rows]")).to_be_visible()


def test_j_and_k_move_through_the_rows_and_enter_opens(page: Page) -> None:
    page.goto("/")
    for key, kind in (("j", "create"), ("j", "live-migration"), ("k", "create"), ("k", "create")):
        page.keyboard.press(key)
        expect(page.get_by_role("link", name=kind, exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("kind=create"))


def test_question_mark_helps_and_escape_ends_it(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_g_and_a_number_go_to_a_page(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("g")
    page.keyboard.press("2")
    expect(page).to_have_url(re.compile("/operations"))


def test_colours_that_were_chosen_stay_on_the_next_page(page: Page) -> None:
    page.goto("/")
    ground = "getComputedStyle(document.body.parentElement).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Colours: as the system").click()
    page.get_by_role("button", name="Colours: light").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.goto("/taps")
    assert page.evaluate(ground) == dark
    page.keyboard.press("t")
    assert page.evaluate(ground) == light


def test_the_dark_theme_of_the_system_is_that_of_the_button(browser: Browser, address: str) -> None:
    with visit(browser, address, color_scheme="dark") as person:
        page = person.page()
        page.goto("/")
        names = """() => [...getComputedStyle(document.documentElement)].filter(n => n.startsWith('--'))
            .map(n => n + getComputedStyle(document.documentElement).getPropertyValue(n))"""
        system = page.evaluate(names)
        page.keyboard.press("t")
        assert page.evaluate(names) != system
        page.keyboard.press("t")
        assert page.evaluate(names) == system
        assert len(system) > 30


def test_a_page_that_follows_shows_what_is_stored_meanwhile(browser: Browser, tmp_path: Path) -> None:
    path = str(tmp_path / "store.sqlite")
    with (
        open_store(path, create=True) as store,
        dashboard(tmp_path, path) as address,
        visit(browser, address) as person,
    ):
        import_captures(store, CAPTURES / "01_boot_1.jsonl.zst")
        page = person.page()
        page.goto("/")
        expect(page.locator("table.kinds tbody tr").first).to_contain_text("create")
        page.keyboard.press("l")
        expect(page).to_have_url(re.compile("live=1"))
        page.keyboard.press("j")
        import_captures(store, CAPTURES / "12_evacuate_6.jsonl.zst")
        expect(page.get_by_role("link", name="evacuate", exact=True)).to_be_visible()
        expect(page.get_by_role("link", name="create", exact=True)).to_be_focused()
        assert page.evaluate("performance.getEntriesByType('navigation').length") == 1
        page.keyboard.press("l")
        expect(page).not_to_have_url(re.compile("live=1"))


def test_an_empty_database_says_how_to_fill_it(browser: Browser, tmp_path: Path) -> None:
    path = str(tmp_path / "store.sqlite")
    open_store(path, create=True).close()
    with dashboard(tmp_path, path) as address, visit(browser, address) as person:
        page = person.page()
        page.goto("/")
        expect(page.get_by_text("rpcscope import FILE")).to_be_visible()
        for path in PAGES:
            page.goto(path)
