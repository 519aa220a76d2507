"""Who can not see colours, or uses no mouse, or listens to the page, gets the same as everybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from rpcscope_web.registry import PAGES
from tests.support.dashboard import Visit, dashboard, visit
from tests.support.pages import addresses, troubled_store

SEVERE = ("serious", "critical")
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a database with everything that can be wrong. It is shared: only read it."""
    return troubled_store(str(tmp_path_factory.mktemp("troubled") / "store.sqlite"))


@pytest.fixture(scope="module")
def troubled_visitor(browser: Browser, troubled: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    with dashboard(tmp_path_factory.mktemp("troubled-served"), troubled) as address, visit(browser, address) as found:
        found.allowed.append("404")
        yield found


def broken(page: Page, options: dict[str, Any] | None = None) -> Iterator[str]:
    """What axe finds serious or critical: the rule, and where it is broken first."""
    # Preloading makes style elements, which the policy of the pages forbids.
    wanted = {"resultTypes": ["violations"], "preload": False, **(options or {})}
    for one in Axe().run(page, options=wanted).response["violations"]:
        if one["impact"] in SEVERE:
            yield f"{one['id']}: {[node['html'][:200] for node in one['nodes'][:4]]}"


def found_in(page: Page, pages: dict[str, str]) -> dict[str, list[str]]:
    """By page: all rules in one theme, those of colours in the other, too; the next page begins with that one."""
    found: dict[str, list[str]] = {}
    themes = list(THEMES)
    for name, path in pages.items():
        page.goto(path)
        page.wait_for_load_state("networkidle")
        found[f"{name} {themes[0]}"] = list(broken(page))
        page.emulate_media(color_scheme=themes[1])
        page.wait_for_load_state("networkidle")
        found[f"{name} {themes[1]}"] = list(broken(page, CONTRAST))
        themes.reverse()
    return {name: them for name, them in found.items() if them}


def one_of_each(pages: dict[str, str]) -> dict[str, str]:
    """Without the variants of a page."""
    return {name: path for name, path in pages.items() if "-" not in name}


def test_every_page_of_the_registry_is_looked_at(troubled: str) -> None:
    nouns = {name.partition("-")[0] for name in addresses(troubled)}
    assert nouns == {page.noun for page in PAGES}


def test_axe_finds_nothing_serious_over_the_recordings(visitor: Visit, recorded: str) -> None:
    assert found_in(visitor.page(), one_of_each(addresses(recorded))) == {}


def test_axe_finds_nothing_serious_in_red_flags_and_queues_in_trouble(troubled_visitor: Visit, troubled: str) -> None:
    pages = {name: path for name, path in addresses(troubled).items() if name in ("flags", "queue")}
    assert found_in(troubled_visitor.page(), pages) == {}


@pytest.mark.long
def test_axe_finds_nothing_serious_in_any_view_over_the_recordings(visitor: Visit, recorded: str) -> None:
    visitor.allowed.append("404")
    assert found_in(visitor.page(), addresses(recorded)) == {}


@pytest.mark.long
def test_axe_finds_nothing_serious_where_everything_is_wrong(troubled_visitor: Visit, troubled: str) -> None:
    assert found_in(troubled_visitor.page(), addresses(troubled)) == {}
