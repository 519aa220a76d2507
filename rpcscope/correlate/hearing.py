"""Who told what: sightings from inside processes, joined with each other until their call is known.

A sighting belongs to the call of its unique id, of its message id, or of the span that sent the message, in this
order; a span names a call only where ids do not say otherwise, since spans that others make may send several.
"""

from __future__ import annotations

from collections import OrderedDict, deque

from rpcscope.correlate.calls import CallState
from rpcscope.correlate.identity import ProcessState
from rpcscope.correlate.testimony import Testimony, keys_of
from rpcscope.model import Account, Inside

MAX_KEYS = 600_000
MAX_WAITING = 100_000


class Hearing:
    """Testimonies of one recording, in bounded memory."""

    def __init__(self) -> None:
        self._by_key: OrderedDict[str, Testimony] = OrderedDict()
        self._waiting: deque[Testimony] = deque()  # no call is known of them, the earliest due first
        self._new: list[Testimony] = []

    def hear(self, told: Inside, process: ProcessState) -> Testimony:
        """Take a sighting; what is known of its call by now."""
        keys = keys_of(told)
        testimony = self._of(keys, told)
        if testimony is None:
            testimony = Testimony(told.kind)
        testimony.add(told, process)
        testimony.keys.update(keys)
        for key in keys:
            self._by_key.setdefault(key, testimony)
            self._by_key.move_to_end(key)
        self._make_room()
        if not testimony.is_new:
            testimony.is_new = True
            self._new.append(testimony)
        return testimony

    def find(self, *keys: str) -> Testimony | None:
        """What was told of a call that was just seen, unless a call of it is known."""
        for key in keys:
            testimony = self._by_key.get(key) if key else None
            if testimony is not None and testimony.call is None:
                return testimony
        return None

    def wait(self, testimony: Testimony, due_ns: int) -> None:
        """A tap on the bus may see the call itself until then."""
        if not testimony.due_ns:
            testimony.due_ns = due_ns
            self._waiting.append(testimony)

    def take_due(self, now_ns: int | None) -> list[Testimony]:
        """Those that were waited for in vain; all that wait, when it is over."""
        due: list[Testimony] = []
        while self._waiting and (
            now_ns is None or self._waiting[0].due_ns <= now_ns or len(self._waiting) > MAX_WAITING
        ):
            testimony = self._waiting.popleft()
            if testimony.call is None and testimony.accounts:
                due.append(testimony)
        return due

    def take_new(self) -> tuple[Account, ...]:
        """Accounts of known calls that changed since the last time."""
        heard, self._new = self._new, []
        told: list[Account] = []
        for testimony in heard:
            if testimony.call is None:
                if testimony.accounts:  # else they went to another one
                    self._new.append(testimony)
                continue
            testimony.is_new = False
            told.extend(one.record(testimony.call.first_id) for one in testimony.accounts.values())
        return tuple(told)

    def forget(self, call: CallState) -> None:
        """Nothing more is expected of a call."""
        if call.testimony is not None:
            for key in call.testimony.keys:
                if self._by_key.get(key) is call.testimony:
                    del self._by_key[key]

    def _of(self, keys: list[str], told: Inside) -> Testimony | None:
        found: Testimony | None = None
        for key in keys:
            other = self._by_key.get(key)
            if other is None or other is found or other.contradicts(told):
                continue
            if found is None:
                found = other
            elif other.call is None or found.call is None:
                found = self._join(found, other)
        return found

    def _join(self, one: Testimony, other: Testimony) -> Testimony:
        """What was told of a call by its ids, and what by its span."""
        keep, drop = (one, other) if other.call is None else (other, one)
        for key in drop.keys:
            self._by_key[key] = keep
        keep.take(drop)
        return keep

    def _make_room(self) -> None:
        while len(self._by_key) > MAX_KEYS:
            self._by_key.popitem(last=False)
