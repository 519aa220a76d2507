"""A comparison on a screen."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from rpcscope.cli import output
from rpcscope.cli.fit import put_table
from rpcscope.cli.gap_view import print_gaps
from rpcscope.compare.comparison import Comparison
from rpcscope.compare.finding import Change, Finding
from rpcscope.compare.kind import KindPair
from rpcscope.compare.population import KindSide, Population
from rpcscope.compare.words import confidence, headline, promise, sentence, value, what

_BAD = (Change.ADDED, Change.MORE, Change.SLOWER, Change.LARGER, Change.FAILING)


def print_comparison(found: Comparison) -> None:
    """The sides, each kind that differs, what can not be told, what the tests promise."""
    screen = output.console()
    for letter, side in (("A", found.a), ("B", found.b)):
        screen.print(Text.assemble((f"{letter}  ", "bold"), _side(side)))
    for pair in found.kinds:
        mine = [one for one in found.findings if one.kind == pair.kind]
        if mine:
            _print_kind(pair, mine)
    unsure = {one.kind for one in found.untold if one.is_whole or one.hints} | {one.kind for one in found.findings}
    same = [pair for pair in found.kinds if pair.kind not in unsure]
    screen.print()
    if same:
        screen.print(output.cell("No difference found: " + "; ".join(map(counted, same)) + "."))
    elif not found.findings:
        screen.print("No difference that is sure." if found.tests else "Nothing could be compared.")
    _print_untold(found)
    screen.print(output.cell(promise(found.limits.false_alarms), "dim"))
    print_gaps([found.a.gaps, found.b.gaps])


def counted(pair: KindPair) -> str:
    """A kind with the operations of both sides."""
    return f"{pair.kind or 'unattributed'}: {_counted(pair.a, pair, 0)} in A, {_counted(pair.b, pair, 1)} in B"


def _counted(side: KindSide, pair: KindPair, place: int) -> str:
    left = [f"{side.touched:,} left out because a tap was blind"] if side.touched else []
    left += [f"{side.unfinished:,} not over"] if side.unfinished else []
    newest = "" if side.is_all else "the newest "
    return f"{newest}{len(pair.samples[place]):,}" + (f" ({', '.join(left)})" if left else "")


def _side(side: Population) -> str:
    said = [*side.labels, *side.conditions]
    return " · ".join([side.name, *said[:6]])


def _print_kind(pair: KindPair, findings: Sequence[Finding]) -> None:
    output.heading(counted(pair))
    screen = output.console()
    if told := headline(findings):
        screen.print(output.cell(told[0].upper() + told[1:] + "."))
    lines = output.table("change", "what", ">A", ">B", "how sure", "seen in B, for example")
    for one in findings:
        lines.add_row(
            output.cell(one.change.value, "bold yellow" if one.change in _BAD else "bold green"),
            output.cell(what(one)), value(one, one.a), value(one, one.b),
            output.cell(confidence(one)), output.cell(next(iter(one.examples_b), "")),
        )  # fmt: skip
    put_table(lines, spare=("seen in B, for example",), fold="what")


def _print_untold(found: Comparison) -> None:
    screen = output.console()
    if found.untold:
        screen.print(Text("Not told:", style="bold"))
    for one in found.untold:
        screen.print(output.cell(f"  {one.kind or 'unattributed'}: {one.why}."))
        for hint in one.hints:
            screen.print(output.cell(f"    seen, and not sure: {hint.change} {what(hint)}: {sentence(hint)}"))
