"""Publishes between two times are read off the broker's counter."""

from rpcscope_collectors.poller import PublishCount


def test_one_reading_tells_nothing() -> None:
    count = PublishCount()
    count.add(0, 100)
    assert count.between(0, 10) is None


def test_between_readings_it_follows_the_line() -> None:
    count = PublishCount()
    for at_ns, total in ((0, 0), (10, 100), (20, 100), (30, 400)):
        count.add(at_ns, total)
    assert count.between(0, 10) == 100
    assert count.between(5, 25) == 200
    assert count.between(10, 20) == 0


def test_after_the_last_reading_it_goes_on_as_it_did() -> None:
    count = PublishCount()
    count.add(0, 0)
    count.add(10, 100)
    assert count.between(10, 30) == 200


def test_a_counter_that_began_again_forgets_what_was_before() -> None:
    count = PublishCount()
    for at_ns, total in ((0, 1000), (10, 2000), (20, 5)):
        count.add(at_ns, total)
    assert count.between(0, 20) is None
