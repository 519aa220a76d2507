"""A live migration round by round, with nova's limits."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpcscope.physics import GIB, MIB, Guest, Phase, Policy, Precopy, data_gib

B = 1e9
RAM = 16 * GIB
STUBBORN = Guest(memory=RAM, dirty=2 * B)
"""Writes twice as fast as it is copied."""


def run(copy: Precopy, *, now_s: float = 0.0, bandwidth: float = B, until_s: float = inf) -> float:
    """Drive it alone on a link, cut short where nova's patience ends; when it was over."""
    while now_s < until_s and (piece := copy.next_round(bandwidth=bandwidth, now_s=now_s)) is not None:
        rate = min(bandwidth, piece.cap)
        wait_s = min(piece.bytes / rate, max(0.0, copy.deadline_s - now_s) or inf)
        copy.sent(min(piece.bytes, round(wait_s * rate)), wait_s)
        now_s += wait_s
        copy.check(now_s)
    return now_s


def test_the_downtime_allowed_grows_in_novas_steps() -> None:
    steps = Policy().downtimes(data_gib(RAM))
    assert steps[:2] == [(0, 0.050), (1200, 0.095)]
    assert steps[-1] == (12_000, 0.500)
    assert len(steps) == 11
    policy = Policy()
    assert [policy.downtime_s(16, at_s) for at_s in (0, 1199.9, 1200, 11_999, 12_000, 1e9)] == [
        0.05, 0.05, 0.095, 0.455, 0.5, 0.5,
    ]  # fmt: skip


def test_nova_counts_at_least_two_gib_of_memory_and_of_each_disk_it_copies() -> None:
    assert data_gib(RAM) == 16
    assert data_gib(GIB) == 2
    assert data_gib(RAM, [GIB, 10 * GIB]) == 28
    assert Policy().deadline_s(16) == 12_800
    assert Policy(completion_timeout_s=0).deadline_s(16) == inf


def test_the_monitor_writes_at_once_and_then_each_interval() -> None:
    assert [Policy().saves(elapsed_s) for elapsed_s in (0, 0.5, 4.9, 5, 12)] == [0, 1, 1, 2, 3]


def test_by_default_a_guest_that_can_not_converge_is_aborted_after_800_s_per_gib() -> None:
    copy = Precopy(STUBBORN, Policy(), now_s=100.0)
    over_s = run(copy, now_s=100.0)
    assert copy.phase is Phase.ABORTED
    assert (over_s, copy.downtime_s) == (12_900, 0)
    assert copy.data == pytest.approx(12_800 * B, rel=1e-6)


def test_forced_without_post_copy_it_is_paused_for_what_is_left() -> None:
    copy = Precopy(STUBBORN, Policy(force=True), now_s=0.0)
    over_s = run(copy)
    assert copy.phase is Phase.DONE
    assert 12_800 < over_s <= 12_800 + RAM / B
    assert copy.paused_s == pytest.approx(over_s - 12_800)
    assert copy.downtime_s == copy.paused_s + 0.02


def test_forced_with_post_copy_it_is_down_for_its_device_state_alone() -> None:
    copy = Precopy(STUBBORN, Policy(force=True, post_copy=True), now_s=0.0)
    over_s = run(copy)
    assert copy.phase is Phase.DONE
    assert over_s <= 12_800 + RAM / B
    assert copy.downtime_s == 0.02


def test_post_copy_waits_for_the_first_round_and_sends_what_was_written() -> None:
    guest = Guest(memory=RAM, dirty=2 * B, working_set=GIB)
    copy = Precopy(guest, Policy(post_copy=True), now_s=0.0)
    assert copy.next_round(bandwidth=B, now_s=0.0) is not None
    copy.sent(RAM // 2, RAM / 2 / B)
    assert copy.force()
    assert copy.phase is Phase.MEMORY
    over_s = run(copy, now_s=RAM / 2 / B)
    assert copy.phase is Phase.DONE
    assert copy.rounds == 1
    assert over_s == pytest.approx((RAM + GIB) / B)


def test_after_post_copy_there_is_no_way_back() -> None:
    copy = Precopy(STUBBORN, Policy(post_copy=True), now_s=0.0)
    run(copy, until_s=30.0)
    assert copy.force()
    assert copy.phase is Phase.POST_COPY
    assert not copy.abort()
    assert not copy.check(1e9)
    assert not copy.force()


def test_an_abort_leaves_the_guest_at_any_time_before() -> None:
    for until_s in (0.0, 5.0, 100.0):
        copy = Precopy(STUBBORN, Policy(), now_s=0.0)
        now_s = run(copy, until_s=until_s)
        assert copy.abort()
        assert copy.next_round(bandwidth=B, now_s=now_s) is None
        assert (copy.phase, copy.over, copy.downtime_s) == (Phase.ABORTED, True, 0)
        assert not copy.abort()


def test_auto_converge_throttles_by_20_percent_and_10_more_each_time_until_it_converges() -> None:
    copy, seen, now_s = Precopy(STUBBORN, Policy(auto_converge=True), now_s=0.0), [0.0], 0.0
    while (piece := copy.next_round(bandwidth=B, now_s=now_s)) is not None:
        copy.sent(piece.bytes, piece.bytes / B)
        now_s += piece.bytes / B
        if copy.throttle != seen[-1]:
            seen.append(copy.throttle)
    assert seen == [0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    assert copy.phase is Phase.DONE
    assert copy.paused_s <= 0.5


def test_the_throttle_ends_at_99_percent() -> None:
    copy, now_s = Precopy(Guest(memory=RAM, dirty=1000 * B), Policy(auto_converge=True), now_s=0.0), 0.0
    for _ in range(60):
        piece = copy.next_round(bandwidth=B, now_s=now_s)
        assert piece is not None
        copy.sent(piece.bytes, piece.bytes / B)
        now_s += piece.bytes / B
    assert copy.throttle == 0.99
    assert copy.hopeless(B)


def test_a_disk_goes_first_and_takes_its_size_over_bandwidth_less_writes() -> None:
    guest = Guest(memory=RAM, dirty=0, disk=500e9, disk_write=0.1 * B)
    copy = Precopy(guest, Policy(completion_timeout_s=0), now_s=0.0, disk_speed=0.5 * B)
    now_s = 0.0
    while (piece := copy.next_round(bandwidth=B, now_s=now_s)) is not None and piece.phase is Phase.DISK:
        assert piece.cap == 0.5 * B
        copy.sent(piece.bytes, piece.bytes / piece.cap)
        now_s += piece.bytes / piece.cap
    assert now_s == pytest.approx(500e9 / (0.4 * B), rel=1e-5)
    over_s = run(copy, now_s=now_s)
    assert over_s - now_s == pytest.approx(RAM / (0.9 * B), rel=1e-5)  # its writes go beside its memory
    assert copy.phase is Phase.DONE


@pytest.mark.parametrize(("gigabytes", "seconds"), [(500, 455), (1000, 910)])
def test_disks_of_which_the_time_is_known(gigabytes: float, seconds: float) -> None:
    copy, now_s = Precopy(Guest(memory=1, dirty=0, disk=gigabytes * 1e9), Policy(), now_s=0.0), 0.0
    piece = copy.next_round(bandwidth=1.1e9, now_s=0.0)
    assert piece is not None
    now_s += piece.bytes / 1.1e9
    assert round(now_s / 5) * 5 == seconds


def test_a_disk_that_is_written_faster_than_it_is_copied_is_hopeless_and_ends_by_novas_timeout() -> None:
    guest = Guest(memory=RAM, dirty=0, disk=10e9, disk_write=2 * B)
    copy = Precopy(guest, Policy(), now_s=0.0)
    assert copy.hopeless(B)
    run(copy)
    assert copy.phase is Phase.ABORTED


def test_a_pause_while_the_disk_is_copied_lets_it_end() -> None:
    copy = Precopy(Guest(memory=RAM, dirty=2 * B, disk=10e9, disk_write=2 * B), Policy(force=True), now_s=0.0)
    run(copy)
    assert copy.phase is Phase.DONE
    assert copy.paused_s >= RAM / B


def test_the_bandwidth_limit_is_the_cap_of_each_round() -> None:
    copy = Precopy(Guest(memory=RAM, dirty=0), Policy(bandwidth=200 * MIB), now_s=0.0)
    piece = copy.next_round(bandwidth=B, now_s=0.0)
    assert piece is not None
    assert piece.cap == 200 * MIB


def test_a_guest_that_is_slowed_writes_less() -> None:
    quiet, busy = (Precopy(Guest(memory=RAM, dirty=0.5 * B), Policy(), now_s=0.0) for _ in range(2))
    for copy, dirty in ((quiet, 0.25 * B), (busy, None)):
        copy.next_round(bandwidth=B, now_s=0.0)
        copy.sent(RAM, RAM / B, dirty=dirty)
    pieces = [copy.next_round(bandwidth=B, now_s=RAM / B) for copy in (quiet, busy)]
    assert [round(piece.bytes / RAM, 3) for piece in pieces if piece] == [0.25, 0.5]


def rounds_of(copy: Precopy, now_s: float, bandwidth: float, most: int) -> float:
    """Drive it for some rounds, cut short at its deadline."""
    for _ in range(most):
        piece = copy.next_round(bandwidth=bandwidth, now_s=now_s)
        if piece is None:
            break
        assert piece.bytes > 0
        wait_s = piece.bytes / bandwidth
        if now_s < copy.deadline_s < now_s + wait_s:
            wait_s = copy.deadline_s - now_s
        copy.sent(min(piece.bytes, round(wait_s * bandwidth)), wait_s)
        now_s += wait_s
    return now_s


@settings(max_examples=40, deadline=None)
@given(
    st.builds(
        Guest,
        memory=st.floats(1, 1e12),
        dirty=st.floats(0, 1e11),
        working_set=st.floats(0, 1e12),
        disk=st.sampled_from([0.0, 1e6, 1e11]),
        disk_write=st.floats(0, 1e10),
    ),
    st.builds(Policy, force=st.booleans(), post_copy=st.booleans(), auto_converge=st.booleans()),
    st.floats(1e7, 1e11),
)
def test_any_migration_ends_and_its_numbers_make_sense(guest: Guest, policy: Policy, bandwidth: float) -> None:
    copy = Precopy(guest, policy, now_s=0.0)
    now_s = rounds_of(copy, 0.0, bandwidth, 300)
    if not copy.over:  # so many rounds: nova's patience is what ends it
        now_s = rounds_of(copy, max(now_s, copy.deadline_s), bandwidth, 300)
    assert copy.over
    assert 0 <= copy.paused_s <= now_s + 1e-6
    assert 0 <= copy.throttle <= 0.99
    assert copy.data <= bandwidth * now_s * (1 + 1e-6) + 1000
    if copy.phase is Phase.DONE:
        assert copy.data >= guest.memory * (1 - 1e-6)
