"""What one operation of a variant puts on the bus."""

from __future__ import annotations

from collections.abc import Iterable

from rpcscope.model import Tally
from rpcscope.templates.model import Step, walk
from rpcscope.templates.sample import quantile


def count(roots: Iterable[Step], *, by_cause: bool = False) -> Tally:
    """Its messages, without copies, with the median of their bytes; without what repeats while it waits.

    Args:
        by_cause: also what carries a stale request id.
    """
    found = [step for step in walk(roots) if step.repeats_s is None and (by_cause or not step.stale)]
    kinds = [step.kind for step in found]
    return Tally(
        calls=kinds.count("call"),
        casts=kinds.count("cast"),
        fanouts=kinds.count("fanout"),
        replies=kinds.count("call"),
        bytes=sum(size_of(step) for step in found),
    )


def size_of(step: Step) -> int:
    """Bytes of its request and its reply: their medians."""
    both = (sizes.quantiles for sizes in (step.request, step.reply) if sizes.quantiles)
    return round(sum(quantile(quantiles, 0.5) for quantiles in both))
