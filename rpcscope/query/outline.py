"""One operation as plain text, for a ticket or a mail."""

from __future__ import annotations

from rpcscope.model import MessageKind, Outcome
from rpcscope.query.calls import KIND_WORDS, CallView
from rpcscope.query.counting import counted
from rpcscope.query.gap_words import blind
from rpcscope.query.stages import begin
from rpcscope.query.times import iso, ms
from rpcscope.query.trace import Trace

_DEEPEST = 20


def outline(trace: Trace) -> str:
    """A head, and a line for each call with its time since the start."""
    view, whole = trace.operation, trace.operation.whole
    took = ms(view.duration_ns)
    head = [whole.kind or "unattributed", view.status.name.lower(), whole.error, f"{took:,.1f} ms" if took else ""]
    lines = [
        "  ".join(text for text in head if text),
        f"{whole.request_id}  {iso(whole.started_ns)}",
        counted(view),
        *(f"server {instance}" for instance in whole.instances),
        *([f"{blind(view.gaps)}: calls may be missing"] if view.gaps else []),
        "",
    ]
    lines += [_line(node.view, depth, trace.from_ns) for depth, node in trace.walk()]
    if trace.is_cut:
        lines.append("...and more calls")
    return "\n".join("".join(map(_visible, line)) for line in lines) + "\n"


def _line(view: CallView, depth: int, from_ns: int) -> str:
    call = view.call
    offset = ms(begin(call) - from_ns) or 0.0
    target = f"every {call.topic}" if call.kind is MessageKind.FANOUT else str(view.worker)
    parts = [f"{call.method or 'reply'}  {view.sender} > {target}", *_times(view)]
    if call.failure or view.outcome not in (Outcome.OK, Outcome.NONE):
        parts.append(call.failure or view.outcome_word.replace("_", " "))
    return f"{offset:10,.1f} ms  {'  ' * min(depth, _DEEPEST)}{KIND_WORDS[call.kind]} {'  '.join(parts)}"


def _times(view: CallView) -> list[str]:
    total, wait = ms(view.total_ns), ms(view.broker_wait_ns)
    found = [f"{total:,.1f} ms"] if total is not None else []
    return found + ([f"(queue {wait:,.1f} ms)"] if wait is not None else [])


def _visible(character: str) -> str:
    return character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
