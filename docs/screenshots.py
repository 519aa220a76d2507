"""Makes the pictures of README and docs from the real recordings: `python docs/screenshots.py [FOLDER]`.

It imports the captures of nova 34, serves them, and lets Debian's chromium look at each page, in both themes.
`python docs/screenshots.py --run DB` makes that of the newest run of the emulator in a database.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import Browser, Page, expect

from rpcscope.store import open_store
from tests.support.dashboard import GIVE_UP_MS, chromium, dashboard, recorded_store, visit
from tests.support.pages import addresses

PICTURES = Path(__file__).with_name("pictures")
WIDE, PHONE, TALL = {"width": 1280, "height": 900}, {"width": 390, "height": 844}, {"width": 1280, "height": 2000}
THEMES = ("light", "dark")
SHOWN = ("overview", "operation", "services")
"""In README."""


def make(folder: Path, *, every: bool) -> None:
    """The pictures of README, 1280 pixels wide in the light theme; with `every` all pages in each width and theme."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rpcscope-pictures-") as made, chromium() as browser:
        db = recorded_store(Path(made, "recorded.sqlite"))
        looked_at = {name: at for name, at in addresses(db).items() if every or name in SHOWN}
        with dashboard(Path(made), db) as address:
            for theme in THEMES if every else THEMES[:1]:
                for width in (WIDE, PHONE) if every else (WIDE,):
                    suffix = f"-{theme}-{width['width']}" if every else ""
                    _look(browser, address, looked_at, folder, theme, width, suffix)


def make_run(folder: Path, db: str) -> None:
    """The page of the newest run in a database, down to its queues."""
    with open_store(db) as store:
        (run,) = store.reader().runs(1)
    with (
        tempfile.TemporaryDirectory(prefix="rpcscope-pictures-") as made,
        chromium() as browser,
        dashboard(Path(made), db) as address,
        visit(browser, address, viewport=TALL) as visitor,
    ):
        page = visitor.page()
        page.goto(f"{address}runs/{run.id}")
        expect(page.locator("figure[data-drawn]")).to_have_count(2, timeout=GIVE_UP_MS)
        _settle(page)
        page.screenshot(path=folder / "run.png")


def _look(
    browser: Browser, address: str, wanted: dict[str, str], folder: Path, theme: str, width: dict[str, int], suffix: str
) -> None:
    with visit(browser, address, color_scheme=theme, viewport=width, device_scale_factor=1) as visitor:
        visitor.allowed.append("404")  # the page of what is not there
        page = visitor.page()
        for name, path in wanted.items():
            page.goto(address + path)
            _settle(page)
            page.screenshot(path=folder / f"{name}{suffix}.png", full_page=bool(suffix))
            print(folder / f"{name}{suffix}.png")


def _settle(page: Page) -> None:
    page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        make_run(PICTURES, sys.argv[2])
        sys.exit()
    arguments = [argument for argument in sys.argv[1:] if argument != "--every"]
    make(Path(arguments[0]) if arguments else PICTURES, every="--every" in sys.argv)
