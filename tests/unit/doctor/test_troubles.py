"""Each flag is up where its trouble is planted, and none over a quiet cloud."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rpcscope.doctor import CHECKS, RedFlag, ask, examine
from rpcscope.store import Store, open_store
from tests.contract.records import START
from tests.support.trouble import ALONG, END, TROUBLES, Cloud


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
