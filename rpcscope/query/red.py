"""Rate, errors and duration of a group of calls, added up from the traffic of a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from rpcscope.model import MessageKind
from rpcscope.query.calls import KIND_WORDS
from rpcscope.query.durations import Durations
from rpcscope.query.times import SECOND, ms
from rpcscope.store.traffic import TrafficSum

_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Red:
    """Calls, casts and fanouts of a group. Counts are estimates where not all calls were looked at."""

    calls: float  # of the three kinds together
    kinds: dict[str, float]  # call, cast, fanout
    per_second: float
    known: float  # calls whose outcome is known: ok, failed or timed out
    failed: float  # failures that the rules expect are not in it
    expected: float
    timed_out: float
    p50_ns: int | None  # from the publish to the reply, true to 9 %
    p95_ns: int | None
    mean_ns: int | None
    bytes: float  # of requests and replies
    largest_bytes: int  # of one request with its replies

    @property
    def errors(self) -> float:
        """Unexpected failures and timeouts."""
        return self.failed + self.timed_out

    @property
    def error_share(self) -> float | None:
        """Of the calls whose outcome is known, 0 to 1."""
        return min(1.0, self.errors / self.known) if self.known else None

    @property
    def wants_reply(self) -> bool:
        """There are calls in it: casts and fanouts have neither an outcome nor a duration."""
        return bool(self.kinds.get("call"))

    @property
    def bytes_each(self) -> float | None:
        """Mean of one request with its replies."""
        return self.bytes / self.calls if self.calls else None

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        counts = ("calls", "known", "failed", "expected", "timed_out", "bytes")
        return {
            **{name: round(getattr(self, name)) for name in counts},
            "kinds": {kind: round(count) for kind, count in self.kinds.items()},
            "per_second": round(self.per_second, 4),
            "error_share": None if self.error_share is None else round(self.error_share, 4),
            "p50_ms": ms(self.p50_ns),
            "p95_ms": ms(self.p95_ns),
            "mean_ms": ms(self.mean_ns),
            "bytes_each": None if self.bytes_each is None else round(self.bytes_each),
            "largest_bytes": self.largest_bytes,
        }


def red(sums: Iterable[TrafficSum], length_ns: int) -> Red:
    """Sums of a time of this length as one group."""
    added: defaultdict[str, float] = defaultdict(float)
    kinds: defaultdict[str, float] = defaultdict(float)
    durations = Durations()
    largest = 0
    for one in sums:
        kinds[KIND_WORDS[MessageKind(one.kind)]] += one.calls
        for name in _ADDED:
            added[name] += getattr(one, name)
        if one.bucket is not None:
            durations.add(one.bucket, one.calls, one.took_ns)
        largest = max(largest, one.largest_bytes)
    return Red(
        calls=added["calls"],
        kinds={word: kinds[word] for word in ("call", "cast", "fanout") if kinds[word]},
        per_second=added["calls"] * SECOND / max(1, length_ns),
        p50_ns=durations.percentile_ns(0.5),
        p95_ns=durations.percentile_ns(0.95),
        mean_ns=round(added["took_ns"] / durations.count) if durations.count else None,
        largest_bytes=largest,
        **{name: added[name] for name in ("known", "failed", "expected", "timed_out", "bytes")},
    )


_ADDED = ("calls", "known", "failed", "expected", "timed_out", "took_ns", "bytes")


def grouped(pairs: Iterable[tuple[_Key, TrafficSum]], length_ns: int) -> dict[_Key, Red]:
    """The same for each key, the one with the most calls first."""
    groups: dict[_Key, list[TrafficSum]] = {}
    for key, one in pairs:
        groups.setdefault(key, []).append(one)
    found = {key: red(sums, length_ns) for key, sums in groups.items()}
    return dict(sorted(found.items(), key=lambda item: (-item[1].calls, str(item[0]))))
