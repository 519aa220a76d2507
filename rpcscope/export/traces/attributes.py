"""What is said of each span, in OpenTelemetry's words (1.44) where it has one, else `openstack.*`: docs/export/otlp.md.

Only what passed `rpcscope.safe` is in it: no body, no argument, no text of an exception.
"""

from __future__ import annotations

from collections.abc import Iterator

from rpcscope.export.traces.destination import destination, full_method
from rpcscope.export.traces.span import Attribute, SpanKind
from rpcscope.model import Flag, MessageKind, Outcome
from rpcscope.query.calls import KIND_WORDS, CallView
from rpcscope.query.operations import OperationView

TIMEOUT = "MessagingTimeout"
"""What oslo.messaging raises for a caller whose time is over."""
UNROUTABLE = "unroutable"
AT_LEAST, SINCE_SENT = "last step seen", "sent"
"""How a time is known that nobody saw: the end of work by what it caused, its beginning by the message itself."""

_SYSTEMS: tuple[Attribute, ...] = (("rpc.system.name", "oslo.messaging"), ("messaging.system", "rabbitmq"))
TAKEN: tuple[Attribute, ...] = (("messaging.operation.type", "process"), ("messaging.operation.name", "process"))
_BUS_ONLY = _SYSTEMS[1:]
_FLAGS = {int(flag): flag.name.lower() for flag in Flag if flag.name}
_UNROUTABLE, _EXPECTED = int(Flag.UNROUTABLE), int(Flag.EXPECTED_FAILURE)


def of_message(view: CallView) -> tuple[Attribute, ...]:
    """What both sides of a call, cast, fanout or notification say."""
    call = view.call
    to = destination(call)
    is_rpc = call.kind is not MessageKind.NOTIFICATION
    found: list[Attribute] = [
        *(_SYSTEMS if is_rpc else _BUS_ONLY),
        ("messaging.destination.name", to.name),
        ("messaging.message.id", call.unique_id),
        ("openstack.rpc.kind", KIND_WORDS[call.kind]),
    ]
    if is_rpc:
        found.append(("rpc.method", full_method(call)))
    optional: tuple[Attribute, ...] = (
        ("messaging.destination.template", to.template),
        ("messaging.rabbitmq.destination.routing_key", to.routing_key),
        ("messaging.message.conversation_id", call.msg_id),
        ("openstack.request_id", view.request_id),
        ("openstack.rpc.namespace", call.namespace),
        ("openstack.rpc.version", call.version),
        ("messaging.message.body.size", call.request_bytes // max(1, call.publishes)),
    )
    found += [one for one in optional if one[1]]
    if call.flags:
        found.append(("openstack.rpc.flags", tuple(word for flag, word in _FLAGS.items() if call.flags & flag)))
    return tuple(found)


def of_sender(view: CallView) -> Iterator[Attribute]:
    """What the side says that sent it."""
    call = view.call
    yield "messaging.operation.type", "send"
    yield "messaging.operation.name", KIND_WORDS[call.kind]
    yield "openstack.rpc.parent", view.repaired or call.parent_source.name.lower()
    if call.expiration_ms is not None:
        yield "openstack.rpc.timeout_ms", call.expiration_ms
    if call.publishes > 1:
        yield "openstack.rpc.publishes", call.publishes
    if view.gaps:
        yield "openstack.tap.blind", True
    if view.outcome_word:
        yield "openstack.rpc.outcome", view.outcome_word
    if error := error_of(view, SpanKind.CLIENT):
        yield "error.type", error


def of_worker(view: CallView) -> Iterator[Attribute]:
    """What the side says that took it."""
    call = view.call
    yield from TAKEN
    if call.replies:
        yield "openstack.rpc.reply.size", call.reply_bytes
    if call.heartbeats:
        yield "openstack.rpc.heartbeats", call.heartbeats
    if call.kind is MessageKind.FANOUT and not view.deliveries_unseen:
        yield "openstack.rpc.copies", call.copies
    if error := error_of(view, SpanKind.SERVER):
        yield "error.type", error


def error_of(view: CallView, side: SpanKind) -> str:
    """The class of what went wrong, as one side saw it; "" when nothing did."""
    call = view.call
    if view.outcome is Outcome.TIMED_OUT and side is SpanKind.CLIENT:
        return TIMEOUT
    if call.failure:
        return call.failure
    return UNROUTABLE if call.flags & _UNROUTABLE and side is SpanKind.CLIENT else ""


def is_expected(view: CallView) -> bool:
    """Its failure is normal: it is told, and is no error."""
    return bool(view.call.flags & _EXPECTED)


def of_operation(view: OperationView) -> Iterator[Attribute]:
    """What is said of an operation as a whole. Counts are by cause: of the spans below it."""
    whole, tally = view.whole, view.whole.by_cause
    yield "openstack.operation.kind", whole.kind or "unattributed"
    yield "openstack.operation.status", view.status.name.lower()
    yield "openstack.operation.background", whole.background
    yield "openstack.operation.complete", whole.complete
    yield "openstack.operation.rpcs", tally.rpcs
    if not view.requests_only:
        yield "openstack.operation.messages", tally.messages
    if view.duration_ns is not None:
        yield "openstack.operation.duration_ms", round(view.duration_ns / 1_000_000)
    texts = (
        ("openstack.request_id", whole.request_id),
        ("openstack.global_request_id", whole.global_request_id),
        ("openstack.project_id", whole.project_id),
        ("openstack.source_host", whole.source_host),
        ("openstack.dest_host", whole.dest_host),
        ("error.type", whole.error),
    )
    yield from (one for one in texts if one[1])
    if whole.instances:
        yield "openstack.instance_ids", whole.instances
    if view.gaps:
        yield "openstack.tap.blind", True
