"""For tests of pages: a dashboard over the recorded captures, and a browser.

`page` is a tab at 1280 pixels whose console must stay silent and which may load nothing from elsewhere; `visit` is
the same with options, for other stores, widths and themes.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.dashboard import GIVE_UP_MS, Visit, chromium, dashboard, recorded_store, visit


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For a module at most: while it lives, its event loop keeps others of this thread from running."""
    expect.set_options(timeout=GIVE_UP_MS)
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a database with all captures of nova 34. It is shared: only read it."""
    return recorded_store(tmp_path_factory.mktemp("recorded") / "store.sqlite")


@pytest.fixture(scope="session")
def address(recorded: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the dashboard over that database is."""
    with dashboard(tmp_path_factory.mktemp("served"), recorded) as found:
        yield found


@pytest.fixture
def visitor(browser: Browser, address: str) -> Iterator[Visit]:
    with visit(browser, address) as found:
        yield found


@pytest.fixture
def page(visitor: Visit) -> Page:
    """`page.goto("/")` shows the overview of the recorded captures."""
    return visitor.page()
