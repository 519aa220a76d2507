"""One operation as the text of a Mermaid sequence diagram.

Names come from the wire: only characters that mean nothing to Mermaid and to HTML are kept.
"""

from __future__ import annotations

import re

from rpcscope.model import MessageKind, Outcome
from rpcscope.query.lifelines import Arrow, lifelines
from rpcscope.query.times import ms
from rpcscope.query.trace import Trace

MOST = 500
"""Messages: more than Mermaid draws."""
_LONGEST = 60
_KEYWORD = re.compile(r"(?<![A-Za-z0-9])(end)(?![A-Za-z0-9])", re.IGNORECASE)
_UNSAFE = re.compile(r"[^A-Za-z0-9_.@()/*, ?-]+")


def mermaid(trace: Trace) -> str:
    """The diagram, with its first messages."""
    whole = trace.operation.whole
    found = lifelines(trace.calls, MOST)
    aliases = {name: f"p{place}" for place, name in enumerate(found.names)}
    lines = ["sequenceDiagram", f"    %% {_safe(whole.kind or 'unattributed')} {_safe(whole.request_id)}"]
    lines += [f"    participant {aliases[name]} as {_safe(name)}" for name in found.names]
    lines += [f"    {_arrow(arrow, aliases, trace.from_ns)}" for arrow in found.arrows]
    if found.left_out:
        lines.append(f"    Note over p0: {found.left_out} more messages are left out")
    return "\n".join(lines) + "\n"


def _arrow(arrow: Arrow, aliases: dict[str, str], from_ns: int) -> str:
    offset = ms(arrow.at_ns - from_ns) or 0.0
    words = f"{_safe(arrow.words)} at {offset:,.1f} ms"
    return f"{aliases[arrow.source]}{_head(arrow)}{aliases[arrow.target]}: {words}"


def _head(arrow: Arrow) -> str:
    """Filled for calls, open for casts, dashed for replies, a cross for what was never answered."""
    view = arrow.view
    if arrow.is_reply:
        return "--x" if view.call.failure else "-->>"
    if view.call.kind is not MessageKind.REQUEST:
        return "-)"
    return "-x" if view.outcome in (Outcome.TIMED_OUT, Outcome.UNANSWERED) and view.call.replied_ns is None else "->>"


def _safe(text: str) -> str:
    cleaned = _UNSAFE.sub("_", text.replace(":", " "))[:_LONGEST].strip()
    return _KEYWORD.sub(r"(\1)", cleaned) or "?"
