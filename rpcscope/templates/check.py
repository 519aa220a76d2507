"""What a template must hold beyond the types of its fields. People edit these files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import isclose, isfinite

from rpcscope.templates.measured import MOST_QUANTILES
from rpcscope.templates.model import DEST, EVERY_INSTANCE, FORMAT, SOURCE, Sizes, Step, Template, Times, Variant

SHARES = 1e-3
"""How far from 1 shares may add up."""
LONGEST = 255
"""Characters of a name."""
MOST_BYTES = 1 << 30
"""Of one body."""
_ROLES = ("", SOURCE, DEST)
Problem = tuple[str, str]
"""Path inside the template, and what is wrong there."""


def problems(template: Template) -> Iterator[Problem]:
    """All that is wrong, from the top."""
    if template.format != FORMAT:
        yield "format", f"format {template.format} is not known here (this rpcscope reads {FORMAT})"
    yield from _name("kind", template.kind)
    if not template.kind:
        yield "kind", "it is empty"
    if template.instances < 0:
        yield "instances", "it is negative"
    if template.interval_s is not None and not (isfinite(template.interval_s) and template.interval_s > 0):
        yield "interval_s", "it must be above 0"
    if not template.variants:
        yield "variants", "there is none"
    for number, variant in enumerate(template.variants):
        yield from _variant(f"variants[{number}]", variant, template.instances)
    total = sum(variant.share for variant in template.variants)
    if template.variants and not isclose(total, 1, abs_tol=SHARES):
        yield "variants", f"their shares add up to {total:g} and not to 1"


def _variant(path: str, variant: Variant, instances: int) -> Iterator[Problem]:
    if not 0 <= variant.share <= 1:
        yield f"{path}.share", "it must lie between 0 and 1"
    if variant.operations < 0:
        yield f"{path}.operations", "it is negative"
    yield from _name(f"{path}.error", variant.error)
    if not variant.roots:
        yield f"{path}.roots", "there is none"
    for number, root in enumerate(variant.roots):
        if not root.sender:
            yield f"{path}.roots[{number}].sender", "a root must say which service sends it: api, conductor, compute"
    yield from _steps(f"{path}.roots", variant.roots, instances)


def _steps(path: str, steps: Sequence[Step], instances: int) -> Iterator[Problem]:
    ending = {step.wait for step in steps if step.repeats_s is None}
    for number, step in enumerate(steps):
        mine = f"{path}[{number}]"
        if step.wait and step.wait not in ending:
            yield f"{mine}.wait", f"no step beside it ends the wait {step.wait}: one that names it without repeats_s"
        if not -1 <= step.after < number:
            yield f"{mine}.after", f"{step.after} is no sibling before it: give -1 to {number - 1}"
        elif step.after >= 0 and steps[step.after].repeats_s is not None and step.repeats_s is None:
            yield f"{mine}.after", f"step {step.after} repeats, so nothing can wait for its end"
        yield from _step(mine, step, instances)
        for below, child in enumerate(step.steps):
            if child.sender or child.sender_host:
                yield f"{mine}.steps[{below}].sender", "only a root has a sender; who handles the parent sends it"
        yield from _steps(f"{mine}.steps", step.steps, instances)


def _step(path: str, step: Step, instances: int) -> Iterator[Problem]:
    for field in ("method", "topic"):
        if not getattr(step, field):
            yield f"{path}.{field}", "it is empty"
    for field in ("method", "topic", "exchange", "namespace", "version", "sender", "failure", "wait", "detail"):
        yield from _name(f"{path}.{field}", getattr(step, field))
    for field in ("host", "sender_host"):
        if getattr(step, field) not in _ROLES:
            yield f"{path}.{field}", f"a host is {SOURCE} or {DEST}, never a name"
    if step.kind == "fanout" and (step.host or step.exchange):
        yield path, "a fanout goes to all of its topic: leave host and exchange out"
    if step.kind != "call" and (step.reply.quantiles or step.failure):
        yield path, f"a {step.kind} has no reply and no failure: leave them out"
    if not (isfinite(step.timeout_s) and step.timeout_s > 0):
        yield f"{path}.timeout_s", "it must be above 0"
    if not EVERY_INSTANCE <= step.instance < max(1, instances):
        yield f"{path}.instance", f"there are {instances} servers: give 0 to {max(1, instances) - 1}, or leave it out"
    yield from _repeats(path, step)
    for field in ("delay", "work"):
        yield from _times(f"{path}.{field}", getattr(step, field))
    for field in ("request", "reply"):
        yield from _sizes(f"{path}.{field}", getattr(step, field))


def _repeats(path: str, step: Step) -> Iterator[Problem]:
    if step.repeats_s is None:
        return
    if not (isfinite(step.repeats_s) and step.repeats_s > 0):
        yield f"{path}.repeats_s", "it must be above 0"
    if not step.wait:
        yield f"{path}.repeats_s", "a step that repeats must name the wait in which it does"


def _times(path: str, times: Times) -> Iterator[Problem]:
    yield from _ascending(f"{path}.quantiles_s", times.quantiles_s)
    if times.count < 0:
        yield f"{path}.count", "it is negative"
    fit = times.fit
    if fit is not None and not (abs(fit.mu) <= 50 and 0 <= fit.sigma <= 10 and 0 <= fit.ks <= 1):
        yield f"{path}.fit", "mu must lie within -50 and 50, sigma within 0 and 10, ks within 0 and 1"


def _sizes(path: str, sizes: Sizes) -> Iterator[Problem]:
    yield from _ascending(f"{path}.quantiles", sizes.quantiles)
    if any(size > MOST_BYTES for size in sizes.quantiles):
        yield f"{path}.quantiles", f"no body has more than {MOST_BYTES:,} bytes"


def _ascending(path: str, values: Sequence[float]) -> Iterator[Problem]:
    if len(values) > MOST_QUANTILES:
        yield path, f"it has more than {MOST_QUANTILES} values"
    if not all(isfinite(value) and value >= 0 for value in values):
        yield path, "a value is negative or no number"
    elif any(before > after for before, after in pairwise(values)):
        yield path, "the values must not fall"


def _name(path: str, text: str) -> Iterator[Problem]:
    if len(text) > LONGEST or not text.isprintable():
        yield path, f"it must be printable, and have {LONGEST} characters at most"
