"""The time that a page tells of: `last=1h`, or `from` and `to`, as they stand in its address."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from rpcscope.errors import UsageError
from rpcscope.query.now import Now, as_of
from rpcscope.query.times import SECOND, iso
from rpcscope.store.protocol import Reader

LASTS = {"15m": "15 min", "1h": "1 h", "6h": "6 h", "24h": "24 h", "7d": "7 days", "30d": "30 days", "all": "all time"}
DEFAULT = "1h"
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LAST = re.compile(r"([0-9]{1,6})([smhd])")
_HOW = "write a time such as 2026-11-20T03:10Z"
_LATEST_NS = 7_258_118_400 * SECOND  # the year 2200: integers of a database end in 2262


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """From one time up to another, which is not in it."""

    from_ns: int
    to_ns: int
    now: Now
    last: str = ""  # "" for two times
    live: bool = False  # the page follows what is stored

    def query(self) -> dict[str, str]:
        """The parameters of a link that shows the same range."""
        found = {"last": self.last} if self.last else self.fixed()
        return {**found, "live": "1"} if self.live else found

    def fixed(self) -> dict[str, str]:
        """The parameters of a link that will show the same events tomorrow."""
        start = {"from": iso(self.from_ns) or ""} if self.from_ns else {}
        return {**start, "to": iso(self.to_ns) or ""}

    @property
    def words(self) -> str:
        """For the button that opens the choice."""
        if not self.last:
            return "chosen times"
        return "all time" if self.last == "all" else f"last {LASTS.get(self.last, self.last)}"

    def steps(self, count: int) -> int:
        """Nanoseconds of each of so many equal parts."""
        return max(1, -(-(self.to_ns - self.from_ns) // count))

    def starting(self, at_ns: int) -> TimeRange:
        """The same from a later time on: where what is stored begins."""
        return replace(self, from_ns=min(max(self.from_ns, at_ns), self.to_ns))


def now_of(reader: Reader) -> Now:
    """The clock while a recorder runs; of a store that nobody writes, the last event in it."""
    return as_of(reader, time.time_ns())


def asked(now: Now, last: str, start: str, end: str, *, live: bool) -> TimeRange:
    """The range that the parameters of an address mean. Raises UsageError."""
    if start or end:
        from_ns, to_ns = moment_of(start, 0), moment_of(end, now.at_ns)
        if from_ns >= to_ns:
            raise UsageError("the range ends before it begins: exchange `from` and `to`")
        return TimeRange(from_ns=from_ns, to_ns=to_ns, now=now, live=live)
    last = last or DEFAULT
    from_ns = 0 if last == "all" else max(0, now.at_ns - _length_ns(last))
    return TimeRange(from_ns=from_ns, to_ns=now.at_ns, now=now, last=last, live=live)


def _length_ns(last: str) -> int:
    found = _LAST.fullmatch(last)
    if found is None or not int(found[1]):
        raise UsageError("`last` wants a number with s, m, h or d, such as 15m, or all")
    return int(found[1]) * _UNITS[found[2]] * SECOND


def moment_of(text: str, otherwise: int) -> int:
    """A time of an address in ns; `otherwise` where there is none. Raises UsageError."""
    if not text:
        return otherwise
    try:
        when = datetime.fromisoformat(text)
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        since = when - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"a time of the range can not be read: {_HOW}") from None
    return min(max(0, (since.days * 86_400 + since.seconds) * SECOND + since.microseconds * 1_000), _LATEST_NS)
