"""Each flag is up where its trouble is planted, and none over a quiet cloud."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rpcscope.doctor import CHECKS, RedFlag, ask, examine
from rpcscope.model import Gap, GapCause, MessageKind, Outcome
from rpcscope.store import Store, open_store
from tests.contract.records import SECOND, START
from tests.support.trouble import ALONG, CASTER, COMPUTE, END, TROUBLES, WORKER, Cloud


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "store.sqlite"), create=True) as opened:
        yield opened


@pytest.fixture
def cloud(store: Store) -> Cloud:
    made = Cloud(store)
    made.quiet()
    return made


def up(store: Store) -> dict[str, RedFlag]:
    return {flag.name: flag for flag in examine(ask(store.reader(), START, END, END))}


def test_every_flag_has_its_trouble() -> None:
    assert set(TROUBLES) == {check.name for check in CHECKS}


def test_no_flag_is_up_over_a_quiet_cloud(cloud: Cloud) -> None:
    assert up(cloud.store) == {}


@pytest.mark.parametrize("name", TROUBLES)
def test_a_trouble_puts_up_its_flag_and_no_other(cloud: Cloud, name: str) -> None:
    TROUBLES[name](cloud)
    found = up(cloud.store)
    assert set(found) == {name, *ALONG.get(name, ())}
    assert found[name].evidence


def test_a_worker_that_began_later_is_no_uneven_split(cloud: Cloud) -> None:
    cloud.calls(600, topic="conductor", server="", method="build_instances", to_process=cloud.base + WORKER)
    late = {"published_ns": END - 60 * SECOND, "to_process": cloud.base + COMPUTE}
    cloud.calls(90, topic="scheduler", server="", method="select_destinations", **late)
    cloud.calls(600, topic="scheduler", server="", method="select_destinations", to_process=cloud.base + WORKER)
    evidence = up(cloud.store)["uneven-split"].evidence
    assert {row.what for row in evidence} == {"conductor"}


def test_one_process_with_an_id_in_each_of_two_recordings_is_one_caller(cloud: Cloud, store: Store) -> None:
    TROUBLES["repeated-timeouts"](cloud)
    again = Cloud(store)
    again.write(processes=(again.process(CASTER),))
    TROUBLES["repeated-timeouts"](again)
    (row,) = up(store)["repeated-timeouts"].evidence
    assert row.said == "nova-api:108 on ctl sent it to compute.host-2 and timed out 6 times"


@pytest.mark.parametrize("mode", ["publish", "bindings"])
def test_nothing_is_said_of_deliveries_that_no_tap_could_see(store: Store, mode: str) -> None:
    cloud = Cloud(store, mode)
    cloud.write(processes=tuple(cloud.process(number) for number in (CASTER, WORKER)))
    unseen = {"delivered_ns": None, "copies": 0, "to_process": 0}
    cloud.calls(
        20, kind=MessageKind.NOTIFICATION, topic="notifications.info", server="", outcome=Outcome.NONE, **unseen
    )
    assert up(store) == {}


def test_silence_while_a_tap_was_blind_is_held_against_nobody(cloud: Cloud) -> None:
    TROUBLES["silent-servers"](cloud)
    gap = Gap(from_ns=START, to_ns=END - SECOND, cause=GapCause.NOT_TRACED)
    cloud.write(gaps=(gap,))
    assert set(up(cloud.store)) == {"blind-taps"}
