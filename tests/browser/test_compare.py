"""Two releases set against each other, as a person does it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from rpcscope.store import open_store
from tests.support.dashboard import CAPTURES, dashboard, import_captures, visit
from tests.unit.compare.planted import with_a_new_call


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The dashboard over boots of two releases, the later one with an RPC more."""
    folder = tmp_path_factory.mktemp("releases")
    with open_store(str(folder / "boots.sqlite"), create=True) as store:
        import_captures(store, CAPTURES / "02_boot_10_serial.jsonl.zst")
    path: Path = with_a_new_call(folder / "boots.sqlite", folder / "releases.sqlite")
    with open_store(str(path)) as store:
        import_captures(store, CAPTURES / "10_drain_setup_boot6_on_compute-1.jsonl.zst")
        for number, release in ((1, "2026.2"), (2, "2026.1")):
            store.writer().label(number, {"release": release})
    with dashboard(folder, str(path)) as address:
        yield address


def test_two_labels_are_chosen_and_the_new_rpc_leads_to_a_boot_that_has_it(browser: Browser, releases: str) -> None:
    with visit(browser, releases) as visitor:
        page = visitor.page()
        page.goto("/")
        page.get_by_role("navigation", name="Pages").get_by_role("link", name="Compare").click()
        expect(page.get_by_role("heading", name="Choose two sides")).to_be_visible()
        page.get_by_role("group", name="A").get_by_label("What").select_option(label="release=2026.1")
        page.get_by_role("group", name="B").get_by_label("What").select_option(label="release=2026.2")
        page.get_by_role("button", name="Compare").click()
        main = page.locator("main")
        expect(main).to_contain_text(
            "In all 6 of A 15 RPCs, in all 10 of B 16: conductor object_action(Planted.save) is"
        )
        row = page.get_by_role(
            "row", name=re.compile("call conductor Planted.save added 0 A 0, B 1 1 without exception")
        )
        row.get_by_role("link", name=re.compile("^req-")).last.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Boot a server")
        page.go_back()
        page.get_by_role("link", name="Exchange A and B").click()
        expect(main).to_contain_text(
            "In all 10 of A 16 RPCs, in all 6 of B 15: conductor object_action(Planted.save) is g"
        )


def test_a_phone_scrolls_the_table_and_never_the_page(browser: Browser, releases: str) -> None:
    with visit(browser, releases, viewport={"width": 390, "height": 800}) as visitor:
        page = visitor.page()
        page.goto("/compare?a=recording:2&b=recording:1")
        expect(page.get_by_role("table")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
