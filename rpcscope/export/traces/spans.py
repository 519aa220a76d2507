"""One operation as one trace. Pure: the same operation gives the same spans.

    operation                              INTERNAL, of who began it
      call    of the caller                CLIENT    sent .. reply taken (or given up)
        call  of who worked on it          SERVER    taken .. reply sent
          ...what its handling caused
      cast    of the sender                PRODUCER  a moment
        cast  of who took it               CONSUMER  taken .. the last step that it was seen to make

A side that was not seen has no span: what is below it hangs on the side that was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rpcscope.export.traces import attributes as said
from rpcscope.export.traces.ids import root_id, span_id, trace_id
from rpcscope.export.traces.resources import NOBODY, Resources
from rpcscope.export.traces.sides import answer_ns, context_of, last_step_ns, span_name
from rpcscope.export.traces.span import Attribute, Link, Span, SpanKind
from rpcscope.model import MessageKind, Status
from rpcscope.query.calls import CallView
from rpcscope.query.operations import OperationView
from rpcscope.query.stages import begin
from rpcscope.query.tree import Node, grow, walk

_SENT = (MessageKind.REQUEST, MessageKind.CAST, MessageKind.FANOUT, MessageKind.NOTIFICATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """An operation with what its trace is made of."""

    operation: OperationView
    calls: Sequence[CallView]  # that it caused, by time
    relatives: Sequence[str] = ()  # request ids of the same global request id
    adopts: bool = False  # it goes on with the trace of the first message that has one


def spans(one: Exported, resources: Resources) -> list[Span]:
    """Its spans, parents before children; the first stands for the operation."""
    return list(_Trace(one, resources).spans())


class _Trace:
    def __init__(self, one: Exported, resources: Resources) -> None:
        self._one, self._resources = one, resources
        whole = one.operation.whole
        traced = (view.call for view in one.calls if one.adopts and view.call.trace_context)
        self._adopted = next((context_of(call) for call in traced), None)
        self._trace_id = self._adopted.trace_id if self._adopted else trace_id(whole.request_id)
        self._root_id = root_id(whole.request_id)
        self._roots = grow([view for view in one.calls if view.call.kind in _SENT])

    def spans(self) -> Iterator[Span]:
        below = list(self._below())
        yield self._root(below)
        yield from below

    def _root(self, below: Sequence[Span]) -> Span:
        one, view = self._one, self._one.operation
        whole = view.whole
        first = self._roots[0].view.call if self._roots else None
        start = min((span.start_ns for span in below), default=whole.started_ns)
        last = whole.finished_ns if whole.finished_ns is not None else whole.last_ns
        return Span(
            trace_id=self._trace_id,
            span_id=self._root_id,
            parent_id=self._adopted.span_id if self._adopted else b"",
            name=whole.kind or "unattributed",
            kind=SpanKind.INTERNAL,
            start_ns=min(start, whole.started_ns),
            end_ns=max(last, start, *(span.end_ns for span in below)),
            resource=self._resources.of(first.from_process) if first else NOBODY,
            attributes=tuple(said.of_operation(view)),
            error=(whole.error or "failed") if view.status is Status.FAILED else "",
            links=tuple(Link(trace_id(name), root_id(name), "global request id") for name in one.relatives),
        )

    def _below(self) -> Iterator[Span]:
        inner: dict[str, bytes] = {}  # the span that what a call caused hangs on, by its unique id
        above: dict[str, str] = {child.view.call.unique_id: node.view.call.unique_id
                                 for _, node in walk(self._roots) for child in node.children}  # fmt: skip
        for _, node in walk(self._roots):
            name = node.view.call.unique_id
            parent = inner.get(above.get(name, ""), self._root_id)
            sides = list(self._sides(node, parent))
            yield from sides
            inner[name] = sides[-1].span_id if sides else parent
            sent = sides[0].span_id if sides and node.view.call.published_ns is not None else parent
            yield from self._others(node.view, sent)

    def _sides(self, node: Node, parent: bytes) -> Iterator[Span]:
        view = node.view
        both = said.of_message(view)
        if view.call.published_ns is not None:
            sent = self._sent(view, view.call.published_ns, both, parent)
            yield sent
            parent = sent.span_id
        if view.call.delivered_ns is not None or self._resources.knows(view.call.to_process):
            yield self._taken(node, both, parent)

    def _sent(self, view: CallView, at_ns: int, both: tuple[Attribute, ...], parent: bytes) -> Span:
        call = view.call
        is_call = call.kind is MessageKind.REQUEST
        kind = SpanKind.CLIENT if is_call else SpanKind.PRODUCER
        return Span(
            trace_id=self._trace_id,
            span_id=span_id(kind.name, call.unique_id),
            parent_id=parent,
            name=span_name(call, kind),
            kind=kind,
            start_ns=at_ns,
            end_ns=max(at_ns, answer_ns(view)) if is_call else at_ns,
            resource=self._resources.of(call.from_process),
            attributes=(*both, *said.of_sender(view)),
            error="" if said.is_expected(view) else said.error_of(view, SpanKind.CLIENT),
            links=self._links(view),
        )

    def _taken(self, node: Node, both: tuple[Attribute, ...], parent: bytes) -> Span:
        view, call = node.view, node.view.call
        kind = SpanKind.SERVER if call.kind is MessageKind.REQUEST else SpanKind.CONSUMER
        start = begin(call) if call.delivered_ns is None else call.delivered_ns
        unseen: list[Attribute] = []
        if call.delivered_ns is None:
            unseen.append(("openstack.rpc.start_known_by", said.SINCE_SENT))
        if call.replied_ns is None:
            unseen.append(("openstack.rpc.end_known_by", said.AT_LEAST))
        return Span(
            trace_id=self._trace_id,
            span_id=span_id(kind.name, call.unique_id),
            parent_id=parent,
            name=span_name(call, kind),
            kind=kind,
            start_ns=start,
            end_ns=max(start, last_step_ns(node) if call.replied_ns is None else call.replied_ns),
            resource=self._resources.worker(call.to_process, call.topic, call.server),
            attributes=(*both, *said.of_worker(view), *unseen),
            error="" if said.is_expected(view) else said.error_of(view, SpanKind.SERVER),
        )

    def _others(self, view: CallView, parent: bytes) -> Iterator[Span]:
        """Who else was seen to take it. What became of it there is not told from what the first one did."""
        call, kind = view.call, SpanKind.CONSUMER
        for number, copy in enumerate(call.more_copies, 2):
            yield Span(
                trace_id=self._trace_id,
                span_id=span_id(f"{kind.name} {number}", call.unique_id),
                parent_id=parent,
                name=span_name(call, kind),
                kind=kind,
                start_ns=copy.at_ns,
                end_ns=copy.at_ns,
                resource=self._resources.worker(copy.process, call.topic, call.server),
                attributes=(*said.of_message(view), *said.TAKEN, ("openstack.rpc.end_known_by", said.AT_LEAST)),
            )

    def _links(self, view: CallView) -> tuple[Link, ...]:
        """The span that oslo.messaging made of the same message; the operation whose request id it carries."""
        own = context_of(view.call)
        found = [own] if own.span_id else []
        carried = view.request_id
        if carried and carried != self._one.operation.whole.request_id:
            found.append(Link(trace_id(carried), root_id(carried), "request id that it carries"))
        return tuple(found)
