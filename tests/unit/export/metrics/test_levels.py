"""What is in hand and what lies in queues is as of the last sample; what is gone has none."""

from __future__ import annotations

from rpcscope.export.metrics.levels import Levels
from rpcscope.export.metrics.services import Services
from rpcscope.in_hand import REPEAT_NS
from rpcscope.model import FamilySample, InFlightSample, Process
from tests.contract.records import SECOND, START
from tests.support.measured import samples, summed, told

CONDUCTOR = Process(
    id=7, key="10.0.0.1:nova-conductor:1", program="nova-conductor", pid=1, peer="10.0.0.1", host="control-1",
    role="conductor", seen_ns=START, gone_ns=None,
)  # fmt: skip


def levels(*, hosts: bool = False) -> Levels:
    services = Services()
    services.learn([CONDUCTOR])
    return Levels(services, hosts=hosts, most=10)


def held(count: int, at_ns: int = START, **words: object) -> InFlightSample:
    defaults = {"process": 7, "queue": "", "method": "ping", "oldest_ns": at_ns - SECOND if count else 0}
    return InFlightSample(at_ns=at_ns, count=count, **(defaults | words))  # type: ignore[arg-type]


def queue(family: str, ready: int | None, at_ns: int = START) -> FamilySample:
    return FamilySample(at_ns=at_ns, vhost="nova", family=family, queues=3, consumerless=1, ready=ready)


def test_work_in_hand_is_told_by_service_and_method_with_the_age_of_the_oldest() -> None:
    one = levels()
    one.take([held(3), held(2, method="save", oldest_ns=START - 9 * SECOND)], (), START)
    found = told(one.families("nova", START + SECOND))
    assert summed(found, "rpcscope_in_flight_requests", "service", "method") == {
        ("nova-conductor", "ping"): 3,
        ("nova-conductor", "save"): 2,
    }
    assert summed(found, "rpcscope_in_flight_oldest_seconds", "service") == {("nova-conductor",): 10.0}


def test_a_count_of_zero_and_a_long_silence_end_it() -> None:
    one = levels()
    one.take([held(3), held(2, method="save")], (), START)
    one.take([held(0, START + SECOND)], (), START + SECOND)
    assert summed(told(one.families("nova", START)), "rpcscope_in_flight_requests", "method") == {("save",): 2}
    one.take((), (), START + 2 * REPEAT_NS + 1)
    assert told(one.families("nova", START)) == {}


def test_what_nobody_took_is_told_by_the_family_of_its_queue() -> None:
    one = levels(hosts=True)
    one.take([held(3, process=0, queue="compute.compute-1"), held(4, process=0, queue="compute.compute-2")], (), START)
    assert summed(told(one.families("nova", START)), "rpcscope_untaken_requests", "family") == {("compute.*",): 7}


def test_a_poll_replaces_all_families_and_what_is_unknown_has_no_sample() -> None:
    one = levels()
    one.take((), [queue("reply_*", 5), queue("conductor", None)], START)
    found = told(one.families("nova", START))
    assert summed(found, "rpcscope_queue_messages", "family", "state") == {("reply_*", "ready"): 5}
    assert summed(found, "rpcscope_queues_consumerless", "family") == {("reply_*",): 1, ("conductor",): 1}
    one.take((), [queue("conductor", 0, START + SECOND)], START + SECOND)
    found = told(one.families("nova", START))
    assert summed(found, "rpcscope_queue_messages", "family") == {("conductor",): 0}


def test_nothing_known_is_nothing_said() -> None:
    assert told(levels().families("nova", START)) == samples("")
