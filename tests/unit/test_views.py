"""What each tap binds to, and that a message looks as if it were traced."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pika
import pytest

from rpcscope.errors import UsageError
from rpcscope_collectors.as_traced import as_traced
from rpcscope_collectors.tap_queue import Binding
from rpcscope_collectors.views import Exchanges, Traced


def delivered(exchange: str, key: str) -> Any:
    return SimpleNamespace(exchange=exchange, routing_key=key)


def test_the_firehose_is_one_exchange_with_the_keys_of_the_mode() -> None:
    assert Traced("publish").wanted == {Binding("amq.rabbitmq.trace", "publish.#")}
    assert Traced("full").wanted == {Binding("amq.rabbitmq.trace", key) for key in ("publish.#", "deliver.#")}


def test_exchanges_are_bound_whole() -> None:
    assert Exchanges(["nova", "compute_fanout"]).wanted == {Binding("nova", "#"), Binding("compute_fanout", "#")}


def test_without_names_and_without_anybody_to_ask_the_user_is_told_what_to_give() -> None:
    with pytest.raises(UsageError, match="--management-url, or name them with --exchange"):
        Exchanges().begin([], "/")


def test_both_taps_take_away_what_the_other_may_have_left() -> None:
    firehose = {Binding("amq.rabbitmq.trace", "publish.#"), Binding("amq.rabbitmq.trace", "deliver.#")}
    assert firehose <= Exchanges(["nova"]).might_have()
    assert firehose <= Traced("control").might_have()


def test_a_message_of_a_service_becomes_a_publish_event_without_what_only_the_broker_knows() -> None:
    properties = pika.BasicProperties(expiration="60000", delivery_mode=2, headers={"timestamp_in_ms": 7})
    exchange, routing_key, headers = as_traced(delivered("nova", "compute.host-1"), properties, "cell1")
    assert (exchange, routing_key) == ("amq.rabbitmq.trace", "publish.nova")
    assert headers == {
        "exchange_name": "nova",
        "routing_keys": ["compute.host-1"],
        "properties": {"expiration": "60000", "delivery_mode": 2, "headers": {"timestamp_in_ms": 7}},
        "vhost": "cell1",
        "node": "",
    }


@pytest.mark.parametrize("exchange", ["", "amq.rabbitmq.trace"])
def test_markers_and_traces_stay_what_they_are(exchange: str) -> None:
    properties = pika.BasicProperties(headers={"a": 1})
    assert as_traced(delivered(exchange, "key"), properties, "/") == (exchange, "key", {"a": 1})
