"""Pre-copy in closed form, and the same round by round."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpcscope.physics import Guest, Phase, Policy, Precopy, foresee, rounds_needed

GB = 1e9
B = 1.1 * GB  # of a 10 Gbit/s link
ALWAYS = Policy(downtime_ms=500, downtime_steps=1, completion_timeout_s=0, resume_s=0.0)
"""The whole downtime is allowed at once."""


@pytest.mark.parametrize(
    ("memory", "dirty", "rounds", "running_s", "total_s", "downtime_s", "running_gb", "total_gb"),
    [
        (16, 0.1, 2, 15.87, 15.99, 0.120, 17.45, 17.59),
        (16, 0.5, 5, 26.15, 26.43, 0.282, 28.76, 29.07),
        (64, 0.9, 24, 317.41, 317.88, 0.471, 349.15, 349.67),
    ],
)
def test_worked_values(
    memory: float,
    dirty: float,
    rounds: int,
    running_s: float,
    total_s: float,
    downtime_s: float,
    running_gb: float,
    total_gb: float,
) -> None:
    found = foresee(Guest(memory=memory * GB, dirty=dirty * GB), bandwidth=B, downtime_s=0.5)
    assert found is not None
    assert found.rounds == rounds
    assert [round(found.running_s, 2), round(found.total_s, 2)] == [running_s, total_s]
    assert round(found.downtime_s, 3) == downtime_s
    assert [round(found.running_bytes / GB, 2), round(found.total_bytes / GB, 2)] == [running_gb, total_gb]


def driven(guest: Guest, *, bandwidth: float = B, policy: Policy = ALWAYS) -> tuple[Precopy, float]:
    """A migration that has the link for itself, and when it was over."""
    now_s, copy = 0.0, Precopy(guest, policy, now_s=0.0)
    while (piece := copy.next_round(bandwidth=bandwidth, now_s=now_s)) is not None:
        seconds = piece.bytes / min(bandwidth, piece.cap)
        copy.sent(piece.bytes, seconds)
        now_s += seconds
        assert copy.rounds < 100_000
    return copy, now_s


guests = st.builds(
    Guest,
    memory=st.floats(1 * GB, 1024 * GB),
    dirty=st.floats(0, 1.05 * GB),
    working_set=st.sampled_from([inf, 0.2 * GB, 2 * GB, 40 * GB]),
)


@settings(deadline=None)
@given(guests)
def test_round_by_round_is_the_closed_form_to_the_byte_per_round(guest: Guest) -> None:
    found = foresee(guest, bandwidth=B, downtime_s=0.5)
    assert found is not None
    copy, over_s = driven(guest)
    assert copy.phase is Phase.DONE
    assert abs(copy.rounds - (found.rounds + (found.downtime_s > 0))) <= 1  # a byte more or less at the threshold
    assert over_s == pytest.approx(found.total_s, rel=0.002, abs=1e-5)
    assert copy.paused_s <= 0.5 + 1e-6


@settings(deadline=None)
@given(guests, st.floats(0.01, 2 * GB), st.floats(0.001, 10))
def test_the_rounds_needed_are_the_fewest_that_suffice(guest: Guest, bandwidth: float, downtime_s: float) -> None:
    rounds = rounds_needed(guest, bandwidth=bandwidth, downtime_s=downtime_s)
    enough, left, ratio = bandwidth * downtime_s, guest.memory, guest.dirty / bandwidth
    if rounds is None:
        assert ratio >= 1
        assert guest.writable > enough
        return
    for number in range(min(rounds, 3000)):
        assert left > enough * (1 - 1e-9), f"round {number} was not needed"
        left = min(guest.writable, left * ratio)
    if rounds < 3000:
        assert left <= enough * (1 + 1e-9)


@pytest.mark.parametrize("dirty", [B, 1.5 * B, 100 * B])
def test_who_writes_as_fast_as_it_is_copied_does_not_converge_and_that_is_told(dirty: float) -> None:
    guest = Guest(memory=16 * GB, dirty=dirty)
    assert foresee(guest, bandwidth=B, downtime_s=0.5) is None
    assert Precopy(guest, ALWAYS, now_s=0.0).hopeless(B)


def test_a_small_working_set_converges_at_any_dirty_rate() -> None:
    guest = Guest(memory=16 * GB, dirty=100 * B, working_set=0.4 * B)
    found = foresee(guest, bandwidth=B, downtime_s=0.5)
    assert found is not None
    assert (found.rounds, found.downtime_s) == (1, pytest.approx(0.4))
    assert not Precopy(guest, ALWAYS, now_s=0.0).hopeless(B)


def test_who_writes_nothing_needs_one_round_and_no_downtime() -> None:
    found = foresee(Guest(memory=16 * GB, dirty=0), bandwidth=B, downtime_s=0.5)
    assert found is not None
    assert (found.rounds, found.downtime_s, found.total_bytes) == (1, 0, 16 * GB)


def test_a_tiny_link_and_a_dirty_rate_just_below_it_end_in_numbers() -> None:
    guest = Guest(memory=1024 * GB, dirty=1 - 1e-12)
    found = foresee(guest, bandwidth=1.0, downtime_s=0.001)
    assert found is not None
    assert found.rounds > 1e12
    assert guest.memory < found.total_s < inf


def test_without_bandwidth_there_is_no_forecast() -> None:
    for bandwidth in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="without bandwidth"):
            foresee(Guest(memory=1, dirty=0), bandwidth=bandwidth, downtime_s=0.5)


@pytest.mark.parametrize("wrong", [{"memory": 0}, {"memory": float("nan")}, {"dirty": -1}, {"disk": -1}])
def test_what_no_server_has_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="no server has"):
        Guest(**{"memory": 1, "dirty": 0, **wrong})
