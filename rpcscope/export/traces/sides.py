"""The two sides of a message: what their spans are called, and when they end."""

from __future__ import annotations

from rpcscope.export.traces.destination import full_method
from rpcscope.export.traces.span import Link, SpanKind
from rpcscope.model import Call, MessageKind, Outcome
from rpcscope.query.calls import CallView
from rpcscope.query.stages import begin, given_up
from rpcscope.query.tree import Node

_ANSWERED = (Outcome.OK, Outcome.FAILED)


def context_of(call: Call) -> Link:
    """The span that sent it, where oslo.messaging traced itself; without a span id where it is not known."""
    theirs, _, span = call.trace_context.partition("-")
    return Link(bytes.fromhex(theirs), bytes.fromhex(span), "oslo.messaging")


def span_name(call: Call, kind: SpanKind) -> str:
    """Of a call its method, of what has no answer what is done with it, too."""
    method = full_method(call)
    if kind in (SpanKind.CLIENT, SpanKind.SERVER):
        return method
    verb = "notify" if call.kind is MessageKind.NOTIFICATION else call.kind.name.lower()
    return f"{verb if kind is SpanKind.PRODUCER else 'process'} {method}"


def answer_ns(view: CallView) -> int:
    """When the caller had its answer, gave up, or was last heard of."""
    call = view.call
    given = given_up(call)
    if given is not None and view.outcome not in _ANSWERED:
        return given
    return call.reply_delivered_ns or call.replied_ns or call.last_ns


def last_step_ns(node: Node) -> int:
    """When its handler was last seen to do something: to send, or to take an answer."""
    steps = (answer_ns(child.view) if child.view.call.kind is MessageKind.REQUEST else begin(child.view.call)
             for child in node.children)  # fmt: skip
    return max(steps, default=0)
