"""Events of the firehose for tests: as oslo.messaging and RabbitMQ make them, and as they never should."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from rpcscope.capture import CaptureReader
from rpcscope.decode.message import TRACE_EXCHANGE
from rpcscope.model import Observation, Sighting

CAPTURES = Path(__file__).parents[1] / "captures"
RAW_CAPTURES = sorted((CAPTURES / "raw").glob("*/*.jsonl.zst"))
ALL_CAPTURES = sorted(CAPTURES.rglob("*.jsonl.zst"))

UNIQUE_ID = "e6f5a099b12345f1a67be58bf9bcfa98"
MSG_ID = "2cf1aab7cf244a078bf866840941b85f"
REQUEST_ID = "req-5c5f2fb5-7f1a-4023-875e-71fe5f1c5e56"
INSTANCE = "6275a103-cc1a-43a3-9e6f-85dbd0ae8406"
PROJECT = "da9a3a20f8e14f08ad52a858c080fd9a"
CONNECTION = "10.0.0.7:42908 -> 10.0.0.1:5672"


def enveloped(inner: object) -> bytes:
    """A body of format 2.0."""
    return json.dumps({"oslo.version": "2.0", "oslo.message": json.dumps(inner)}).encode()


def bare(inner: object) -> bytes:
    """A body without an envelope, as the `messaging` notification driver makes it."""
    return json.dumps(inner).encode()


def request(**fields: Any) -> dict[str, Any]:
    """The inner message of a call; `None` leaves a field out."""
    inner = {
        "method": "select_destinations",
        "args": {"instance_uuids": [INSTANCE]},
        "version": "4.5",
        "_msg_id": MSG_ID,
        "_reply_q": "reply_71cb3662c16744fca3da3c26ca02d487",
        "_timeout": 60,
        "_unique_id": UNIQUE_ID,
        "_context_request_id": REQUEST_ID,
        "_context_project_id": PROJECT,
    }
    inner.update(fields)
    return {key: value for key, value in inner.items() if value is not None}


def seen(
    body: bytes, event: str = "publish", exchange: object = "nova", routing_key: object = "conductor", **headers: Any
) -> Observation:
    """A traced event. `event` is publish or deliver, or a whole routing key of the trace."""
    name = f"{event}.{exchange if event == 'publish' else routing_key}" if "." not in event else event
    given = {
        "exchange_name": exchange,
        "routing_keys": [routing_key],
        "properties": {},
        "connection": CONNECTION,
        "channel": 1,
        **headers,
    }
    return Observation(
        at_ns=1_795_163_788_187_138_222,
        exchange=TRACE_EXCHANGE,
        routing_key=name,
        headers=given,
        body=body,
        size=len(body),
        seq=1,
    )


def raw_line(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A line of a raw capture, one millisecond after the one before; `None` leaves a field out."""
    event = seen(enveloped(request()))
    row = {
        "seq": number,
        "recv_wall_ns": 1_795_163_788_000_000_000 + number * 1_000_000,
        "recv_mono_ns": 1_310_000_000_000 + number * 1_000_000,
        "exchange": event.exchange,
        "routing_key": event.routing_key,
        "delivery_tag": number,
        "redelivered": False,
        "headers": event.headers,
        "props": {},
        "body": event.body.decode(),
    }
    row.update(fields)
    return {key: value for key, value in row.items() if value is not None}


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    """Rows as lines."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def sightings(path: Path) -> list[Sighting]:
    """All that a capture file yields."""
    with CaptureReader(path) as reader:
        return [one for batch in reader.batches() for one in batch]


def observations(path: Path) -> list[Observation]:
    """The events of a capture file."""
    return [one for one in sightings(path) if isinstance(one, Observation)]


# ------------------------------------------------------------------ hostile values, for hypothesis

TEXTS = st.one_of(
    st.text(max_size=40),
    st.text(alphabet=st.characters(categories=["Cs", "Cc", "Cf", "Lu", "Nd", "Pc"]), max_size=40),
    st.sampled_from(
        [
            *("", "conductor", "compute.host-1", "neutron-vo-Port-1.5", "neutron-vo-Port-1.5.host-1", "rpcscope.tap.x"),
            *("object_action", "object_class_action_versions", "compute_fanout", "notifications.info", "~0a1b2c3d"),
            *("reply_host-1:nova-conductor:3", "Secret.Name", "a" * 300, ".", "..", ".x", "x.", "\x00", "\u202eabc"),
            *(UNIQUE_ID, REQUEST_ID, INSTANCE, PROJECT, CONNECTION, "2.0", "1.17", "1800000", "007"),
            *(f"00-{UNIQUE_ID}-00f067aa0ba902b7-01", '{"class": "NovaException"}', '{"class": 17}', "{"),
        ]
    ),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, 1, -1, 60, 65535, 65536, 1 << 63, 1 << 64, 10**400]),
    st.floats(),
    TEXTS,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
_OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "nova_object.name": SCALARS | st.just("Instance"),
        "nova_object.data": VALUES | st.fixed_dictionaries({"uuid": TEXTS, "host": TEXTS, "objects": VALUES}),
    },
)
_ARGS = VALUES | st.fixed_dictionaries(
    {},
    optional={
        "instance": _OBJECTS | VALUES,
        "instance_uuid": SCALARS,
        "instances": st.lists(_OBJECTS | SCALARS, max_size=4),
        "objinst": _OBJECTS | VALUES,
        "objname": TEXTS,
        "objmethod": TEXTS,
        "args": VALUES,
        "kwargs": VALUES,
        "recreate": SCALARS,
        "flavor": VALUES,
        "payload": VALUES,
    },
)
INNERS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("method", "namespace", "version", "_msg_id", "_reply_q", "_timeout"), SCALARS | VALUES),
        **dict.fromkeys(("_unique_id", "_context_request_id", "_context_global_request_id"), SCALARS),
        **dict.fromkeys(("_context_project_id", "_context_traceparent", "event_type", "message_id"), SCALARS),
        "args": _ARGS,
        "payload": _ARGS,
        "ending": SCALARS,
        "failure": SCALARS | VALUES | st.fixed_dictionaries({"class": SCALARS}),
        "result": VALUES,
        "rpcscope": VALUES
        | st.fixed_dictionaries({"object": TEXTS, "instances": VALUES, "instance_host": TEXTS, "facts": VALUES}),
    },
)
HEADERS: st.SearchStrategy[Mapping[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "exchange_name": SCALARS,
        "routing_keys": VALUES | st.lists(TEXTS, max_size=2),
        "properties": VALUES | st.fixed_dictionaries({"expiration": SCALARS, "headers": VALUES, "priority": SCALARS}),
        "connection": SCALARS,
        "channel": SCALARS,
        "routed_queues": VALUES | st.lists(TEXTS, max_size=3),
        "redelivered": SCALARS,
        "node": SCALARS,
        "vhost": SCALARS,
        "user": SCALARS,
        "rpcscope-marker": SCALARS,
        "sent-ns": SCALARS,
    },
)


_BASES: list[dict[str, Any]] = [
    request(),
    request(_msg_id=None, _reply_q=None),
    request(method="object_action"),
    request(method="object_class_action_versions"),
    {"_msg_id": MSG_ID, "_unique_id": UNIQUE_ID, "ending": True, "result": None, "failure": None},
    {"_msg_id": MSG_ID, "_unique_id": UNIQUE_ID, "ending": False},
    {"event_type": "instance.create.end", "payload": {}, "_unique_id": UNIQUE_ID},
    {},
]
_ROUTING_KEYS = ["publish.nova", "publish.", "deliver.conductor", "deliver.compute.host-1", "deliver."]


def _seldom(draw: st.DrawFn) -> bool:
    return draw(st.integers(0, 9)) == 9


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Bodies of both formats with anything in any field, and bytes that are no body."""
    if _seldom(draw):
        return draw(st.binary(max_size=60))
    inner = {**draw(st.sampled_from(_BASES)), **draw(INNERS)}
    if draw(st.booleans()):
        return bare(inner)
    text = draw(VALUES) if _seldom(draw) else json.dumps(inner)
    version = draw(SCALARS) if _seldom(draw) else "2.0"
    return json.dumps({"oslo.version": version, "oslo.message": text}).encode()


@st.composite
def events(draw: st.DrawFn) -> Observation:
    """Traced events, markers, and what is neither."""
    body = draw(bodies())
    return Observation(
        at_ns=draw(st.integers(0, 4 * 10**18)),
        exchange=draw(TEXTS) if _seldom(draw) else TRACE_EXCHANGE,
        routing_key=draw(TEXTS) if _seldom(draw) else draw(st.sampled_from(_ROUTING_KEYS)),
        headers=draw(HEADERS),
        body=body,
        size=len(body),
        redelivered=draw(st.booleans()),
        seq=draw(st.integers(0, 1 << 62)),
    )
