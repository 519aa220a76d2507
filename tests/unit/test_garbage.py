"""How often garbage is looked for while a recorder runs."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from rpcscope.garbage import SELDOM, seldom_collected


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_cycles_are_looked_for_seldom_within_and_as_before_afterwards() -> None:
    gc.set_threshold(700, 10, 10)
    with seldom_collected():
        assert gc.get_threshold() == SELDOM
    assert gc.get_threshold() == (700, 10, 10)


def test_a_failure_within_brings_the_old_pace_back() -> None:
    gc.set_threshold(700, 10, 10)
    with pytest.raises(RuntimeError), seldom_collected():
        raise RuntimeError
    assert gc.get_threshold() == (700, 10, 10)


def test_who_looks_more_seldom_already_or_never_is_left_alone() -> None:
    for wish in ((60_000, 30, 30), (0, 10, 10)):
        gc.set_threshold(*wish)
        with seldom_collected():
            assert gc.get_threshold() == wish
