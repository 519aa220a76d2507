"""Parents that spans name: the span that sent an RPC is below the span that handled its parent.

Both are told by processes, each when its span has ended, so a child is mostly known before its parent. What names no
parent may still have one: a context that was lost at a hand-over to a thread. That is left to `parents`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from rpcscope.correlate.calls import CallState
from rpcscope.correlate.testimony import Testimony
from rpcscope.model import Side

MAX_SPANS = 200_000
MAX_BELOW = 1000  # calls below one span

Kin = tuple[CallState, CallState]
"""A call, and the one that it belongs below."""


class SpanParents:
    """Who handles what in which span, in bounded memory; the oldest are forgotten."""

    def __init__(self) -> None:
        """Nothing is known."""
        self._handlers: OrderedDict[str, Testimony] = OrderedDict()  # by the span in which a request is handled
        self._waiting: OrderedDict[str, dict[int, Testimony]] = OrderedDict()  # by the span that is not known yet

    def found(self, testimony: Testimony) -> Iterator[Kin]:
        """What is known now that more was told of a call, or the call is known that was told of."""
        if testimony.call is None:
            return
        for account in testimony.accounts.values():
            if account.side is Side.SERVER and account.span_id:
                yield from self._handles(account.span_id, testimony)
            elif account.side is Side.CLIENT and account.parent_span_id:
                yield from self._is_below(account.parent_span_id, testimony)

    def _handles(self, span_id: str, testimony: Testimony) -> Iterator[Kin]:
        parent = testimony.call
        self._handlers[span_id] = testimony
        if len(self._handlers) > MAX_SPANS:
            self._handlers.popitem(last=False)
        for below in self._waiting.pop(span_id, {}).values():
            if below.call is not None and parent is not None:
                yield below.call, parent

    def _is_below(self, span_id: str, testimony: Testimony) -> Iterator[Kin]:
        above = self._handlers.get(span_id)
        if above is None or above.call is None:
            waiting = self._waiting.setdefault(span_id, {})
            if len(waiting) < MAX_BELOW:
                waiting[id(testimony)] = testimony
            if len(self._waiting) > MAX_SPANS:
                self._waiting.popitem(last=False)
        elif testimony.call is not None:
            yield testimony.call, above.call
