"""Metrics in text are read whatever a queue is called; the pace keeps a poll's cost within its share."""

from __future__ import annotations

import pytest

from rpcscope.errors import UsageError
from rpcscope.model import Churn
from rpcscope_collectors.churn import event_of
from rpcscope_collectors.prometheus import Prometheus, Reading, _read
from rpcscope_collectors.queues import Pace

SECOND = 1_000_000_000


def line(metric: str, queue: str, value: str, vhost: str = "nova") -> str:
    return f'rabbitmq_detailed_queue_{metric}{{vhost="{vhost}",queue="{queue}"}} {value}\n'


def test_every_measure_of_a_queue_is_read() -> None:
    text = line("messages_ready", "a", "5") + line("messages_unacked", "a", "6") + line("consumers", "a", "7.0")
    text += line("process_memory_bytes", "a", "1.5e3") + line("consumers", "b", "1")
    assert _read(text.encode(), "nova") == {
        "a": Reading(ready=5, unacked=6, consumers=7, memory=1500),
        "b": Reading(consumers=1),
    }


@pytest.mark.parametrize("queue", ['we"ird', 'x"} 5', "back\\slash", "a} 7", 'x",queue="y', "\u202eevil", " ", "{"])
def test_a_queue_of_any_name_is_read(queue: str) -> None:
    assert _read(line("messages_ready", queue, "3").encode(), "nova") == {queue: Reading(ready=3)}


def test_other_vhosts_other_metrics_and_what_is_no_number_are_left_out() -> None:
    text = "# TYPE rabbitmq_detailed_queue_messages_ready gauge\n\nrabbitmq_detailed_process_open_fds 41\n"
    text += line("messages_ready", "a", "1", vhost="nova2") + line("messages_ram", "a", "1")
    text += line("messages_ready", "a", "NaN") + line("messages_ready", "a", "") + line("consumers", "a", "+Inf")
    assert _read(text.encode(), "nova") == {}


@pytest.mark.parametrize("url", ["", "rabbit1:15692", "ftp://rabbit1", "http://:80", "http://rabbit1:port"])
def test_a_url_that_can_not_be_one_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(UsageError, match="has to look like http://<host>:15692"):
        Prometheus(url)


def test_the_account_of_a_url_is_not_shown() -> None:
    metrics = Prometheus("http://watcher:PS7q@rabbit1:15692/metrics/")
    assert (metrics.url, "PS7q" in repr(metrics)) == ("http://rabbit1:15692", False)


def test_a_cheap_poll_is_repeated_at_the_shortest_interval() -> None:
    assert Pace().interval_ns(0) == Pace().interval_ns(SECOND // 10) == 5 * SECOND


@pytest.mark.parametrize("cost_ms", [100, 300, 1_000, 6_000])
def test_a_dear_poll_is_repeated_so_seldom_that_its_share_is_kept(cost_ms: int) -> None:
    cost = cost_ms * 1_000_000
    assert cost / Pace(share=0.02).interval_ns(cost) <= 0.02


def test_the_interval_has_an_end() -> None:
    assert Pace(share=0.001).interval_ns(10 * SECOND) == 300 * SECOND


def test_an_event_of_another_kind_or_shape_is_no_event() -> None:
    assert event_of("vhost.created", {"name": "x"}) is None
    odd = event_of("queue.created", {"name": 7, "vhost": None, "timestamp_in_ms": 10**30})
    assert odd is not None
    assert (odd.event, odd.queue, odd.vhost) == (Churn.QUEUE_CREATED, "", "")
    assert 0 < odd.at_ns < 2**63
