"""What of a store is to be written, and the operations of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from rpcscope.query.finding import Search, find
from rpcscope.query.operations import OperationView
from rpcscope.store.protocol import OperationFilter, Reader

FOREVER_NS = (1 << 63) - 1
_AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A time, and filters of operations. Tables that know no operation look at the time alone."""

    since_ns: int | None = None  # began then or later
    until_ns: int | None = None  # began before
    operations: OperationFilter = field(default_factory=OperationFilter)

    @property
    def is_filtered(self) -> bool:
        """Only some operations are wanted."""
        return self.operations != OperationFilter()

    @property
    def from_ns(self) -> int:
        """Begin of the time."""
        return self.since_ns or 0

    @property
    def to_ns(self) -> int:
        """End of the time, not in it."""
        return FOREVER_NS if self.until_ns is None else self.until_ns


def operations(reader: Reader, wanted: Wanted) -> Iterator[OperationView]:
    """Operations that are wanted, the oldest first, a page at a time; replies whose request was not seen are none."""
    chosen = replace(wanted.operations, since_ns=wanted.since_ns, until_ns=wanted.until_ns)
    search, after = Search(filter=chosen, ascending=True), None
    while True:
        found = find(reader, search, limit=_AT_ONCE, after=after)
        yield from (view for view in found.rows if view.whole.request_id)
        after = found.next
        if after is None:
            return
