"""File descriptors: one for each connection."""

from __future__ import annotations

import resource

from rpcscope.errors import UsageError
from rpcscope.fleet.model import Control

_OTHERS = 100  # of the program itself
_OF_A_COMPUTE = {"2026": 5, "2025": 4, "reduced": 1}


def needed(control: Control, hosts: int) -> int:
    """Connections of an idle cloud: conductors and schedulers listen, call and send, APIs call and send."""
    each = 1 if control.shape == "reduced" else 3
    return hosts * _OF_A_COMPUTE[control.shape] + (control.api + control.conductor + control.scheduler) * each


def check(control: Control, hosts: int) -> None:
    """Raise the soft limit as far as allowed. Raises UsageError when it is too low for the cloud."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = needed(control, hosts) + _OTHERS
    if soft < hard or hard == resource.RLIM_INFINITY:
        target = hard if hard != resource.RLIM_INFINITY else max(soft, wanted * 2)
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
        soft = target
    if wanted > soft:
        raise UsageError(
            f"{hosts:,} hosts need {wanted:,} file descriptors and this process may have {soft:,}: raise the limit "
            "(ulimit -n), emulate fewer hosts, or take the reduced shape."
        )
