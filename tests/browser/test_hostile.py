"""Names that came over the wire from somebody who means harm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from rpcscope.model import Batch, FamilySample, Gap, GapCause, NodeState, QueuePoll, Status
from rpcscope.store import open_store
from tests.contract.records import SECOND, START, begun, make_call, make_operation, make_process
from tests.support.dashboard import dashboard, visit

EVIL = "<script>document.title='PS7q'</script><img src=x onerror=\"document.title='PS7q'\">{{7*7}}${7*7}"
BIDI = "\u202eevil\u2066\u200f\u0007"
LONG = "x" * 10_000
HOSTILE = {"markup": EVIL, "bidi": BIDI, "long": LONG}


def fill(path: str, text: str) -> None:
    """A store in which every text is this one."""
    with open_store(path, create=True) as store:
        writer, base = begun(store, scope=text, label=text, conditions=text, tap_mode="control")
        number = base >> 40
        named: dict[str, Any] = {
            "kind": text,
            "source_host": text,
            "dest_host": text,
            "error": text,
            "owed_method": text,
        }
        writer.write(
            Batch(
                recording_id=number,
                operations=(
                    make_operation(
                        base + 1, request_id=text, global_request_id=text, instances=(text,), owed_host=text,
                        project_id=text, owed_process=base + 2, status=Status.RUNNING, **named,
                    ),
                    make_operation(
                        base + 3, request_id=f"req-{text}", instances=(text, text), status=Status.DONE, **named,
                    ),
                ),
                processes=(make_process(base + 2, program=text, host=text, role=text, key=text),),
                calls=(
                    make_call(
                        base + 4, method=text, failure=text, topic=text, server=text, operation_id=base + 1,
                        cause_id=base + 1, published_ns=START, from_process=base + 2, to_process=base + 2,
                        parent_unique_id="",
                    ),
                ),
                gaps=(Gap(from_ns=START, to_ns=START + SECOND, cause=GapCause.DROPPED, note=text),),
                queue_polls=(
                    QueuePoll(
                        at_ns=START, vhost=text, source=text, queues=1, took_ns=1, own_cpu_ns=1, interval_ns=SECOND,
                        complete=False,
                    ),
                ),
                family_samples=(
                    FamilySample(at_ns=START, vhost=text, family=text, queues=1, consumerless=1, ready=5, unacked=1),
                ),
                node_states=(NodeState(at_ns=START, node=text, running=False, partitions=(text,)),),
                last_ns=START + 100 * SECOND,
                ended=True,
            )
        )  # fmt: skip


@pytest.fixture(scope="module", params=HOSTILE)
def hostile_address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("hostile")
    path = str(folder / "store.sqlite")
    fill(path, HOSTILE[request.param])
    with dashboard(folder, path) as found:
        yield found


@pytest.fixture
def hostile(browser: Browser, hostile_address: str) -> Iterator[Page]:
    with visit(browser, hostile_address) as person:
        yield person.page()


def test_names_from_the_wire_are_text_and_nothing_else(hostile: Page) -> None:
    for path in ("/?last=all", "/taps?last=all", "/operations?last=all", "/search?q=<script>alert(1)</script>"):
        hostile.goto(path)
        expect(hostile.get_by_role("heading", level=1)).to_be_visible()
        assert "PS7q" not in hostile.title()
        assert hostile.locator("main script, main img").count() == 0
        assert hostile.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        text = hostile.locator("body").inner_text()
        assert "49" not in text
        assert not set("\u202e\u2066\u200f\u0007") & set(text)
        assert "x" * 301 not in text


def test_an_operation_with_hostile_names_can_be_opened(hostile: Page) -> None:
    hostile.goto("/operations?last=all&background=1")
    links = hostile.locator("table[data-rows] tbody th a")
    expect(links).to_have_count(2)
    links.last.click()
    expect(hostile.locator("dl.facts").first).to_be_visible()
    expect(hostile.locator("nav [aria-current=page]")).to_have_text("Operations")
    assert hostile.locator("main script, main img").count() == 0
