"""The time at which a relative time ends."""

from __future__ import annotations

from dataclasses import dataclass

from rpcscope.query.status import recorders
from rpcscope.store.protocol import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """The time at which a relative range ends."""

    at_ns: int
    recording: bool  # a recorder runs: it is the clock's; else it is the last event stored


def as_of(reader: Reader, clock_ns: int) -> Now:
    """The clock while a recorder runs; of a store that nobody writes, the last event in it."""
    if any(one.state == "recording" for one in recorders(reader, clock_ns)):
        return Now(at_ns=clock_ns, recording=True)
    last_ns = max((info.last_ns for info in reader.recordings()), default=0)
    return Now(at_ns=last_ns + 1 if last_ns else clock_ns, recording=False)
