"""Vhosts of one name on several brokers are told apart in a store."""

from __future__ import annotations

from rpcscope.model import (
    Churn,
    ChurnEvent,
    Layout,
    NodeState,
    QueuePoll,
    QueueSample,
    QueueSamples,
    Recording,
)  # fmt: skip
from rpcscope.place_names import place_name, renamed

CELL_1, CELL_2 = "10.0.0.1:5672 vhost nova default", "10.0.0.2:5672 vhost nova default"


def recording(number: int, scope: str, label: str, source: str = "firehose") -> Recording:
    return Recording(
        id=number, source=source, scope=scope, digest="", label=label, tap_mode="control", conditions="", started_ns=1,
        ended_ns=None,
    )  # fmt: skip


def test_the_first_broker_keeps_the_plain_name_and_the_next_adds_its_address() -> None:
    first = place_name([], CELL_1, "nova", "10.0.0.1:5672")
    second = place_name([recording(1, CELL_1, first)], CELL_2, "nova", "10.0.0.2:5672")
    assert (first, second) == ("nova", "nova@10.0.0.2:5672")


def test_a_recorder_that_comes_again_keeps_its_name_under_any_name_of_its_tap() -> None:
    known = [recording(1, CELL_1, "nova"), recording(2, CELL_2, "nova@10.0.0.2:5672")]
    assert place_name(known, CELL_1, "nova", "10.0.0.1:5672") == "nova"
    assert place_name(known, CELL_2.replace("default", "other"), "nova", "10.0.0.2:5672") == "nova@10.0.0.2:5672"


def test_a_file_of_that_name_is_no_broker() -> None:
    assert place_name([recording(1, "file", "nova", "file")], CELL_1, "nova", "10.0.0.1:5672") == "nova"


def test_all_that_is_seen_of_a_vhost_gets_its_name_in_the_store() -> None:
    poll = QueuePoll(
        at_ns=1, vhost="nova", source="management", queues=1, took_ns=1, own_cpu_ns=1, interval_ns=1, complete=True
    )
    samples = QueueSamples(poll=poll, samples=(QueueSample(at_ns=1, vhost="nova", queue="conductor", ready=3),))
    seen = renamed(samples, "nova@b")
    assert isinstance(seen, QueueSamples)
    assert (seen.poll.vhost, seen.samples[0].vhost, seen.samples[0].ready) == ("nova@b", "nova@b", 3)
    layout = renamed(Layout(at_ns=1, vhost="nova", exchanges=(), bindings=()), "nova@b")
    event = renamed(ChurnEvent(at_ns=1, event=Churn.QUEUE_CREATED, vhost="nova", queue="conductor"), "nova@b")
    assert isinstance(layout, Layout)
    assert isinstance(event, ChurnEvent)
    assert (layout.vhost, event.vhost) == ("nova@b", "nova@b")


def test_what_has_no_vhost_stays_as_it_is() -> None:
    node = NodeState(at_ns=1, node="rabbit@a", running=True)
    gone = ChurnEvent(at_ns=1, event=Churn.CONNECTION_CLOSED, vhost="")
    assert renamed(node, "nova@b") is node
    assert renamed(gone, "nova@b") is gone
