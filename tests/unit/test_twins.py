"""A publish that comes traced and by a binding is taken once; what only resembles it is not left out."""

from __future__ import annotations

from rpcscope_collectors.twins import Twins

KEY, SECOND = "publish.nova", 1_000_000_000


def expecting() -> Twins:
    twins = Twins()
    twins.expect()
    return twins


def test_the_copy_of_what_came_traced_is_left_out_however_often_the_broker_gives_it_again() -> None:
    twins = expecting()
    for _ in range(2):
        assert not twins.is_copy(KEY, b"one", traced=True)
        assert twins.is_copy(KEY, b"one", traced=False)


def test_a_copy_that_did_not_come_traced_is_taken() -> None:
    twins = expecting()
    assert not twins.is_copy(KEY, b"one", traced=False)
    assert not twins.is_copy(KEY, b"two", traced=True)
    assert not twins.is_copy(KEY, b"three", traced=False)


def test_the_same_body_to_another_exchange_is_another_publish() -> None:
    twins = expecting()
    twins.is_copy(KEY, b"one", traced=True)
    assert not twins.is_copy("publish.neutron", b"one", traced=False)
    long = "publish." + "x" * 250
    twins.is_copy(long + "a", b"one", traced=True)
    assert not twins.is_copy(long + "b", b"one", traced=False)


def test_nothing_is_remembered_while_one_way_is_open() -> None:
    twins = Twins()
    twins.is_copy(KEY, b"one", traced=True)
    assert not twins.is_copy(KEY, b"one", traced=False)


def test_only_a_marker_that_was_sent_well_after_the_end_ends_it() -> None:
    twins = expecting()
    twins.is_copy(KEY, b"one", traced=True)
    twins.marker(9 * SECOND)
    twins.expect_until(10 * SECOND)
    for sent_ns in (0, 9 * SECOND, 10 * SECOND):
        twins.marker(sent_ns)
        assert twins.is_copy(KEY, b"one", traced=False)
    twins.marker(11 * SECOND)
    assert not twins.is_copy(KEY, b"one", traced=False)


def test_a_new_change_goes_on_with_what_is_remembered() -> None:
    twins = expecting()
    twins.is_copy(KEY, b"one", traced=True)
    twins.expect_until(10 * SECOND)
    twins.expect()
    twins.marker(11 * SECOND)
    assert twins.is_copy(KEY, b"one", traced=False)


def test_memory_is_bounded_and_what_is_forgotten_first_is_the_oldest() -> None:
    twins = expecting()
    for n in range(200_000):
        twins.is_copy(KEY, b"%d" % n, traced=True)
    assert len(twins) <= 131_072
    assert not twins.is_copy(KEY, b"0", traced=False)
    assert twins.is_copy(KEY, b"199999", traced=False)
