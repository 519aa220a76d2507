"""Findings in sentences, for every screen and file alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rpcscope.compare.finding import Change, Finding
from rpcscope.compare.measures import Scale
from rpcscope.compare.sample import Method
from rpcscope.compare.summary import Summary
from rpcscope.query.times import MS, SECOND

_WHAT = {
    "rpcs": "RPCs", "messages": "messages", "count": "", "duration": "duration", "bytes": "bytes",
    "failed": "failed operations", "failures": "failures",
}  # fmt: skip
_BECAME = {
    Change.ADDED: "is new", Change.GONE: "is gone", Change.MORE: "is more often", Change.FEWER: "is less often",
}  # fmt: skip
_KB = 1_000


def subject(finding: Finding) -> str:
    """What the number is of: `call conductor object_action(Instance.save)`, or the operation."""
    return "the operation" if finding.method is None else f"{finding.method.kind} {finding.method}"


def what(finding: Finding) -> str:
    """Its subject with its number: `RPCs of the operation`, `call conductor ping duration`."""
    if finding.method is None:
        return f"{measured(finding)} of the operation"
    return f"{subject(finding)} {measured(finding)}".rstrip()


def measured(finding: Finding) -> str:
    """Which number it is; "" of how often a method is used."""
    return _WHAT[finding.measure]


def value(finding: Finding, side: Summary) -> str:
    """The number of one side, with its unit."""
    if finding.scale is Scale.COUNT:
        return _count(side.mean) if side.is_constant else f"{_count(side.mean)} on average"
    if finding.scale is Scale.FAILURES:
        return f"{round(side.mean * side.operations) if side.most <= 1 else _count(side.mean)} of {side.operations:,}"
    return size(side.p50) if finding.scale is Scale.BYTES else took(side.p50)


def sentence(finding: Finding) -> str:
    """What was seen on each side."""
    a, b = finding.a, finding.b
    if finding.is_structural:
        what = f" {measured(finding)}" if finding.method is None else ""
        return f"in {_all(a)} of A {value(finding, a)}{what}, in {_all(b)} of B {value(finding, b)}"
    if finding.scale in (Scale.COUNT, Scale.FAILURES):
        return f"{value(finding, a)} in {_of(a)} of A, {value(finding, b)} in {_of(b)} of B"
    chance = max(finding.probability_larger, 1 - finding.probability_larger)
    usual = f"median {value(finding, a)} in {_of(a)} of A, {value(finding, b)} in {_of(b)} of B"
    return f"{usual}; one of B is {finding.change} than one of A with a chance of {chance:.0%}"


def confidence(finding: Finding) -> str:
    """How sure it is."""
    if finding.p is None:
        return "without exception, no test"
    return f"{finding.test}, p = {finding.p:.2g}, corrected {finding.corrected_p:.2g}"


def briefly(finding: Finding) -> str:
    """The same in a few characters."""
    return "without exception" if finding.corrected_p is None else f"p = {finding.corrected_p:.2g}"


def headline(findings: Iterable[Finding]) -> str:
    """Of one kind: what its RPCs became without exception, and which methods did it; "" where it is not so plain."""
    known = [one for one in findings if one.is_structural]
    whole = next((one for one in known if one.method is None and one.measure in ("rpcs", "messages")), None)
    return "" if whole is None else sentence(whole) + _because(known)


def _because(findings: Sequence[Finding]) -> str:
    by_change: dict[Change, list[Method]] = {}
    for one in findings:
        if one.method is not None and one.measure == "count":
            by_change.setdefault(one.change, []).append(one.method)
    told = [f"{_names(methods)} {_became(change, methods)}" for change, methods in by_change.items()]
    return f": {'; '.join(told)}" if told else ""


def _names(methods: Sequence[Method]) -> str:
    shown = ", ".join(map(str, methods[:3]))
    return f"{shown} and {len(methods) - 3} more" if len(methods) > 3 else shown


def _became(change: Change, methods: Sequence[Method]) -> str:
    one = _BECAME[change]
    return one if len(methods) == 1 else one.replace("is ", "are ", 1)


def _all(side: Summary) -> str:
    return "the one" if side.operations == 1 else f"all {side.operations:,}"


def _of(side: Summary) -> str:
    return "1 operation" if side.operations == 1 else f"{side.operations:,} operations"


def _count(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) else f"{number:,.2f}"


def took(ns: float) -> str:
    """A duration with its unit."""
    return f"{ns / SECOND:,.2f} s" if ns >= SECOND else f"{ns / MS:,.1f} ms"


def size(count: float) -> str:
    """Bytes with their unit."""
    return f"{count / _KB:,.1f} kB" if count >= _KB else f"{count:,.0f} bytes"


def promise(alpha: float) -> str:
    """What the tests promise."""
    return (
        f"Tests: were A and B equal, at most {alpha * 100:g} of 100 such comparisons would find anything by a test"
        " (Holm's correction of the tests that could have been significant, by Tarone's rule)."
    )
