"""What a person sees of queues, filters, follows and sends as a link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from rpcscope.model import (
    Batch,
    Binding,
    Churn,
    ChurnEvent,
    Exchange,
    FamilySample,
    Layout,
    NodeState,
    QueueConsumer,
    QueueSample,
)
from rpcscope.store import Store, open_store
from tests.browser.test_hostile import HOSTILE
from tests.browser.test_house import contrasts
from tests.contract.records import SECOND, START, begun, recording_of
from tests.contract.test_queues import make_poll
from tests.support.dashboard import Visit, dashboard, visit
from tests.support.queue_store import LAST_S, LOST_S, WAITING, fill

DEPTH = (LAST_S - LOST_S) // 10
PATHS = ("/queues", "/queues/compute.*", "/queues/compute.host-2", "/queues/conductor")


@pytest.fixture(scope="module")
def queue_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("queues")
    path = str(folder / "store.sqlite")
    with open_store(path, create=True) as store:
        fill(store, "nova", silent_s=range(600, 1_200))
    with dashboard(folder, path) as found:
        yield found


@pytest.fixture
def person(browser: Browser, queue_address: str) -> Iterator[Visit]:
    with visit(browser, queue_address) as found:
        yield found


@pytest.fixture
def page(person: Visit) -> Page:
    return person.page()


def charts(page: Page) -> list[Locator]:
    """All charts of a page, drawn, or said to be empty."""
    found = page.locator("figure[data-figure]").all()
    for one in found:
        one.scroll_into_view_if_needed()
        expect(one.locator("svg.main-svg, p.hint").first).to_be_visible()
    return found


def test_a_person_goes_from_an_alarm_to_the_queue_that_nobody_consumes_and_to_what_is_in_it(page: Page) -> None:
    page.goto("/queues")
    expect(page.get_by_text("rabbit@one has a memory alarm")).to_be_visible()
    page.get_by_role("link", name=re.compile("^Without consumers")).click()
    expect(page).to_have_url(re.compile("show=consumerless"))
    page.locator("[data-part=rows] tbody a", has_text="compute.*").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("compute.*")
    page.locator("[data-part=rows] tbody a", has_text="compute.host-2").click()
    expect(page.get_by_text("nobody consumes it")).to_be_visible()
    inside = page.locator("[data-part=inside]")
    expect(inside).to_contain_text(f"{WAITING} messages wait, the oldest for 20 min 0 s")
    expect(inside.locator("tr", has_text="build_and_run_instance")).to_contain_text(str(WAITING - 1))
    expect(inside).to_contain_text(f"The broker counts {DEPTH - WAITING} more")
    inside.get_by_role("link", name="req-waits").click()
    expect(page).to_have_url(re.compile("/operations/req-waits"))


def test_charts_are_drawn_as_high_as_they_are_and_zoom_together(page: Page) -> None:
    page.goto("/queues")
    depth, work = charts(page)
    for chart in (depth, work):
        fits = "e => e.getBoundingClientRect().bottom >= e.querySelector('svg.main-svg').getBoundingClientRect().bottom"
        page.wait_for_function(fits, arg=chart.element_handle())
    expect(depth.locator("text.legendtext", has_text="compute.*")).to_be_visible()
    expect(work.locator("text.legendtext", has_text="nova-conductor:1 ctl")).to_be_visible()
    range = ["2026-09-21 17:00:00", "2026-09-21 17:10:00"]
    depth.evaluate("(e, range) => Plotly.relayout(e, {'xaxis.range': range})", range)
    same = "(e) => e.layout.xaxis.range.map(String).join().startsWith('2026-09-21 17:00:00')"
    page.wait_for_function(same, arg=work.element_handle())


def test_charts_are_in_the_viewers_zone_from_end_to_end(page: Page) -> None:
    page.goto("/queues")
    depth = charts(page)[0]
    start, end = depth.evaluate("e => e.layout.xaxis.range")
    first, last = depth.evaluate("e => { const x = e.data.at(-1).x; return [x[0], x.at(-1)] }")
    assert start <= first < last <= end
    assert start.startswith("2026-09-21T16:13:20")  # Berlin


def test_the_way_of_messages_can_be_followed_by_clicks(page: Page) -> None:
    page.goto("/queues")
    way = page.locator("svg.route")
    expect(way.locator("g.spot")).to_have_count(1 + 3 + 2)  # nova; three families; two programs
    expect(way.locator("g.queue.lonely")).to_have_count(1)
    way.locator("a", has_text="conductor").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("conductor")
    expect(page.locator("svg.route g.spot", has_text="nova-conductor:1")).to_be_visible()


def test_a_link_to_chosen_times_shows_the_same_tomorrow(page: Page) -> None:
    page.goto("/queues/compute.host-2?from=2026-09-21T14:13:20Z&to=2026-09-21T14:50:00Z")
    expect(page.get_by_text("nobody consumes it")).to_have_count(0)
    page.get_by_role("link", name="All queues").click()
    expect(page).to_have_url(re.compile(r"from=.*&to="))
    expect(page.locator("[data-part=rows] tr", has_text="compute.*")).to_contain_text("0")


def test_j_moves_and_enter_opens(page: Page) -> None:
    page.goto("/queues")
    page.keyboard.press("j")
    name = page.locator("[data-part=rows] tbody a").first
    expect(name).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("compute.*")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_queues_can_be_read_in_both_themes_on_a_phone_and_scroll_only_in_their_boxes(
    browser: Browser, queue_address: str, scheme: str
) -> None:
    with visit(browser, queue_address, color_scheme=scheme, viewport={"width": 390, "height": 844}) as person:
        page = person.page()
        for path in PATHS:
            page.goto(path)
            charts(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            assert contrasts(page) == [], path


def test_tables_have_captions_and_pages_one_heading_and_all_can_be_named(page: Page) -> None:
    for path in PATHS:
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        assert page.evaluate("[...document.querySelectorAll('main table')].filter(t => !t.caption).length") == 0
        assert page.evaluate("[...document.querySelectorAll('main thead th')].filter(t => !t.scope).length") == 0
        unnamed = "[...document.querySelectorAll('main a')].filter(a => !a.textContent.trim()).map(a => a.outerHTML)"
        assert page.evaluate(unnamed) == []


def test_a_name_that_nobody_saw_is_told_in_a_sentence(person: Visit) -> None:
    person.allowed = ["404"]
    page = person.page()
    page.goto("/queues/nothing")
    expect(page.get_by_text("look at all queues")).to_be_visible()


def test_captures_have_no_depths_and_the_page_says_what_to_do(browser: Browser, address: str) -> None:
    with visit(browser, address) as person:
        page = person.page()
        page.goto("/queues?last=all")
        expect(page.get_by_text("rpcscope record --prometheus-url")).to_be_visible()
        charts(page)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names_of_queues_are_text_everywhere(browser: Browser, tmp_path: Path, text: str) -> None:
    path = str(tmp_path / "store.sqlite")
    with open_store(path, create=True) as store:
        fill_hostile(store, text)
    with dashboard(tmp_path, path) as address, visit(browser, address) as person:
        page = person.page()
        page.goto("/queues?last=all")
        charts(page)
        check(page)
        page.locator("[data-part=rows] tbody th a").first.click()
        expect(page.locator("[data-part=facts]")).to_be_visible()
        charts(page)
        check(page)


def fill_hostile(store: Store, text: str) -> None:
    """Every name of a queue, exchange, process, node and vhost is this one."""
    writer, base = begun(store, scope=text, label=text)
    sample = QueueSample(at_ns=START, vhost=text, queue=text, ready=5, unacked=0, consumers=0, type=text, node=text,
                         state=text)  # fmt: skip
    whole = FamilySample(at_ns=START, vhost=text, family=text, queues=1, consumerless=1, ready=5, unacked=0)
    layout = Layout(
        at_ns=START, vhost=text, exchanges=(Exchange(name=text, kind=text, durable=False),),
        bindings=(Binding(exchange=text, destination=text, to_queue=True, routing_key=text),),
        consumers=(QueueConsumer(queue=text, process=text),),
    )  # fmt: skip
    writer.write(
        Batch(
            recording_id=recording_of(base), queue_samples=(sample,), family_samples=(whole,), layouts=(layout,),
            queue_polls=(make_poll(START, vhost=text, source=text, interval_ns=SECOND),), last_ns=START + SECOND,
            node_states=(NodeState(at_ns=START, node=text, running=False, partitions=(text,)),),
            churn=(ChurnEvent(at_ns=START, event=Churn.QUEUE_DELETED, vhost=text, queue=text),),
        )
    )  # fmt: skip


def check(page: Page) -> None:
    assert "PS7q" not in page.title()
    assert page.locator("main script, main img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    text = page.locator("body").inner_text()
    assert "49" not in text
    assert not set("\u202e\u2066\u200f\u0007") & set(text)
    assert "x" * 301 not in text
