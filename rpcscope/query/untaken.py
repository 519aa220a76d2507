"""Messages of a queue that were published and never seen taken from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rpcscope.model import Call
from rpcscope.query.addresses import Address
from rpcscope.query.times import MS
from rpcscope.query.watching import Watch
from rpcscope.store.protocol import Reader

MOST = 200_000
"""Closed calls that are looked at, at most."""
_RECORDING_BITS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Untaken:
    """What was published to a queue, and not seen delivered."""

    sure: tuple[Call, ...]  # they wait
    expired: tuple[Call, ...]  # calls whose time is over: the broker drops each once it is the first in its queue
    doubtful: tuple[Call, ...]  # published before the tap was blind last: taken unseen, or still there
    is_whole: bool  # False: there was more to look at than MOST


def untaken(reader: Reader, address: Address, watch: Watch, from_ns: int) -> Untaken:
    """Of what was published since a time; what is still open is in it in any case."""
    closed, is_whole = reader.undelivered_calls(address.topics, from_ns, MOST)
    expired, left = _split(_once(reader.open_calls(), closed, address, watch), watch.as_of_ns)
    doubtful = tuple(call for call in left if published_ns(call) < watch.sure_ns)
    sure = tuple(call for call in left if published_ns(call) >= watch.sure_ns)
    return Untaken(sure=sure, expired=expired, doubtful=doubtful, is_whole=is_whole)


def published_ns(call: Call) -> int:
    """When it was published; of untaken calls it is known."""
    return call.published_ns or 0


def _once(opened: Sequence[Call], closed: Sequence[Call], address: Address, watch: Watch) -> list[Call]:
    """Each message once: what is open, and what was given up. Another part of a call may tell that it was taken."""
    taken = {call.unique_id for call in opened if call.delivered_ns is not None or call.replied_ns is not None}
    found: dict[str, Call] = {}
    for call in (*opened, *closed):
        known = call.published_ns is not None and call.routed != 0 and call.id >> _RECORDING_BITS in watch.recordings
        if known and address.holds(call) and call.unique_id not in taken:
            found.setdefault(call.unique_id, call)
    return list(found.values())


def _split(calls: list[Call], now_ns: int) -> tuple[tuple[Call, ...], tuple[Call, ...]]:
    expired = tuple(call for call in calls if _is_expired(call, now_ns))
    return expired, tuple(call for call in calls if not _is_expired(call, now_ns))


def _is_expired(call: Call, now_ns: int) -> bool:
    return call.expiration_ms is not None and now_ns > published_ns(call) + call.expiration_ms * MS
