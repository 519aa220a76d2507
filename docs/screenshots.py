"""Makes the pictures of README and docs from the real recordings: `python docs/screenshots.py [FOLDER]`.

It imports the captures of nova 34, serves them, and lets Debian's chromium look at each page, in both themes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import Browser, Page

from rpcscope.store import open_store
from rpcscope.store.protocol import OperationFilter
from tests.support.dashboard import chromium, dashboard, recorded_store, visit

PICTURES = Path(__file__).with_name("pictures")
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
THEMES = ("light", "dark")


def pages(db: str) -> dict[str, str]:
    """What is looked at: a name for the file, and the address."""
    with open_store(db) as store:
        boot = next(iter(store.reader().operations(OperationFilter(kind="create", limit=1))))
    return {
        "overview": "?last=all",
        "operations": "operations?last=all",
        "operation": f"operations/{boot.request_id}",
        "sequence": f"operations/{boot.request_id}?view=sequence",
        "kind": "kinds/create?last=all",
        "services": "services?last=all",
        "flags": "flags?last=all",
        "taps": "taps",
    }


def make(folder: Path, *, every: bool) -> None:
    """One picture of each page at 1280 pixels in the light theme; with `every` in each width and theme."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rpcscope-pictures-") as made, chromium() as browser:
        db = recorded_store(Path(made, "recorded.sqlite"))
        with dashboard(Path(made), db) as address:
            for theme in THEMES if every else THEMES[:1]:
                for width in (WIDE, PHONE) if every else (WIDE,):
                    suffix = f"-{theme}-{width['width']}" if every else ""
                    _look(browser, address, pages(db), folder, theme, width, suffix)


def _look(
    browser: Browser, address: str, wanted: dict[str, str], folder: Path, theme: str, width: dict[str, int], suffix: str
) -> None:
    with visit(browser, address, color_scheme=theme, viewport=width, device_scale_factor=1) as visitor:
        page = visitor.page()
        for name, path in wanted.items():
            page.goto(address + path)
            _settle(page)
            page.screenshot(path=folder / f"{name}{suffix}.png", full_page=bool(suffix))
            print(folder / f"{name}{suffix}.png")


def _settle(page: Page) -> None:
    page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--every"]
    make(Path(arguments[0]) if arguments else PICTURES, every="--every" in sys.argv)
