"""Requests that waited in the tap's queue for longer than their callers do are told as missed."""

from rpcscope.model import Gap, GapCause
from rpcscope_collectors.expiry import UNWATCHED_NS, Expiry, unwatched

SECOND = 1_000_000_000


def dropped(from_s: int, to_s: int) -> Gap:
    return Gap(
        from_ns=from_s * SECOND, to_ns=to_s * SECOND, cause=GapCause.DROPPED, note="requests expired in the tap's queue"
    )


def waits(expiry: Expiry, sent_s: int, lag_s: int) -> Gap | None:
    return expiry.wait(sent_s * SECOND, (sent_s + lag_s) * SECOND)


def test_without_a_time_to_live_nothing_expires() -> None:
    expiry = Expiry()
    assert waits(expiry, 1, 3600) is None
    assert expiry.rest() is None


def test_a_wait_longer_than_the_shortest_time_to_live_is_one_gap_from_the_last_good_marker_on() -> None:
    expiry = Expiry()
    expiry.live("60000")
    expiry.live("5000")
    expiry.live("30000")
    assert [waits(expiry, sent, lag) for sent, lag in ((1, 0), (2, 5), (3, 6), (4, 9), (5, 8))] == [None] * 5
    assert waits(expiry, 6, 1) == dropped(2, 6)
    assert waits(expiry, 7, 0) is None


def test_a_gap_that_lasts_until_the_end_is_told_at_the_end() -> None:
    expiry = Expiry()
    expiry.live("1000")
    waits(expiry, 1, 0)
    waits(expiry, 2, 3)
    assert expiry.rest() == dropped(1, 2)
    assert expiry.rest() is None


def test_what_is_no_time_to_live_is_none() -> None:
    expiry = Expiry()
    for odd in (None, "", "-1", "soon", "٣", "9" * 40, 5):
        expiry.live(odd)
    assert waits(expiry, 1, 3600) is None
    assert expiry.rest() is None


def test_a_queue_that_nobody_read_for_a_moment_holds_everything_and_after_longer_may_not() -> None:
    assert unwatched(5, 5 + UNWATCHED_NS) is None
    assert unwatched(0, 20 * SECOND) == dropped(0, 20)
