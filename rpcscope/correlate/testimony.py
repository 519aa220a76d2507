"""All that processes told of one call, while it is put together: in any order, each telling more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rpcscope.model import Account, Inside, MessageKind, Outcome, Side

if TYPE_CHECKING:
    from rpcscope.correlate.calls import CallState
    from rpcscope.correlate.identity import ProcessState

TIMES = ("sent_ns", "confirmed_ns", "taken_ns", "received_ns", "started_ns", "ended_ns", "replied_ns")
MEASURES = ("request_bytes", "reply_bytes", "timeout_ms", "pool_wait_ns")
TEXTS = ("failure", "trace_id", "span_id", "parent_span_id")
SAID = (
    "unique_id", "msg_id", "request_id", "global_request_id", "method", "namespace", "version", "exchange", "topic",
    "server", "instances", "facts",
)  # fmt: skip
"""What both sides may say of the call itself."""

Teller = tuple[Side, str, str, str, int, str]
"""Side, source, and the process as it calls itself: what it is found to be on the bus may change."""


@dataclass(slots=True, kw_only=True)
class AccountState:
    """Mutable twin of `model.Account`. Times are minima and counts maxima: order does not matter."""

    side: Side
    process: ProcessState
    source: str
    host: str
    at_ns: int = 0
    sent_ns: int | None = None
    confirmed_ns: int | None = None
    taken_ns: int | None = None
    received_ns: int | None = None
    started_ns: int | None = None
    ended_ns: int | None = None
    replied_ns: int | None = None
    outcome: Outcome = Outcome.NONE
    failure: str = ""
    request_bytes: int | None = None
    reply_bytes: int | None = None
    timeout_ms: int | None = None
    retries: int = 0
    reconnects: int = 0
    pool_wait_ns: int | None = None
    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str = ""

    def add(self, told: Inside) -> None:
        """What one more sighting tells."""
        self.at_ns = max(self.at_ns, told.at_ns)
        for name in TIMES:
            if (at_ns := getattr(told, name)) is not None:
                setattr(self, name, _least(getattr(self, name), at_ns))
        for name in MEASURES:
            if (amount := getattr(told, name)) is not None:
                setattr(self, name, _most(getattr(self, name), amount))
        for name in TEXTS:
            if text := getattr(told, name):
                setattr(self, name, getattr(self, name) or text)
        self.retries = max(self.retries, told.retries)
        self.reconnects = max(self.reconnects, told.reconnects)
        self.outcome = max(self.outcome, told.outcome)

    def record(self, call_id: int) -> Account:
        """The account as it is to be stored."""
        return Account(
            call_id=call_id,
            side=self.side,
            process=self.process.root().id,
            source=self.source,
            host=self.host,
            at_ns=self.at_ns,
            sent_ns=self.sent_ns,
            confirmed_ns=self.confirmed_ns,
            taken_ns=self.taken_ns,
            received_ns=self.received_ns,
            started_ns=self.started_ns,
            ended_ns=self.ended_ns,
            replied_ns=self.replied_ns,
            outcome=self.outcome,
            failure=self.failure,
            request_bytes=self.request_bytes,
            reply_bytes=self.reply_bytes,
            timeout_ms=self.timeout_ms,
            retries=self.retries,
            reconnects=self.reconnects,
            pool_wait_ns=self.pool_wait_ns,
            trace_id=self.trace_id,
            span_id=self.span_id,
            parent_span_id=self.parent_span_id,
        )


class Testimony:
    """What is told of one call. `call` is the call, once it is known which."""

    __slots__ = (*SAID, "accounts", "call", "due_ns", "fed", "is_new", "keys", "kind")

    def __init__(self, kind: MessageKind) -> None:
        self.kind = kind
        self.unique_id = self.msg_id = self.request_id = self.global_request_id = self.method = self.namespace = ""
        self.version = self.exchange = self.topic = self.server = ""
        self.instances: tuple[str, ...] = ()
        self.facts: frozenset[str] = frozenset()
        self.accounts: dict[Teller, AccountState] = {}
        self.keys: set[str] = set()
        self.call: CallState | None = None
        self.fed: set[tuple[str, int]] = set()  # what stood in for a sighting on the bus, and of which process
        self.due_ns = 0  # how long a tap on the bus may take to see it
        self.is_new = False  # told more since it was last stored

    def add(self, told: Inside, process: ProcessState) -> AccountState:
        """One more sighting; the account that it belongs to."""
        for name in SAID:
            if (said := getattr(told, name)) and not getattr(self, name):
                setattr(self, name, said)
        if "(" in told.method:  # who knows the object knows more
            self.method = told.method
        teller = told.side, told.source, told.host, told.program, told.pid, told.instance
        account = self.accounts.get(teller)
        if account is None:
            account = AccountState(side=told.side, process=process, source=told.source, host=told.host)
            self.accounts[teller] = account
        account.add(told)
        return account

    def take(self, other: Testimony) -> None:
        """Another one turned out to be of the same call, and no call was known of it."""
        for name in SAID:
            if not getattr(self, name):
                setattr(self, name, getattr(other, name))
        self.accounts = other.accounts | self.accounts
        self.keys |= other.keys
        other.accounts, other.keys = {}, set()

    def contradicts(self, told: Inside) -> bool:
        """Whether a sighting is of another call."""
        pairs = ((getattr(self, name), getattr(told, name)) for name in ("unique_id", "msg_id"))
        if any(mine and theirs and mine != theirs for mine, theirs in pairs):
            return True
        return bool(self.method and told.method) and not same_method(self.method, told.method)

    @property
    def shows_no_ends(self) -> bool:
        """Spans alone tell of it: they name neither objects nor servers, so what ends a cast is not seen in them."""
        return all(account.source == "otlp" for account in self.accounts.values())

    def of(self, side: Side) -> list[AccountState]:
        """The accounts of a side, the driver's first: it is nearer to the message."""
        mine = [one for one in self.accounts.values() if one.side is side]
        return sorted(mine, key=lambda one: one.source) if len(mine) > 1 else mine


def same_method(one: str, other: str) -> bool:
    """Whether both may be one method: spans do not tell which object's it is."""
    if "(" in one and "(" in other:
        return one == other
    return one.partition("(")[0] == other.partition("(")[0]


def in_hand(call: CallState) -> AccountState | None:
    """Who tells that a cast is still in its hands."""
    if call.kind is not MessageKind.CAST or call.testimony is None:
        return None
    servers = call.testimony.of(Side.SERVER)
    if any(one.ended_ns is not None for one in servers):
        return None
    return next((one for one in servers if one.received_ns is not None or one.started_ns is not None), None)


def keys_of(told: Inside) -> list[str]:
    """By what a sighting is joined with others and with messages: ids of the message, then the span that sent it."""
    span = told.span_id if told.side is Side.CLIENT else told.parent_span_id
    return [key for key in (told.unique_id, told.msg_id, span) if key]


def _least(one: int | None, other: int) -> int:
    return other if one is None or other < one else one


def _most(one: int | None, other: int) -> int:
    return other if one is None or other > one else one
