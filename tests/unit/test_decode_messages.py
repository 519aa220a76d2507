"""An event of the firehose becomes a Message of the right kind, joined by the right ids."""

import json
from dataclasses import replace
from typing import Any

import pytest

from rpcscope.decode import Decoder
from rpcscope.errors import DecodeError
from rpcscope.model import Clock, Event, Marker, Message, MessageKind, Observation
from rpcscope.rules import load_rules
from tests.support.wire import (
    CONNECTION,
    INSTANCE,
    MSG_ID,
    PROJECT,
    REQUEST_ID,
    UNIQUE_ID,
    bare,
    enveloped,
    request,
    seen,
)

TRACEPARENT = f"00-{UNIQUE_ID}-00f067aa0ba902b7-01"


def decode(observation: Observation) -> Message:
    message = Decoder(load_rules()).decode(observation)
    assert isinstance(message, Message)
    return message


def of(inner: dict[str, Any], **headers: Any) -> Message:
    return decode(seen(enveloped(inner), **headers))


def test_a_call_is_a_request_with_its_ids_and_where_its_caller_waits() -> None:
    message = of(request(), routing_key="scheduler", routed_queues=["scheduler"])
    assert message.kind is MessageKind.REQUEST
    assert message.event is Event.PUBLISH
    assert (message.unique_id, message.msg_id, message.request_id) == (UNIQUE_ID, MSG_ID, REQUEST_ID)
    assert message.reply_q == "reply_71cb3662c16744fca3da3c26ca02d487"
    assert (message.method, message.version, message.project_id) == ("select_destinations", "4.5", PROJECT)
    assert (message.exchange, message.topic, message.server, message.routed) == ("nova", "scheduler", "", 1)
    assert (message.connection, message.channel) == (CONNECTION, 1)


def test_without_a_message_id_it_is_a_cast() -> None:
    assert of(request(_msg_id=None, _reply_q=None)).kind is MessageKind.CAST
    assert of(request(_msg_id="")).kind is MessageKind.CAST


def test_a_cast_to_a_fanout_exchange_is_a_fanout_and_its_topic_is_in_the_exchange() -> None:
    message = of(request(_msg_id=None, _reply_q=None), exchange="scheduler_fanout", routing_key="")
    assert (message.kind, message.topic, message.server) == (MessageKind.FANOUT, "scheduler", "")


def test_a_reply_that_ends_its_call_is_a_reply_and_one_that_does_not_is_a_heartbeat() -> None:
    reply = {"result": 1, "failure": None, "ending": True, "_msg_id": MSG_ID, "_unique_id": UNIQUE_ID}
    assert of(reply, exchange="", routing_key="reply_1").kind is MessageKind.REPLY
    assert of({**reply, "ending": False}, exchange="", routing_key="reply_1").kind is MessageKind.HEARTBEAT
    assert of(reply, exchange="", routing_key="reply_1").topic == ""


@pytest.mark.parametrize("body", [enveloped, bare])
def test_a_notification_of_either_format_is_one(body: Any) -> None:
    inner = {"event_type": "instance.create.start", "payload": {}, "_unique_id": UNIQUE_ID}
    message = decode(seen(body(inner), routing_key="versioned_notifications.info"))
    assert (message.kind, message.method) == (MessageKind.NOTIFICATION, "instance.create.start")
    assert (message.topic, message.server) == ("versioned_notifications.info", "")


def test_a_notification_without_a_unique_id_gets_one_that_its_deliveries_share() -> None:
    body = bare({"event_type": "x.y", "payload": {}, "message_id": "0dcdabaf-d6aa-4ec7-8f1c-8fdd1ad1d1a1"})
    published = decode(seen(body, routing_key="notifications.info"))
    delivered = decode(seen(body, "deliver", routing_key="notifications.info"))
    assert published.unique_id == delivered.unique_id
    assert len(published.unique_id) == 32
    assert published.unique_id != decode(seen(bare({"event_type": "x.y"}))).unique_id


def test_both_shapes_of_novas_notifications_tell_their_server() -> None:
    versioned = {"nova_object.name": "InstanceActionPayload", "nova_object.data": {"uuid": INSTANCE}}
    assert of({"event_type": "instance.delete.end", "payload": versioned}).instances == (INSTANCE,)
    assert of({"event_type": "compute.instance.delete.end", "payload": {"instance_id": INSTANCE}}).instances == (
        INSTANCE,
    )


def test_a_delivery_names_its_queue_and_its_consumer() -> None:
    message = decode(seen(enveloped(request()), "deliver", routing_key="compute.host-1", redelivered=1))
    assert (message.event, message.queue, message.routed) == (Event.DELIVER, "compute.host-1", -1)
    assert (message.topic, message.server) == ("compute", "host-1")
    assert message.broker_redelivered


def test_the_server_is_what_follows_the_first_dot_of_the_routing_key() -> None:
    assert of(request(), routing_key="compute.host-1.example.org").server == "host-1.example.org"


def test_the_dots_of_a_neutron_object_topic_are_its_own() -> None:
    message = of(request(_msg_id=None), routing_key="neutron-vo-Port-1.5")
    assert (message.topic, message.server) == ("neutron-vo-Port-1.5", "")


def test_names_of_the_quorum_queue_manager_are_names() -> None:
    message = decode(
        seen(enveloped(request(_reply_q="reply_ctl-1:nova-conductor:2")), "deliver", routing_key="conductor")
    )
    assert message.reply_q == "reply_ctl-1:nova-conductor:2"
    delivered = decode(seen(enveloped(request()), "deliver.compute_fanout_cmp-1:nova-compute:1"))
    assert delivered.queue == "compute_fanout_cmp-1:nova-compute:1"


def test_the_rpc_timeout_is_the_expiration_and_never_the_call_monitor_timeout() -> None:
    message = of(request(_timeout=60), properties={"expiration": "1800000"})
    assert (message.expiration_ms, message.monitor_s) == (1_800_000, 60)
    assert of(request(_timeout=60)).expiration_ms is None


@pytest.mark.parametrize("expiration", [60, "", "-1", "1e3", "\u0661", "9" * 14, None])
def test_an_expiration_that_is_no_number_of_milliseconds_is_unknown(expiration: object) -> None:
    assert of(request(), properties={"expiration": expiration}).expiration_ms is None


@pytest.mark.parametrize(
    "failure", [json.dumps({"class": "InstanceNotFound", "message": "x"}), {"class": "InstanceNotFound", "tb": []}]
)
def test_the_class_of_a_failure_is_found_in_text_and_in_an_object(failure: object) -> None:
    assert of({"failure": failure, "ending": True, "_msg_id": MSG_ID}).failure == "InstanceNotFound"


@pytest.mark.parametrize("failure", ["", None, False, {}, []])
def test_an_empty_failure_is_none(failure: object) -> None:
    assert of({"failure": failure, "_msg_id": MSG_ID}).failure == ""


@pytest.mark.parametrize("failure", ["not JSON", {"message": "x"}, 17, '{"class": 17}'])
def test_a_failure_without_a_class_still_is_a_failure(failure: object) -> None:
    assert of({"failure": failure, "_msg_id": MSG_ID}).failure.startswith("~")


def test_conductor_indirection_shows_the_object_and_its_method() -> None:
    action = {"objinst": {"nova_object.name": "Instance", "nova_object.data": {"uuid": INSTANCE}}, "objmethod": "save"}
    message = of(request(method="object_action", args=action))
    assert (message.method, message.instances) == ("object_action(Instance.save)", (INSTANCE,))
    lookup = {"objname": "Service", "objmethod": "get_by_compute_host", "args": ["host-1"]}
    assert of(request(method="object_class_action_versions", args=lookup)).method == (
        "object_class_action_versions(Service.get_by_compute_host)"
    )


def test_the_servers_of_a_request_are_found_once_each_in_order() -> None:
    other = INSTANCE.replace("6275", "7275")
    args = {
        "instances": [{"nova_object.name": "Instance", "nova_object.data": {"uuid": other}}],
        "instance_uuid": INSTANCE,
    }
    assert of(request(args=args)).instances == (INSTANCE, other)
    assert of(request(args={"instance_uuids": [INSTANCE, INSTANCE, "no uuid"]})).instances == (INSTANCE,)


def test_the_host_of_a_server_is_what_its_object_says() -> None:
    args = {"instance": {"nova_object.name": "Instance", "nova_object.data": {"uuid": INSTANCE, "host": "host-2"}}}
    assert of(request(method="rebuild_instance", args={**args, "recreate": True})).instance_host == "host-2"


def test_facts_are_what_the_rules_ask_for() -> None:
    assert of(request(method="rebuild_instance", args={"recreate": True})).facts == {"recreate"}
    started = {
        "objname": "InstanceActionEvent",
        "objmethod": "event_start",
        "args": [INSTANCE, "compute_stop_instance"],
    }
    assert of(request(method="object_class_action_versions", args=started)).facts == {"event:compute_stop_instance"}


def test_the_trace_id_of_a_traceparent_is_kept() -> None:
    assert of(request(_context_traceparent=TRACEPARENT)).trace_id == UNIQUE_ID
    assert of(request(_context_traceparent="00-x-y-01")).trace_id == ""


def test_the_span_id_of_a_traceparent_is_kept_unless_it_says_none() -> None:
    assert of(request(_context_traceparent=f"00-{UNIQUE_ID}-b7ad6b7169203331-01")).span_id == "b7ad6b7169203331"
    assert of(request(_context_traceparent=f"00-{UNIQUE_ID}-0000000000000001-01")).span_id == ""
    assert of(request(_context_traceparent=f"00-{UNIQUE_ID}-zzad6b7169203331-01")).span_id == ""


def test_the_brokers_stamp_is_taken_for_publishes_and_the_taps_for_deliveries() -> None:
    stamped = {"headers": {"timestamp_in_ms": 1_795_163_788_000}}
    published = of(request(), properties=stamped)
    assert (published.at_ns, published.clock) == (1_795_163_788_000_000_000, Clock.BROKER)
    delivered = decode(seen(enveloped(request()), "deliver", properties=stamped))
    assert (delivered.at_ns, delivered.clock) == (1_795_163_788_187_138_222, Clock.TAP)


def test_a_taps_own_message_is_a_marker_and_the_trace_of_one_too() -> None:
    own = Observation(
        at_ns=5,
        exchange="",
        routing_key="rpcscope.tap.1",
        headers={"rpcscope-marker": 7, "sent-ns": 4},
        body=b"",
        size=0,
    )
    assert Decoder(load_rules()).decode(own) == Marker(number=7, sent_ns=4, at_ns=5)
    traced = Decoder(load_rules()).decode(seen(b"", exchange="", routing_key="rpcscope.tap.1"))
    assert isinstance(traced, Marker)
    assert traced.number == 0


def test_what_goes_to_a_tap_is_no_delivery_and_no_queue_of_the_cloud() -> None:
    copy = replace(seen(enveloped(request()), "deliver"), routing_key="deliver.rpcscope.tap.default")
    assert isinstance(Decoder(load_rules()).decode(copy), Marker)
    assert of(request(), routed_queues=["compute.host-1", "rpcscope.tap.default"]).routed == 1
    assert of(request(), routed_queues=["rpcscope.tap.default"]).routed == 0


@pytest.mark.parametrize("channel", ["1", 65536, -1, 10**30, True, None])
def test_a_channel_that_is_none_is_zero(channel: object) -> None:
    assert of(request(), channel=channel).channel == 0


@pytest.mark.parametrize(
    ("observation", "reason"),
    [
        (seen(b"\x00\x01"), "not JSON"),
        (seen(b"[]"), "not JSON"),
        (seen(enveloped("text")), "not JSON"),
        (seen(enveloped({"hello": 1})), "not an oslo.messaging message"),
        (seen(json.dumps({"oslo.version": "3.0", "oslo.message": "{}"}).encode()), "envelope version"),
        (seen(json.dumps({"oslo.version": "2.0", "oslo.message": {}}).encode()), "envelope without text"),
        (seen(enveloped(request()), "queue.declare"), "neither publish nor deliver"),
        (Observation(at_ns=1, exchange="nova", routing_key="x", headers={}, body=b"", size=0), "not from the firehose"),
    ],
)
def test_what_is_no_message_is_refused_in_fixed_words(observation: Observation, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(observation)
    assert caught.value.reason == reason


def test_a_body_seen_again_gives_the_same_content_with_its_own_headers() -> None:
    decoder = Decoder(load_rules())
    body = enveloped(request())
    for event, key in (("publish", "scheduler"), ("deliver", "scheduler"), ("publish", "compute.host-1")):
        again = decoder.decode(seen(body, event, routing_key=key))
        assert again == decode(seen(body, event, routing_key=key))
