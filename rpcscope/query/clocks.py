"""How far the clocks of hosts are ahead of each other and of the tap, from calls that both ends told of.

What was sent is received later; so each message between two clocks bounds how far one is ahead of the other. Between
two hosts requests bound it from one side and replies from the other, and the truth is between the narrowest bounds:

    received - sent  >=  ahead  >=  ended - taken

The tap reads what the broker traces a little late, so its readings are no such bounds: there the offset is that of
the exchanges that took least, as NTP has it, and the time on the way is its error. A tap that is always late by
the same time looks like a clock that is behind by it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from statistics import median_low

from rpcscope.model import Account, Call, Clock, MessageKind
from rpcscope.query.testimony import Told, told_of
from rpcscope.query.times import ms
from rpcscope.store.protocol import Reader

TAP = ""
"""The name of the tap's clock; others are names of hosts."""
PAIRS = 4_000
"""Accounts that are looked at, of the calls that began last."""
_BEST = 8
"""One of so many exchanges is among those that took least."""
_MOST = 0.95
"""This share of what bounds a clock is believed."""

Pair = tuple[str, str]
_Span = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """How far one clock is ahead of another."""

    ahead_ns: int
    error_ns: int  # it may be so much more or less
    pairs: int  # messages, or exchanges with the tap, that it is known from; 0: of one clock


@dataclass(frozen=True, slots=True, kw_only=True)
class HostClock:
    """The clock of a host, beside that of the tap or of another host."""

    host: str
    of: str  # "" is the tap's
    offset: Offset

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "host": self.host,
            "of": self.of or "tap",
            "ahead_ms": ms(self.offset.ahead_ns),
            "error_ms": ms(self.offset.error_ns),
            "pairs": self.offset.pairs,
        }


SAME = Offset(ahead_ns=0, error_ns=0, pairs=0)


class Clocks:
    """Offsets between all clocks that exchanged messages."""

    def __init__(self, offsets: Mapping[Pair, Offset]) -> None:
        self._offsets = dict(offsets)

    def ahead(self, clock: str, of: str) -> Offset | None:
        """How far a clock is ahead of another; by way of the tap's where they exchanged nothing. None: unknown."""
        if clock == of:
            return SAME
        known = self._direct(clock, of)
        if known is not None or TAP in (clock, of):
            return known
        one, other = self._direct(clock, TAP), self._direct(of, TAP)
        if one is None or other is None:
            return None
        return Offset(
            ahead_ns=one.ahead_ns - other.ahead_ns,
            error_ns=one.error_ns + other.error_ns,
            pairs=min(one.pairs, other.pairs),
        )

    def rows(self) -> list[HostClock]:
        """Each host beside the tap; beside other hosts where the tap's clock is not known."""
        with_tap = {host for host, of in self._offsets if of == TAP}
        return [
            HostClock(host=host, of=of, offset=offset)
            for (host, of), offset in sorted(self._offsets.items(), key=lambda one: (one[0][1], one[0][0]))
            if of == TAP or not {host, of} <= with_tap
        ]

    def _direct(self, clock: str, of: str) -> Offset | None:
        known = self._offsets.get((clock, of))
        if known is not None:
            return known
        back = self._offsets.get((of, clock))
        return back and Offset(ahead_ns=-back.ahead_ns, error_ns=back.error_ns, pairs=back.pairs)


class Meter:
    """Takes calls, gives clocks."""

    def __init__(self) -> None:
        self._upper: defaultdict[Pair, list[int]] = defaultdict(list)  # of hosts: received - sent
        self._lower: defaultdict[Pair, list[int]] = defaultdict(list)  # ended - taken
        self._exchanges: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)  # with the tap: round trip, ahead
        self._least: defaultdict[str, list[int]] = defaultdict(list)  # it is at least so far ahead of the tap

    def take(self, call: Call | None, told: Told) -> None:
        """What one call tells of the clocks. `call`: as a tap on the bus saw it; None: none did."""
        client = told.client
        for server in told.servers:
            if client is not None and client.host and server.host and client.host != server.host:
                self._between(client, server)
        if call is not None and call.clock is Clock.TAP and call.kind is MessageKind.REQUEST:
            self._with_tap(call, client, told.server)

    def clocks(self) -> Clocks:
        """By all that was taken."""
        offsets: dict[Pair, Offset] = {}
        for pair in sorted(self._upper.keys() & self._lower.keys()):
            if pair[::-1] not in offsets:
                upper, lower = self._upper[pair], self._lower[pair]
                offsets[pair] = _bounded(max(lower), min(upper), len(upper) + len(lower))
        for host, exchanges in self._exchanges.items():
            offsets[host, TAP] = _quickest(exchanges, sorted(self._least[host]))
        return Clocks(offsets)

    def _between(self, client: Account, server: Account) -> None:
        """Bounds of how far the server's clock is ahead, kept for both directions of calls."""
        pair, back = (server.host, client.host), (client.host, server.host)
        if client.sent_ns is not None and server.received_ns is not None:
            self._upper[pair].append(server.received_ns - client.sent_ns)
            self._lower[back].append(client.sent_ns - server.received_ns)
        if client.taken_ns is not None and server.ended_ns is not None and client.was_answered:
            self._lower[pair].append(server.ended_ns - client.taken_ns)
            self._upper[back].append(client.taken_ns - server.ended_ns)

    def _with_tap(self, call: Call, client: Account | None, server: Account | None) -> None:
        if server is not None:
            self._at_least(server, server.ended_ns, call.replied_ns)
            tap = call.delivered_ns, call.replied_ns
            self._exchange(server.host, tap, (server.received_ns, server.ended_ns))
        if client is not None:
            self._at_least(client, client.sent_ns, call.published_ns)
        if client is not None and client.was_answered:
            tap = call.published_ns, call.reply_delivered_ns
            self._exchange(client.host, tap, (client.sent_ns, client.taken_ns))

    def _at_least(self, one: Account, did_ns: int | None, read_ns: int | None) -> None:
        if one.host and did_ns is not None and read_ns is not None:
            self._least[one.host].append(did_ns - read_ns)

    def _exchange(self, host: str, tap: _Span, own: _Span) -> None:
        (tap_from, tap_to), (from_ns, to_ns) = tap, own
        if not host or tap_from is None or tap_to is None or from_ns is None or to_ns is None:
            return
        trip = abs((tap_to - tap_from) - (to_ns - from_ns))
        self._exchanges[host].append((trip, (from_ns - tap_from + to_ns - tap_to) // 2))


def _bounded(low: int, high: int, pairs: int) -> Offset:
    """Between two bounds; where they contradict each other the clock was moved meanwhile, and that is the error."""
    return Offset(ahead_ns=(low + high) // 2, error_ns=max(1, (abs(high - low) + 1) // 2), pairs=pairs)


def _quickest(exchanges: list[tuple[int, int]], least: list[int]) -> Offset:
    """Of the exchanges that took least. What the tap cannot have read before it was done widens the error, but for
    what one in twenty says."""
    best = sorted(exchanges)[: max(1, len(exchanges) // _BEST)]
    ahead = median_low([ahead for _, ahead in best])
    error = max(abs(one - ahead) for _, one in best) + best[-1][0] // 2
    if least:
        error = max(error, least[ceil(_MOST * (len(least) - 1))] - ahead)
    return Offset(ahead_ns=ahead, error_ns=max(1, error), pairs=len(exchanges))


def newest_clocks(reader: Reader, recording_id: int | None = None) -> Clocks:
    """Clocks by the calls that began last."""
    newest = reader.newest_accounts(PAIRS, recording_id=recording_id)
    return measured(newest, reader.calls_by_id(newest.keys()))


def measured(accounts: Mapping[int, Iterable[Account]], calls: Mapping[int, Call]) -> Clocks:
    """Clocks by some calls."""
    meter = Meter()
    for number, told in accounts.items():
        meter.take(calls.get(number), told_of(told))
    return meter.clocks()
