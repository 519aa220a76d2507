"""What a person sees of one operation: its waterfall, the facts of a call, and the other views."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect

from rpcscope.model import Batch, Call, Gap, GapCause, Outcome, ParentSource, Status
from rpcscope.store import open_store
from tests.contract.records import begun, recording_of
from tests.support.dashboard import Visit, dashboard, visit
from tests.unit.query.one import BEGAN, MS, call, cast, stored, uid

ROWS = "table.waterfall tbody tr"
EVIL = "<script>document.title='PS7q'</script>\u202e" + "x" * 300


def boot(address: str) -> str:
    """The address of a boot that was done."""
    with urlopen(f"{address}api/v1/operations?kind=create&status=done&limit=1") as answer:
        return f"/operations/{json.load(answer)['items'][0]['request_id']}"


def test_a_boot_says_what_it_cost_and_draws_each_call(page: Page, address: str) -> None:
    page.goto(boot(address))
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"Boot a server\s+create\s+done"))
    expect(page.get_by_text("15 RPCs = 12 calls + 2 casts + 1 fanout; + 12 replies = 27 messages")).to_be_visible()
    expect(page.locator(ROWS)).to_have_count(16)
    first = page.locator(ROWS).first
    expect(first).to_contain_text("schedule_and_build_instances")
    expect(page.locator(f"{ROWS} rect.usual")).not_to_have_count(0)
    expect(page.locator(f"{ROWS} rect.critical")).not_to_have_count(0)
    expect(page.get_by_label("Legend")).to_contain_text("5th to 95th percentile of the newest 19 other operations")
    expect(page.locator(".path")).to_contain_text("in nova-conductor@")


def test_a_click_on_a_bar_shows_the_facts_of_the_call_and_can_be_sent_as_a_link(visitor: Visit, address: str) -> None:
    page = visitor.page()
    page.goto(boot(address))
    page.locator(ROWS).nth(1).locator("td").click()
    panel = page.get_by_label("Facts of the chosen call")
    expect(panel.get_by_role("heading")).to_contain_text("select_destinations")
    expect(panel).to_contain_text("nova-scheduler")
    expect(panel).to_contain_text("times stamped by the tap")
    other = visitor.page()
    other.goto(page.url)
    expect(other.get_by_label("Facts of the chosen call")).to_contain_text("select_destinations")
    expect(other.locator(f"{ROWS}.chosen")).to_contain_text("select_destinations")
    other.get_by_role("button", name="Close").click()
    expect(other.get_by_label("Facts of the chosen call")).to_be_hidden()
    assert "#" not in other.url


def test_calls_are_walked_with_the_keyboard(page: Page, address: str) -> None:
    page.goto(boot(address))
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Facts of the chosen call")).to_contain_text("select_destinations")


def test_without_scripts_a_call_is_a_page(browser: Browser, address: str) -> None:
    with visit(browser, address, java_script_enabled=False) as person:
        page = person.page()
        page.goto(boot(address))
        page.get_by_role("link", name="select_destinations").click()
        expect(page.get_by_role("heading", level=2)).to_contain_text("select_destinations")
        page.get_by_role("link", name="Zoom to this call").click()
        expect(page.get_by_text("Zoomed to one call.")).to_be_visible()


def test_the_views_are_links(page: Page, address: str) -> None:
    page.goto(boot(address))
    views = page.get_by_label("Views of this operation")
    views.get_by_role("link", name="Tree").click()
    expect(page.get_by_label("Tree of its calls").get_by_role("listitem")).to_have_count(16)
    views.get_by_role("link", name="Sequence").click()
    expect(page.locator(".lifelines .message")).to_have_count(16 + 13)
    expect(page.locator(".lifelines text.lane").first).to_contain_text("gunicorn")
    views.get_by_role("link", name="Numbers").click()
    saves = page.get_by_role("row", name=re.compile("^Instance.save"))
    expect(saves.locator("td").first).to_have_text("6")
    views.get_by_role("link", name="Related").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Boot a server")


def test_an_operation_is_copied_as_mermaid(browser: Browser, address: str) -> None:
    with visit(browser, address, permissions=["clipboard-read", "clipboard-write"]) as person:
        page = person.page()
        page.goto(boot(address))
        page.get_by_role("button", name="Mermaid").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith("sequenceDiagram\n")
        with page.expect_download() as download:
            page.get_by_role("link", name="text", exact=True).click()
        assert download.value.suggested_filename.endswith(".txt")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard over operations written by hand: one that is stuck, one of hostile names, one of a thousand calls."""
    folder = tmp_path_factory.mktemp("written")
    with open_store(str(folder / "store.sqlite"), create=True) as store:
        stored(
            store, waiting(), request_id="req-stuck", kind="live-migration", status=Status.RUNNING, finished_ns=None,
            owed_call=3, owed_method="pre_live_migration", owed_process=0, owed_host="compute-7",
            owed_since_ns=BEGAN + 90 * MS,
        )  # fmt: skip
        evil = call(1, 0, 1, 2, method=EVIL, failure=EVIL, topic=EVIL, server=EVIL, outcome=Outcome.FAILED)
        stored(store, [evil, call(2, 3, 4, 5, method=EVIL)], request_id="req-hostile", kind=EVIL, error=EVIL)
        stored(store, thousand(), request_id="req-thousand")
        for name in ("req-a", "req-b"):
            stored(store, [call(1, 0, 1, 2)], request_id=name, global_request_id="req-global")
        writer, base = begun(store, scope="gap", tap_mode="full")
        gap = Gap(from_ns=BEGAN + 20 * MS, to_ns=BEGAN + 40 * MS, cause=GapCause.DROPPED, estimate=4)
        writer.write(Batch(recording_id=recording_of(base), gaps=(gap,), last_ns=BEGAN + 1_000_000 * MS))
    with dashboard(folder, str(folder / "store.sqlite")) as found:
        yield found


def waiting() -> list[Call]:
    traced = {"parent_source": ParentSource.TRACEPARENT}
    return [
        cast(1, 0, 2, method="live_migrate_instance"),
        call(2, 10, 12, 80, 82, parent=1, method="select_destinations", **traced),
        call(3, 90, 95, parent=1, method="pre_live_migration", outcome=Outcome.PENDING, heartbeats=3, **traced),
    ]


def thousand() -> list[Call]:
    head = [cast(1, 0, 1, method="build")]
    return head + [replace(call(n, n, n + 1, n + 9, n + 10, parent=1), unique_id=uid(n)) for n in range(2, 1_001)]


@pytest.fixture
def reader(browser: Browser, written: str) -> Iterator[Page]:
    with visit(browser, written) as person:
        yield person.page()


def test_a_stuck_operation_says_who_owes_the_answer_and_what_was_seen_last(reader: Page) -> None:
    reader.goto("/operations/req-stuck")
    owed = reader.get_by_label("Facts").get_by_role("paragraph").first
    expect(owed).to_contain_text("Nobody took pre_live_migration from its queue for compute-7, since")
    expect(owed).to_contain_text("The last that was seen: pre_live_migration")
    last = reader.locator(ROWS).last
    expect(last.locator("rect.fade")).to_have_count(1)
    expect(last).to_contain_text("3 heartbeats")
    expect(reader.locator(".grid .branch.traced")).to_have_count(2)
    expect(reader.locator(".grid .blind")).to_have_count(1)
    expect(reader.get_by_text("Totals may be too low")).to_be_visible()


def test_hostile_names_are_text_in_every_view(reader: Page) -> None:
    for view in ("", "?view=tree", "?view=sequence", "?view=numbers", "?view=related", f"/calls/{uid(1)}"):
        reader.goto(f"/operations/req-hostile{view}")
        expect(reader.get_by_role("heading", level=1)).to_be_visible()
        assert "<script>" not in reader.title() or reader.title().startswith("<script>doc"), view
        assert reader.locator("main script").count() == 0
        assert "\u202e" not in reader.locator("body").inner_text()
        assert reader.evaluate("document.documentElement.scrollWidth <= innerWidth"), view


def test_a_global_request_id_lists_its_operations(reader: Page) -> None:
    reader.goto("/operations/req-global")
    expect(reader.get_by_role("heading", level=1)).to_have_text("2 operations of one global request id")
    reader.get_by_role("link", name="req-a").click()
    expect(reader.locator(ROWS)).to_have_count(1)


def test_a_thousand_calls_are_few_elements_and_those_out_of_sight_are_not_laid_out(reader: Page) -> None:
    reader.goto("/operations/req-thousand")
    rows = reader.locator(ROWS)
    expect(rows).to_have_count(1_000)
    assert reader.locator(".falls *").count() < 16 * 1_000
    assert rows.last.evaluate("row => getComputedStyle(row).contentVisibility") == "auto"
    assert (
        rows.last.evaluate("row => row.querySelector('rect').checkVisibility({contentVisibilityAuto: true})") is False
    )
    rows.last.scroll_into_view_if_needed()
    expect(rows.last.locator("rect.bar")).to_be_visible()


def test_a_phone_scrolls_no_page(browser: Browser, address: str) -> None:
    with visit(browser, address, viewport={"width": 390, "height": 844}) as person:
        page = person.page()
        for view in ("", "?view=tree", "?view=sequence", "?view=numbers", "?view=related"):
            page.goto(boot(address) + view)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
