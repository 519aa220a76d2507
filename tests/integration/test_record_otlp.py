"""`rpcscope record --otlp-endpoint`: operations leave as traces once they are over; recording never waits for it."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.support.cli import new_cli
from tests.support.otlp import Receiver, http_receiver
from tests.support.rabbitmq import Cloud
from tests.support.recording import broker_options, odd_operations
from tests.support.traffic import Traffic

pytestmark = pytest.mark.server
OPERATIONS = 60
SPANS = 5
"""Of one operation of the traffic: itself, both sides of a call, both sides of a cast."""


def options(cloud: Cloud, receiver: Receiver, *more: str) -> tuple[str, ...]:
    where = ("record", *broker_options(cloud), "--mode", "full", "--otlp-endpoint", receiver.url)
    return (*where, "--otlp-quiet", "1", "--otlp-sample", "*=1", *more)


def exported(receiver: Receiver) -> Counter[str]:
    """Spans by the request id of their operation."""
    return Counter(one["attributes"]["openstack.request_id"] for one in receiver.spans())


def test_operations_are_exported_once_while_they_are_recorded_also_when_the_endpoint_was_away(
    cloud: Cloud, tmp_path: Path
) -> None:
    cli, traffic = new_cli(tmp_path), Traffic(cloud, secret="PS7q")
    with http_receiver() as receiver, cli.running(*options(cloud, receiver)) as recorder:
        recorder.wait_for("rpcscope: recording")
        traffic.play(OPERATIONS)
        receiver.wait(lambda: len(exported(receiver)) == OPERATIONS)
        receiver.always = (503, b"later")
        traffic.play(OPERATIONS)
        asked = receiver.asked
        receiver.wait(lambda: receiver.asked > asked + 1)
        receiver.always = None
        receiver.wait(lambda: len(exported(receiver)) == 2 * OPERATIONS)
        done = recorder.end()
    assert done.code == 0, done
    assert exported(receiver) == dict.fromkeys(traffic.request_ids, SPANS)
    assert b"PS7q" not in b"".join(request.SerializeToString() for request in receiver.requests)
    told = [line for line in done.err.splitlines() if "traces" in line]
    assert told[0].endswith("answers 503: traces are sent again and again until it does")
    assert told[1].endswith("takes traces again")
    assert f"traces: {2 * OPERATIONS:,} operations, {2 * OPERATIONS * SPANS:,} spans to http" in told[2]
    assert len(told) == 3
    assert not odd_operations(cli, traffic.request_ids)


def test_an_endpoint_that_hangs_or_refuses_costs_no_message_and_what_was_not_sent_is_said(
    cloud: Cloud, tmp_path: Path
) -> None:
    cli, traffic = new_cli(tmp_path), Traffic(cloud)
    with http_receiver() as receiver, cli.running(*options(cloud, receiver, "--otlp-timeout", "0.5")) as recorder:
        recorder.wait_for("rpcscope: recording")
        receiver.always = (404, b"no such page")
        traffic.play(OPERATIONS)
        receiver.wait(lambda: receiver.asked > 0)
        receiver.hang()
        traffic.play(OPERATIONS)
        asked = receiver.asked
        receiver.wait(lambda: receiver.asked > asked)
        done = recorder.end()
    assert done.code == 0, done
    assert not odd_operations(cli, traffic.request_ids)
    assert "spans dropped" in done.err
    assert "operations not sent" in done.err
    assert "Traceback" not in done.err


def test_a_second_signal_does_not_wait_for_an_endpoint_that_hangs(cloud: Cloud, tmp_path: Path) -> None:
    cli, traffic = new_cli(tmp_path), Traffic(cloud)
    with http_receiver() as receiver, cli.running(*options(cloud, receiver, "--otlp-timeout", "300")) as recorder:
        recorder.wait_for("rpcscope: recording")
        receiver.hang()
        traffic.play(1)
        receiver.wait(lambda: receiver.asked > 0)
        recorder.process.send_signal(signal.SIGINT)
        while cli.json("status")[0]["state"] != "ended":
            assert recorder.process.poll() is None, recorder.said
        done = recorder.end()
    assert (done.code, "Traceback" in done.err) == (130, False), done
