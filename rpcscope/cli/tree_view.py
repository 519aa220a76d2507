"""One operation as a tree on the terminal."""

from __future__ import annotations

from rich.text import Text
from rich.tree import Tree

from rpcscope.cli.operation_view import END_MISSED, STYLES
from rpcscope.cli.output import at_least, cell, console, size
from rpcscope.model import Flag, MessageKind, Outcome, ParentSource
from rpcscope.query.calls import KIND_WORDS, CallView
from rpcscope.query.four import Four
from rpcscope.query.gap_words import blind
from rpcscope.query.ids import recording_of
from rpcscope.query.operations import OperationView, Owed
from rpcscope.query.times import iso, ms
from rpcscope.query.tree import Node, walk


def _taker(owed: Owed) -> str:
    return owed.process or ("somebody" if owed.taker_unseen else "nobody")


def print_tree(view: OperationView, roots: list[Node], others: list[CallView]) -> None:
    """A head line, the tree, and what is left over."""
    screen = console()
    began = view.whole.started_ns
    tree = Tree(_head(view), guide_style="dim")
    stack = [(tree, node) for node in reversed(roots)]
    while stack:
        branch, node = stack.pop()
        grown = branch.add(_line(node.view, began))
        stack.extend((grown, child) for child in reversed(node.children))
    screen.print(tree)
    screen.print(_foot(view, [node.view for _, node in walk(roots)]), style="dim")
    if others:
        screen.print(f"{len(others)} more calls carry this request id and were caused by other operations.")


def _head(view: OperationView) -> Text:
    o, t = view.whole, view.whole.by_request
    status = view.status.name.lower()
    head = Text.assemble((o.kind or "unknown kind", "bold"), "  ", (status, STYLES.get(status, "green")))
    if o.error:
        head.append(f" {o.error}", "red")
    duration = ms(view.duration_ns)
    head.append(f"  {duration:,.0f} ms" if duration is not None else "")
    head.append(f"\n{o.request_id}  {iso(o.started_ns)}")
    if o.source_host or o.dest_host:
        head.append(f"  {o.source_host or '-'} > {o.dest_host or '-'}")
    unseen = view.requests_only
    replies = "?" if unseen else t.replies
    head.append(f"\n{'at least ' if view.gaps else ''}{at_least(str(t.messages), unseen=unseen)} messages = ")
    head.append(f"{t.calls} calls + {t.casts} casts + {t.fanouts} fanouts + {replies} replies")
    for count, word in ((t.heartbeats, "heartbeats"), (t.notifications, "notifications")):
        head.append(f" + {count} {word}" if count else "")
    head.append(f", {at_least(size(t.bytes), unseen=unseen)}" if t.bytes or not t.messages else "")
    if o.by_cause.messages != t.messages:
        head.append(f"; {at_least(str(o.by_cause.messages), unseen=unseen)} by cause")
    for server in o.instances[:5]:
        head.append(f"\nserver {server}")
    if view.owed is not None:
        head.append(f"\nwaits for {view.owed.method} of {_taker(view.owed)} {view.owed.host}", "bold red")
    if view.gaps:
        head.append(f"\n{blind(view.gaps)}: calls may be missing", "red")
    if view.is_in_doubt:
        head.append(f"\n{END_MISSED}", "red")
    return head


def _counted(number: int, word: str) -> str:
    if word == "replies":
        return f"{number} repl{'y' if number == 1 else 'ies'}"
    return f"{number} {word}{'' if number == 1 else 's'}"


def _line(view: CallView, began: int) -> Text:
    c = view.call
    at = ms((c.published_ns or c.last_ns) - began) or 0.0
    line = Text.assemble((f"{at:9,.1f} ms ", "cyan"), (f"{KIND_WORDS[c.kind]:6} ", "dim"), (c.method, "bold"))
    line.append(f"  {view.sender} > {_worker(view)}")
    for words in _times(view):
        line.append(f"  {words}", "dim")
    if not view.bytes_untold:
        line.append(f"  {at_least(size(c.request_bytes + c.reply_bytes), unseen=view.reply_is_unseen)}", "dim")
    if c.failure:
        line.append(f"  {c.failure}", "yellow" if c.flags & Flag.EXPECTED_FAILURE else "red")
    elif view.outcome_word not in ("ok", ""):
        line.append(f"  {view.outcome_word}", "dim" if view.outcome is Outcome.NONE else "red")
    if c.parent_source is ParentSource.TRACEPARENT:
        line.append("  (traced)", "dim")
    if view.repaired:
        line.append(f"  ({view.repaired})", "dim")
    return line


def _worker(view: CallView) -> str:
    c = view.call
    if c.kind is not MessageKind.FANOUT:
        return str(view.worker)
    return f"every {c.topic} ({c.copies or '?'} cop{'y' if c.copies == 1 else 'ies'} seen)"


def _times(view: CallView) -> list[str]:
    if view.four is not None and view.four.pool_wait_ns is not None:
        return _told(view.four)
    total, wait, server = ms(view.total_ns), ms(view.broker_wait_ns), ms(view.server_ns)
    found = [f"{total:,.1f} ms"] if total is not None else []
    if wait is not None and server is not None:
        found.append(f"(queue {wait:,.1f}, server {server:,.1f})")
    elif wait is not None:
        found.append(f"(queue {wait:,.1f})")
    return found


def _told(four: Four) -> list[str]:
    """The four durations, as the processes tell them; ? is unknown."""
    total = ms(four.total_ns)
    parts = [
        ("queue", four.broker_wait_ns),
        ("pool", four.pool_wait_ns),
        ("execution", four.execution_ns),
        ("reply", four.reply_wait_ns if total is not None else None),
    ]
    known = [f"{word} {ms(ns):,.1f}" if ns is not None else f"{word} ?" for word, ns in parts]
    found = [f"{total:,.1f} ms"] if total is not None else []
    return [*found, f"({', '.join(known if total is not None else known[:3])})"]


def _foot(view: OperationView, calls: list[CallView]) -> Text:
    several = len({recording_of(number) for number in view.ids}) > 1
    return cell(
        "since the start, kind, method, who > who, time to the reply (in the queue, in the server), bytes both ways"
        + ("\nseveral recorders saw it: where they run on several hosts, their clocks may differ" if several else "")
        + _good_to([one.four for one in calls if one.four is not None])
    )


def _good_to(told: list[Four]) -> str:
    """What the words of processes are, and how good."""
    if not told:
        return ""
    errors = [one.error_ns for one in told if one.error_ns is not None]
    worst_ms = max(ms(max(errors, default=0)) or 0.0, 0.001)
    good = f"; queue and reply are good to {worst_ms:,.3f} ms: clocks differ" if any(errors) else ""
    unsure = "; of some it is not known how far their clocks differ" if len(errors) < len(told) else ""
    words = "(in the queue, waiting for a thread of the pool, execution, the reply on its way)"
    return f"\nwhere processes told of themselves: {words}{good}{unsure}"
