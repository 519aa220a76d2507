"""One operation as an ASCII sequence of messages."""

from __future__ import annotations

from rpcscope.cli.output import PLAIN_WIDTH, console
from rpcscope.query.calls import CallView, End
from rpcscope.query.operations import OperationView
from rpcscope.query.times import ms
from rpcscope.query.tree import Node, walk

WIDTH, NARROWEST = 26, 14
"""Columns between two lifelines: wide enough for most method names, and what a narrow terminal leaves."""
_TIME = 12


def print_sequence(view: OperationView, roots: list[Node]) -> None:
    """Lifelines side by side, an arrow for each request and each reply, in order of time."""
    for line in sequence(view, roots, console().width):
        print(line.rstrip())


def sequence(view: OperationView, roots: list[Node], columns: int = PLAIN_WIDTH) -> list[str]:
    """The lines of the picture, of at most so many columns if that can be."""
    views = sorted((node.view for _, node in walk(roots)), key=lambda v: v.call.published_ns or v.call.last_ns)
    lifelines = _lifelines(views)
    arrows = sorted(_arrows(views), key=lambda arrow: arrow[0])
    step = max(NARROWEST, min(WIDTH, (columns - _TIME) // max(1, len(lifelines))))
    head = " " * _TIME + "".join(f"{name[: step - 2]:<{step}}" for name in lifelines)
    lines = [f"{view.whole.kind}  {view.whole.request_id}", "", head]
    for at, source, target, words in arrows:
        offset = ms(at - view.whole.started_ns) or 0.0
        lines.append(f"{offset:9,.1f}   {_arrow(lifelines, source, target, words, step)}")
    return lines


def _lifelines(views: list[CallView]) -> list[str]:
    """Processes by their first appearance."""
    names: dict[str, None] = {}
    for view in views:
        names[_name(view.sender)] = None
        names[_target(view)] = None
    return list(names)


def _arrows(views: list[CallView]) -> list[tuple[int, str, str, str]]:
    found = []
    for view in views:
        c, source, target = view.call, _name(view.sender), _target(view)
        if c.published_ns is not None:
            found.append((c.published_ns, source, target, _short(c.method)))
        if c.replied_ns is not None:
            found.append((c.replied_ns, target, source, c.failure or "."))
    return found


def _short(method: str) -> str:
    """object_action(Instance.save) as Instance.save."""
    return method.partition("(")[2].rstrip(")") or method


def _name(end: End) -> str:
    return str(end)


def _target(view: CallView) -> str:
    if view.call.kind.name == "FANOUT":
        return f"all {view.call.topic}"
    return _name(view.worker) if view.worker.process or view.worker.host else f"queue {view.call.topic}"


def _arrow(lifelines: list[str], source: str, target: str, words: str, step: int) -> str:
    a, b = lifelines.index(source), lifelines.index(target)
    row = [" "] * (step * len(lifelines) + len(words) + 4)
    for index in range(len(lifelines)):
        row[index * step] = "|"
    if a == b:
        row[a * step + 1 : a * step + 3 + len(words)] = f" {words} "
        return "".join(row)
    left, right = min(a, b) * step, max(a, b) * step
    fill = "." if words == "." else "-"
    row[left + 1 : right] = fill * (right - left - 1)
    if words != ".":
        text = f" {words[: right - left - 5]} "
        row[left + 2 : left + 2 + len(text)] = text
    row[right - 1 if b > a else left + 1] = ">" if b > a else "<"
    return "".join(row)
