"""Which request caused an RPC, where neither deliveries nor replies are seen.

What is in a process's hands is not known then; what was asked for under the same request id is. Of that, a sender
can only have in hand what was sent to its own topic and host. Who sends is known of calls alone, by the reply queue
that they name; what a sender is, from a snapshot of the consumers, or from what it did before:

1. requests of methods that never cause an RPC are no candidates, nor are those that somebody else must handle;
2. who began an operation, or consumes no topic, has nothing in hand;
3. an action event belongs to the handler it is named after, and tells what its sender is;
4. a cast to a host comes from a conductor's cast that has not cast on yet;
5. one that names the same server, then one whose work has not ended, then the usual step, then the latest.
"""

from __future__ import annotations

from collections import OrderedDict

from rpcscope.correlate.calls import CallState
from rpcscope.correlate.identity import ProcessState
from rpcscope.correlate.parents import MAX_HANDS, MAX_KEYS, Parents, same_server
from rpcscope.model import MessageKind, ParentSource
from rpcscope.rules import Rules

MAX_ROLES = 100_000
Role = tuple[str, str]
"""Family of topics (compute and compute-alt are one) and host; the host is "" where all share a queue."""


class RequestParents(Parents):
    """Finds parents among requests alone."""

    def __init__(self, rules: Rules, *, use_traceparent: bool = True) -> None:
        super().__init__(rules, use_traceparent=use_traceparent)
        self._asked: OrderedDict[str, list[CallState]] = OrderedDict()  # request or trace id -> what may cause more
        self._roles: OrderedDict[int, Role] = OrderedDict()  # Process.id -> what it was found to be

    def owner(self, call: CallState, process: ProcessState) -> ProcessState | None:
        """Nothing is in anybody's hands, so nothing tells."""
        return None

    def published(self, call: CallState, process: ProcessState) -> CallState | None:
        """Attribute a call that was just published; its parent, or None."""
        parent = super().published(call, process)
        process.orphans.clear()
        if call.kind is not MessageKind.FANOUT and not self._rules.is_leaf(call.method):
            self._remember(call)
        return parent

    def reconsider(self, call: CallState, process: ProcessState) -> bool:
        """The choice did not hang on the sender's name."""
        return False

    def done(self, call: CallState) -> None:
        """Who has it in hand is not known."""

    def _remember(self, call: CallState) -> None:
        for key in self._keys(call):
            asked = self._asked.setdefault(key, [])
            if call not in asked:
                asked.append(call)
                del asked[:-MAX_HANDS]
            self._asked.move_to_end(key)
        while len(self._asked) > MAX_KEYS:
            self._asked.popitem(last=False)

    def _keys(self, call: CallState) -> list[str]:
        trace = call.trace_id if self._use_traceparent else ""
        return [key for key in (trace, call.operation.request_id if call.operation else "") if key]

    def _find(self, call: CallState, process: ProcessState) -> tuple[CallState | None, ParentSource]:
        for key in self._keys(call):
            found = self._among([one for one in self._asked.get(key, ()) if one is not call], call, process)
            if found is not None:
                traced = key == call.trace_id and len(self._keys(call)) > 1
                return found, ParentSource.TRACEPARENT if traced else ParentSource.INFERRED
        return None, ParentSource.NONE

    def _among(self, asked: list[CallState], call: CallState, process: ProcessState) -> CallState | None:
        named = [one for one in self._named_by_event(call, asked) if same_server(one, call)]
        if len(named) == 1:
            self._learn(process, named[0])
            return named[0]
        if _began(call, process) or (process.program and not process.role):
            return None
        found = self._pick(call, self._able(asked, process))
        if found is not None and process.id not in self._roles:
            self._learn(process, found)
        return found

    def _able(self, asked: list[CallState], process: ProcessState) -> list[CallState]:
        """What the sender may have in hand."""
        role = (_family(process.role), process.host) if process.role else self._roles.get(process.id)
        if role is None:
            return asked
        return [one for one in asked if _family(one.topic) == role[0] and one.server in ("", role[1])]

    def _learn(self, process: ProcessState, handled: CallState) -> None:
        if process.id and not process.role:
            self._roles[process.id] = (_family(handled.topic), handled.server)
            if len(self._roles) > MAX_ROLES:
                self._roles.popitem(last=False)

    def _pick(self, call: CallState, pool: list[CallState]) -> CallState | None:
        if len(pool) > 1:
            pool = self._named_by_event(call, pool) or pool
            if call.kind is MessageKind.CAST and call.server:
                pool = [one for one in pool if one.end == "relay" and not one.ended] or pool
            pool = [one for one in pool if same_server(one, call)] or pool
            pool = [one for one in pool if not one.ended] or pool
        if len(pool) > 1 and not call.instances:
            pool = self._habitual(call, pool)
        return pool[-1] if pool else None


def _began(call: CallState, process: ProcessState) -> bool:
    starter = call.operation.starter if call.operation is not None else None
    return bool(process.id) and starter is not None and starter.root() is process


def _family(topic: str) -> str:
    return topic.partition("-")[0]
