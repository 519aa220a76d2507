"""CPU that servers want over the day."""

from __future__ import annotations

from rpcscope.fleet.model import Flavor

DAY_S = 86_400.0


def demand(flavor: Flavor, at_s: float) -> float:
    """vCPUs of a server that want to run, as a number of cores, at `at_s` seconds from a midnight."""
    steps = flavor.cpu
    step = int(at_s % DAY_S / DAY_S * len(steps))
    return flavor.vcpus * steps[min(step, len(steps) - 1)]
