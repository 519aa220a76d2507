"""Pre-copy in closed form: bandwidth and dirty rate stay as they are.

Round 0 sends all memory; each later one what was written during the one before. Liu, Jin, Xu, Liao, "Performance and
energy modeling for live migration of virtual machines", HPDC 2011.

    round   0         1      2    3
    bytes   V         rV     rrV  rrrV   r = D/B, none more than the working set
            |---------|------|----|--|
            the guest runs ......... is stopped: what is left takes no longer than the allowed downtime
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, expm1, log

from rpcscope.physics.guest import Guest


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A migration of memory that ends. Times in s, without setting it up and resuming the guest."""

    rounds: int  # while the guest runs
    running_s: float  # of these rounds
    running_bytes: float
    downtime_s: float  # the last copy
    total_s: float
    total_bytes: float


def rounds_needed(guest: Guest, *, bandwidth: float, downtime_s: float) -> int | None:
    """The fewest rounds after which what is left takes no longer than `downtime_s`; None: it never comes to that."""
    ratio, second = _course(guest, bandwidth)
    enough = bandwidth * downtime_s
    if guest.memory <= enough:
        return 0
    if second <= enough:
        return 1
    if ratio >= 1 or enough <= 0:
        return None
    rounds = 1 + ceil(log(second / enough) / -log(ratio))
    if second * ratio ** (rounds - 2) <= enough:
        return rounds - 1  # the logarithms were rounded up
    return rounds if second * ratio ** (rounds - 1) <= enough else rounds + 1


def foresee(guest: Guest, *, bandwidth: float, downtime_s: float) -> Forecast | None:
    """How a migration of its memory goes; None: it does not converge.

    Args:
        guest: what is moved; its disk is left out.
        bandwidth: bytes a second, more than 0.
        downtime_s: allowed.
    """
    rounds = rounds_needed(guest, bandwidth=bandwidth, downtime_s=downtime_s)
    if rounds is None:
        return None
    ratio, second = _course(guest, bandwidth)
    sent = guest.memory + second * _geometric(ratio, rounds - 1) if rounds else 0.0
    last = second * ratio ** (rounds - 1) if rounds else guest.memory
    return Forecast(
        rounds=rounds,
        running_s=sent / bandwidth,
        running_bytes=sent,
        downtime_s=last / bandwidth,
        total_s=(sent + last) / bandwidth,
        total_bytes=sent + last,
    )


def _course(guest: Guest, bandwidth: float) -> tuple[float, float]:
    """Dirty rate over bandwidth, and the bytes of round 1; from there on each round has the ratio of the one before."""
    if not bandwidth > 0:
        raise ValueError("without bandwidth nothing moves")
    ratio = guest.dirty / bandwidth
    return ratio, min(guest.writable, ratio * guest.memory)


def _geometric(ratio: float, terms: int) -> float:
    """1 + r + r^2 + ..., exact also where r is almost 1."""
    if ratio == 0 or terms == 0:
        return float(min(terms, 1))
    if ratio >= 1:
        return float(terms)  # at most one round is needed then
    return expm1(terms * log(ratio)) / (ratio - 1)
