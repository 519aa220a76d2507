"""A dashboard in a process of its own, and a real browser that takes offence at everything it should not see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from rpcscope.capture import CaptureReader
from rpcscope.cli.importing import import_capture
from rpcscope.rules import load_rules
from rpcscope.store import Store, open_store
from tests.support.cli import new_cli

CAPTURES = Path(__file__).parents[1] / "captures" / "nova34"
CHROMIUM = "/usr/bin/chromium"
GIVE_UP_MS = 60_000
_ADDRESS = re.compile(r"https?://\S+/")


def import_captures(store: Store, *paths: Path) -> None:
    """Capture files as `rpcscope import` stores them."""
    for path in paths:
        with CaptureReader(path) as reader:
            import_capture(store, reader, load_rules())


def recorded_store(path: Path) -> str:
    """A database with all captures of nova 34; its path."""
    with open_store(str(path), create=True) as store:
        import_captures(store, *sorted(CAPTURES.glob("*.zst")))
    return str(path)


@contextmanager
def dashboard(folder: Path, db: str, *options: str) -> Iterator[str]:
    """`rpcscope serve` on a free port; its address, with a slash at the end."""
    with new_cli(folder, db).running("serve", "--port", "0", *options) as running:
        running.wait_for("until Ctrl-C")
        found = _ADDRESS.search(running.said)
        assert found, running.said
        yield found[0]
        done = running.end()
        assert (done.code, len(done.err.splitlines())) == (0, 1), done


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Visit:
    """A context of a browser that looks at one dashboard."""

    context: BrowserContext
    address: str
    allowed: list[str] = field(default_factory=list)  # parts of complaints that a test expects
    complaints: list[str] = field(default_factory=list)

    def page(self) -> Page:
        """A new tab, watched."""
        page = self.context.new_page()
        page.set_default_timeout(GIVE_UP_MS)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", self._request)
        return page

    def expect_silence(self) -> None:
        """Nothing was said on the console, and nothing was loaded from elsewhere."""
        found = [one for one in self.complaints if not any(part in one for part in self.allowed)]
        assert not found, "\n".join(found)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.complaints.append(f"asked elsewhere: {request.url}")


@contextmanager
def visit(browser: Browser, address: str, **options: object) -> Iterator[Visit]:
    """A person at 1280 pixels in Berlin, unless told otherwise; complaints fail at the end."""
    settings: dict[str, object] = {
        "base_url": address, "viewport": {"width": 1280, "height": 900}, "timezone_id": "Europe/Berlin",
        "locale": "en-GB", **options,
    }  # fmt: skip
    context = browser.new_context(**settings)  # type: ignore[arg-type]
    found = Visit(context, address)
    try:
        yield found
    finally:
        context.close()
    found.expect_silence()
