"""A comparison as Markdown, for a review, and as JUnit's XML, for a CI server."""

from __future__ import annotations

from collections.abc import Iterator

from rpcscope.cli.diff_view import counted
from rpcscope.cli.junit import Case, junit
from rpcscope.compare.comparison import Comparison
from rpcscope.compare.finding import Finding
from rpcscope.compare.kind import KindPair
from rpcscope.compare.words import confidence, headline, promise, sentence, subject, value, what

_ROW = "| {} | {} | {} | {} | {} |\n"


def as_markdown(found: Comparison) -> str:
    """Sides, a table for each kind that differs, what can not be told."""
    return "".join(_markdown(found))


def _markdown(found: Comparison) -> Iterator[str]:
    yield f"# RPCs: A to B\n\n* A: {_plain(found.a.name)}\n* B: {_plain(found.b.name)}\n"
    for pair in found.kinds:
        mine = [one for one in found.findings if one.kind == pair.kind]
        yield f"\n## {_plain(counted(pair))}\n\n"
        if told := headline(mine):
            yield f"{_plain(told)}\n\n"
        if mine:
            yield _ROW.format("Change", "What", "A", "B", "How sure") + _ROW.format(*["---"] * 5)
            for one in mine:
                cells = (one.change.value, what(one), value(one, one.a), value(one, one.b), confidence(one))
                yield _ROW.format(*map(_plain, cells))
        elif not pair.why_not:
            yield "No difference found.\n"
        for untold in (one for one in found.untold if one.kind == pair.kind):
            yield f"\nNot told: {_plain(untold.why)}.\n"
            yield from (f"* seen, and not sure: {_plain(_told(hint))}\n" for hint in untold.hints)
    yield f"\n{promise(found.limits.false_alarms)}\n"


def _told(one: Finding) -> str:
    return f"{one.change} {what(one)}: {sentence(one)}"


def _plain(text: str) -> str:
    """Names of the wire are no markup."""
    return "".join(f"\\{one}" if one in "\\`*_[]<>|#" else one for one in text)


def as_junit(found: Comparison, fail_on: set[str]) -> str:
    """A suite for each kind; a case for the operation as a whole and for each method that was compared.

    Args:
        fail_on: changes that fail a case; when empty, all do.
    """
    return junit(
        "rpcscope.diff", {pair.kind or "unattributed": list(_cases(found, pair, fail_on)) for pair in found.kinds}
    )


def _cases(found: Comparison, pair: KindPair, fail_on: set[str]) -> Iterator[Case]:
    if pair.why_not:
        is_asked = "untold" in fail_on
        why = f"{pair.kind or 'unattributed'} is {pair.why_not}"
        yield Case(name="the operation", failure=why if is_asked else "", skipped=pair.why_not)
        return
    told = [one for one in found.findings if one.kind == pair.kind and _fails(one, fail_on)]
    failures: dict[str, list[str]] = {}
    for one in told:
        failures.setdefault(subject(one), []).append(f"{_told(one)} ({confidence(one)})")
    why = next((one.why for one in found.untold if one.kind == pair.kind), "")
    methods = sorted({method for side in pair.samples for one in side for method in one.methods})
    for name in ("the operation", *(f"{method.kind} {method}" for method in methods)):
        yield Case(name=name, failure="\n".join(failures.get(name, ())), skipped=why if name == "the operation" else "")


def _fails(one: Finding, fail_on: set[str]) -> bool:
    return not fail_on or "any" in fail_on or one.change.value in fail_on
