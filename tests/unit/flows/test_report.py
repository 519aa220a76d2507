"""Reports: a timeline that is bounded, tallies that are not, and who listens."""

from __future__ import annotations

import msgspec
import pytest

from rpcscope.errors import BrokerError
from rpcscope.flows import report as reports
from rpcscope.flows.report import Event, Report, Story
from rpcscope.flows.shares import at_share
from rpcscope.flows.traffic import Traffic
from rpcscope.flows.virtual import run_virtual
from tests.unit.flows.support import PlainWorld, play, small_fleet


def test_a_timeline_is_bounded_and_what_is_left_out_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "MAX_EVENTS", 3)
    report = Report("t", lambda: 0.0)
    for n in range(5):
        report.note("odd" if n % 2 else "even")
    story = report.story()
    assert [event.what for event in story.events] == ["even", "odd", "even"]
    assert (story.tally, story.left_out) == ({"even": 3, "odd": 2}, 2)


def test_a_listener_hears_every_event_as_it_comes() -> None:
    heard: list[Event] = []
    report = Report("t", lambda: 7.5, heard.append)
    report.note("host drained", host="h1", left=0)
    assert heard == [Event(at_s=7.5, what="host drained", host="h1", facts={"left": 0})]


def test_peaks_keep_the_most_and_sums_add_up() -> None:
    report = Report("t", lambda: 0.0)
    for value in (2, 5, 3):
        report.peak("operations", value)
        report.add("copied bytes", value)
    assert (report.story().peaks, report.story().sums) == ({"operations": 5}, {"copied bytes": 10})


def test_a_story_is_json_and_comes_back_as_it_was() -> None:
    story = play("drain", small_fleet({"4": 2}, {})).story
    assert msgspec.json.decode(msgspec.json.encode(story), type=Story) == story
    assert story.events[-1].what == "host drained"


@pytest.mark.parametrize(("share", "value"), [(0, 1), (0.5, 2.5), (1, 4), (0.25, 1.75)])
def test_a_share_lies_between_its_neighbours(share: float, value: float) -> None:
    assert at_share([1, 2, 3, 4], share) == value
    assert at_share([], share) is None


def test_a_world_that_ends_wakes_who_waits_for_a_transfer() -> None:
    class Ending(PlainWorld):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds / 2)
            raise BrokerError("The broker is gone: start it again.")

    async def main() -> None:
        await Traffic(Ending(), {"nic": 1.0}).send(("nic",), 100)

    with pytest.raises(BrokerError, match="broker is gone"):
        run_virtual(main())
