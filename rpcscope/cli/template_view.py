"""A template on the terminal: its variants as trees."""

from __future__ import annotations

from rich.text import Text
from rich.tree import Tree

from rpcscope.cli.output import cell, console, size
from rpcscope.templates.counts import count, size_of
from rpcscope.templates.model import Step, Template, Times, Variant
from rpcscope.templates.sample import quantile
from rpcscope.templates.tree import role_of_topic
from rpcscope.templates.written import FAKE

_MS = 1e3
_FOOT = (
    "kind, method, who > whom, median wait before it, median work after its last step, bytes both ways. A step begins "
    "after the one before it, where nothing else is said; steps beside each other are numbered from 1. What repeats "
    "is in no count."
)


def print_template(template: Template) -> None:
    """A head, and a tree for each variant."""
    screen = console()
    known = template.provenance
    screen.print(Text.assemble((template.kind, "bold"), f"  {_about(template)}"))
    told = [
        f"from {known.operations:,} recorded operation{'s' * (known.operations != 1)}",
        known.release,
        f"driver {known.driver}" * bool(known.driver),
    ]
    screen.print(cell(", ".join(filter(None, told))))
    if known.driver == "fake":
        screen.print(cell(FAKE, "yellow"))
    if known.conditions:
        screen.print(cell(f"Conditions: {known.conditions}"))
    for number, variant in enumerate(template.variants, 1):
        screen.print()
        tree = Tree(_head(variant, number, len(template.variants)), guide_style="dim")
        for place, root in enumerate(variant.roots):
            _grow(tree, root, place, _at(root.sender, root.sender_host))
        screen.print(tree)
    screen.print(_FOOT, style="dim")


def _about(template: Template) -> str:
    words = [f"{template.instances} servers"] if template.instances > 1 else []
    if template.interval_s is not None:
        words.append(f"every {template.interval_s:g} s in each process")
    return ", ".join(words)


def _head(variant: Variant, number: int, of: int) -> Text:
    mine, cause = count(variant.roots), count(variant.roots, by_cause=True)
    head = Text.assemble((f"variant {number} of {of}", "bold"), f"  {variant.share:.1%} of operations")
    if variant.error:
        head.append(f"  failed {variant.error}", "red")
    head.append(f"\n{mine.messages} messages = {mine.calls} calls + {mine.casts} casts + {mine.fanouts} fanouts + ")
    head.append(f"{mine.replies} replies, {size(mine.bytes)}")
    if cause.messages != mine.messages:
        head.append(f"; {cause.messages} by cause")
    if variant.note:
        head.append(f"\n{variant.note}")
    return head


def _grow(branch: Tree, step: Step, place: int, sender: str) -> None:
    taker = f"every {step.topic}" if step.kind == "fanout" else _at(step.topic, step.host)
    grown = branch.add(_line(step, place, f"{sender} > {taker}"))
    for number, child in enumerate(step.steps):
        _grow(grown, child, number, _at(role_of_topic(step.topic), step.host))


def _line(step: Step, place: int, who: str) -> Text:
    line = Text.assemble((f"{step.kind:<6} ", "dim"), step.method, f"  {who}")
    if step.repeats_s is not None:
        line.append(f"  every {step.repeats_s:g} s of {step.wait}", "yellow")
    elif step.after < place - 1:
        line.append("  from the beginning" if step.after < 0 else f"  after step {step.after + 1}", "cyan")
    if step.wait and step.repeats_s is None:
        line.append(f"  once {step.wait} is over", "yellow")
    line.append(f"  {_median(step.delay, 'wait')}{_median(step.work, 'work')}{size(size_of(step))}")
    if step.failure:
        line.append(f"  {step.failure}", "red")
    if step.stale:
        line.append("  with the request id of its sender's start", "dim")
    return line


def _median(times: Times, word: str) -> str:
    return f"{word} {quantile(times.quantiles_s, 0.5) * _MS:,.1f} ms  " if times.quantiles_s else ""


def _at(service: str, host: str) -> str:
    return f"{service} @{host}" if host else service
