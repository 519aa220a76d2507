"""Which RPCs of an operation are new, and which are more than usual."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from rpcscope.compare.population import KindSide
from rpcscope.compare.sample import Method, Sample

RPC_KINDS = ("call", "cast", "fanout")
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Usual:
    """What operations of a kind usually use."""

    names: frozenset[str]  # `service method`, or a method alone
    most: Mapping[Method, int]  # in one operation of the baseline; empty without one

    @classmethod
    def of(cls, names: Collection[str] | None, baseline: KindSide | None) -> Usual | None:
        """From a list, a recording, or both; None when there is neither."""
        samples = (*baseline.done, *baseline.failed) if baseline is not None else ()
        if names is None and not samples:
            return None
        most = _most(samples, (*RPC_KINDS, "notification"))
        return cls(frozenset(names or ()) | {str(method) for method in most}, most)

    def new(self, samples: Iterable[Sample], kinds: Collection[str]) -> dict[Method, int]:
        """Methods of some kinds that are not usual, with the most that one operation has of each."""
        found = _most(samples, kinds)
        return {
            method: count
            for method, count in found.items()
            if str(method) not in self.names and method.name not in self.names
        }

    def told(self, samples: Collection[Sample], kinds: Collection[str]) -> str:
        """What is new in some operations, and what is more often than in any of the baseline; "" when nothing is."""
        found = _most(samples, kinds)
        more = {method: count for method, count in found.items() if count > self.most.get(method, count)}
        new = self.new(samples, kinds)
        parts = [named(new)] if new else []
        parts += [f"{method} is used {count} times instead of {self.most[method]}" for method, count in more.items()]
        return "; ".join(parts)


def _most(samples: Iterable[Sample], kinds: Collection[str]) -> dict[Method, int]:
    """The most that one operation has of each method."""
    most: Counter[Method] = Counter()
    for one in samples:
        for method, used in one.methods.items():
            if method.kind in kinds:
                most[method] = max(most[method], used.count)
    return dict(most)


def named(new: Mapping[Method, int]) -> str:
    """New methods in words."""
    shown = [f"{method} ({count})" for method, count in sorted(new.items())]
    more = f" and {len(shown) - _NAMED} more" if len(shown) > _NAMED else ""
    return f"{', '.join(shown[:_NAMED])}{more} {'is' if len(shown) == 1 else 'are'} new"
