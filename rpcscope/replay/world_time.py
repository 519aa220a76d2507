"""Templates in the time of a world that runs faster than the wall's clock.

A broker does not get faster with the world: service times, and how long callers wait, stay as they are on the wall.
In a world of speed 10 they take ten times as long, which is what a plan for such a run has to reckon with.
"""

from __future__ import annotations

from math import log

import msgspec

from rpcscope.fleet.model import Control
from rpcscope.templates.model import Lognormal, Step, Template, Times

_DEFAULT_TIMEOUT_S = 60.0
"""Of oslo.messaging: a step recorded with it waits as long as the fleet's control plane says."""


def as_played(template: Template, control: Control, speed: float) -> Template:
    """A template whose times are those of the world in which a control plane plays it.

    Args:
        template: as it was learned.
        control: its factors of service times and its RPC timeout are put in.
        speed: seconds of the world in one of the wall's clock.
    """
    variants = tuple(
        msgspec.structs.replace(variant, roots=tuple(_step(root, control, speed, 1.0) for root in variant.roots))
        for variant in template.variants
    )
    return msgspec.structs.replace(template, variants=variants)


def _step(step: Step, control: Control, speed: float, delay_factor: float) -> Step:
    factors = control.service_times
    factor = factors.get(step.method, factors.get("*", 1.0))
    timeout_s = control.rpc_timeout_s if step.timeout_s == _DEFAULT_TIMEOUT_S else step.timeout_s
    return msgspec.structs.replace(
        step,
        delay=scaled(step.delay, speed * delay_factor),
        work=scaled(step.work, speed * factor),
        timeout_s=timeout_s * speed,
        steps=tuple(_step(child, control, speed, factor) for child in step.steps),
    )


def scaled(times: Times, factor: float) -> Times:
    """Times that are so many times as long."""
    fit = times.fit
    return Times(
        quantiles_s=tuple(value * factor for value in times.quantiles_s),
        fit=None if fit is None else Lognormal(mu=fit.mu + log(factor), sigma=fit.sigma, ks=fit.ks),
        count=times.count,
    )
