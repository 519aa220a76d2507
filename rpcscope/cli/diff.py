"""`rpcscope diff`: what became of the RPCs from one recording to another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rpcscope.cli.labels import labels
from rpcscope.cli.options import rules_option, the_rules
from rpcscope.errors import UsageError

if TYPE_CHECKING:
    from rpcscope.compare.comparison import Comparison

FORMATS = ("table", "json", "markdown", "junit")
ANY, UNTOLD = "any", "untold"
CHANGES = ("added", "gone", "more", "fewer", "slower", "faster", "larger", "smaller", "failing", "mended")
_SHARE = click.FloatRange(0, 1, min_open=True)


def _limits(command: Callable[..., Any]) -> Callable[..., Any]:
    options = (
        click.option("--false-alarms", type=_SHARE, default=0.05, show_default=True,
                     help="Share of comparisons of equal sides that may find anything by a test."),
        click.option("--least-operations", type=click.IntRange(1), default=5, show_default=True,
                     help="On each side, before a difference without exception is a finding."),
        click.option("--least-count", type=click.FloatRange(0), default=0.1, show_default=True,
                     help="Messages more or fewer in an operation, on average."),
        click.option("--least-slower", type=click.FloatRange(0), default=25.0, show_default=True,
                     help="Per cent of the shorter median."),
        click.option("--least-ms", type=click.FloatRange(0), default=5.0, show_default=True,
                     help="Milliseconds that the medians are apart."),
        click.option("--least-larger", type=click.FloatRange(0), default=10.0, show_default=True,
                     help="Per cent of the median size in A."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.command("diff")
@click.argument("a")
@click.argument("b", required=False)
@click.option("--label-a", "labels_a", multiple=True, metavar="KEY=VALUE", help="Of A, recordings with this label.")
@click.option("--label-b", "labels_b", multiple=True, metavar="KEY=VALUE", help="Of B, likewise.")
@click.option("--label", "labels_both", multiple=True, metavar="KEY=VALUE", help="Of both.")
@click.option("--kind", help="Only operations of this kind, such as create.")
@click.option("--all", "background", is_flag=True, help="Timers and start-up too.")
@click.option("--by", type=click.Choice(["request", "cause"]), default="request", show_default=True,
              help="Count what carries the operation's request id, or what it made happen.")  # fmt: skip
@click.option(
    "--most", type=click.IntRange(1), default=500, show_default=True, help="Operations of one kind, the newest."
)
@_limits
@click.option(
    "--fail-on",
    multiple=True,
    metavar="CHANGE",
    help=f"Exit with 1 on one of {', '.join(CHANGES)}, {ANY}; or {UNTOLD}: a kind was not compared.",
)
@click.option("--format", "format_", type=click.Choice(FORMATS), default="table", show_default=True)
@rules_option()
def diff_command(
    a: str, b: str | None, labels_a: tuple[str, ...], labels_b: tuple[str, ...], labels_both: tuple[str, ...],
    kind: str | None, background: bool, by: str, most: int, fail_on: tuple[str, ...], format_: str,
    rules: tuple[Path, ...], **limits: Any,
) -> int:  # fmt: skip
    """What changed from A to B, per kind of operation and per method.

    A and B are databases (a file or a URL) or capture files; @FROM..TO behind one narrows it to a time. With
    --label-a and --label-b both may be recordings of one database A. Added, gone, more, fewer, slower, faster,
    larger, smaller, failing, mended: each with the test that found it. What can not be told is said.
    """
    from rpcscope.cli.sides import side
    from rpcscope.compare.comparison import compare
    from rpcscope.compare.newest import Reading

    asked = _asked(fail_on)
    both = labels(labels_both)
    of_a, of_b = both | labels(labels_a, "--label-a"), both | labels(labels_b, "--label-b")
    if b is None and of_a == of_b:
        raise UsageError("diff wants two sides: name A and B, or one database with --label-a and --label-b")
    reading = Reading(most=most, kind=kind, background=background, by_cause=by == "cause")
    known = the_rules(rules)
    sides = side(a, of_a, reading, known), side(a if b is None else b, of_b, reading, known)
    found = compare(*sides, _thresholds(limits))
    _put(found, format_, asked)
    return int(_fails(found, asked))


def _asked(given: tuple[str, ...]) -> set[str]:
    words = {word.strip() for text in given for word in text.split(",")}
    if unknown := sorted(words - {*CHANGES, ANY, UNTOLD}):
        raise UsageError(f"--fail-on does not know {unknown[0]!a}: write some of {', '.join((*CHANGES, ANY, UNTOLD))}")
    return words


def _thresholds(given: dict[str, Any]) -> Any:
    from rpcscope.compare.thresholds import Thresholds

    return Thresholds(
        false_alarms=given["false_alarms"], operations=given["least_operations"], count=given["least_count"],
        slower=given["least_slower"] / 100, slower_ms=given["least_ms"], larger=given["least_larger"] / 100,
    )  # fmt: skip


def _fails(found: Comparison, asked: set[str]) -> bool:
    changes = {one.change.value for one in found.findings}
    differs = bool(changes & asked) or (ANY in asked and bool(changes))
    unsure = not found.kinds or any(one.is_whole or one.hints for one in found.untold)
    return differs or (UNTOLD in asked and unsure)


def _put(found: Comparison, format_: str, asked: set[str]) -> None:
    from rpcscope.cli import output
    from rpcscope.cli.diff_files import as_junit, as_markdown
    from rpcscope.cli.diff_view import print_comparison

    if format_ == "json":
        output.put_json(found.as_dict())
    elif format_ == "markdown":
        click.echo(as_markdown(found), nl=False)
    elif format_ == "junit":
        click.echo(as_junit(found, asked), nl=False)
    else:
        print_comparison(found)
