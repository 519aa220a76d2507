"""What a person learns of the recorders."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from rpcscope.model import Batch, Counters, Gap, GapCause
from rpcscope.store import RecorderHealth, Store, open_store
from tests.support.dashboard import dashboard, visit

SECOND = 1_000_000_000
COUNTERS = Counters(seen=1_000, decoded=990, rejected=7, markers=3, duplicates=5, messages=600, copies=385, evicted=2)


def record(store: Store, scope: str) -> RecorderHealth:
    """A recorder that runs, and was blind twice in the last minutes."""
    now_ns = time.time_ns()
    writer = store.writer()
    number = writer.start(
        source="firehose", scope=scope, digest="", label="nova", tap_mode="control", conditions="",
        started_ns=now_ns - 600 * SECOND,
    ).recording.id  # fmt: skip
    gaps = (
        Gap(from_ns=now_ns - 300 * SECOND, to_ns=now_ns - 270 * SECOND, cause=GapCause.DROPPED, estimate=1_200),
        Gap(from_ns=now_ns - 200 * SECOND, to_ns=now_ns - 195 * SECOND, cause=GapCause.DISCONNECTED),
    )
    writer.write(Batch(recording_id=number, gaps=gaps, counters=COUNTERS, last_ns=now_ns))
    health = RecorderHealth(
        recording_id=number, at_ns=now_ns, since_ns=now_ns - 600 * SECOND, host="mon1", pid=4711, stored_ns=now_ns,
        events_rate=1234.5, backlog=12, cpu_share=0.125, lag_ns=SECOND // 2, rss_bytes=85_000_000, nodes_traced=2,
        nodes=3,
    )  # fmt: skip
    writer.report(health)
    return health


def test_captures_are_listed_with_their_counts_and_conditions(page: Page) -> None:
    page.goto("/taps")
    line = page.locator("tbody tr", has=page.get_by_text("12_evacuate_6"))
    expect(line).to_contain_text("712")
    expect(line).to_contain_text("fake virt driver")
    expect(page.get_by_text("No live broker was recorded into this database")).to_be_visible()


def test_a_recorder_that_runs_tells_how_it_fares_and_every_total_what_it_missed(
    browser: Browser, tmp_path: Path
) -> None:
    path = str(tmp_path / "store.sqlite")
    with open_store(path, create=True) as store:
        health = record(store, "rabbit1:5672 vhost nova default")
        with dashboard(tmp_path, path) as address, visit(browser, address) as person:
            page = person.page()
            # As a recorder does every few seconds: by the time the page is asked for, it may be silent.
            store.writer().report(replace(health, at_ns=time.time_ns()))
            page.goto("/taps?last=1h")
            card = page.locator("article", has_text="rabbit1:5672 vhost nova default")
            for words in (
                "1,000 seen, 1,234.5/s",
                "12 events wait",
                "2 of 3",
                "12.5 %",
                "85.0 MB",
                "process 4711 on mon1",
            ):
                expect(card).to_contain_text(words)
            expect(card).to_contain_text("its queue was full once, 30.00 s in all, about 1,200 messages")
            for path in ("/", "/operations", "/taps"):
                page.goto(path)
                expect(page.get_by_text("Totals may be too low").first).to_be_visible()
            page.goto("/operations?last=1m")
            expect(page.get_by_text("Totals may be too low")).to_have_count(0)
            page.goto("/")
            expect(page.get_by_text("2 of 3 nodes are traced")).to_be_visible()
