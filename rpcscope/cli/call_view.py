"""Lists of calls."""

from __future__ import annotations

from collections.abc import Sequence

from rpcscope.cli.fit import put_table
from rpcscope.cli.gap_view import marked, print_gaps
from rpcscope.cli.output import UNSEEN, at_least, cell, console, number, table
from rpcscope.query.calls import KIND_WORDS, CallView
from rpcscope.query.gaps import Loss
from rpcscope.query.times import iso, ms

_SPARE = ("bytes", "outcome", "published", "from")


def print_calls(views: list[CallView], *, capped: int | None, missed: Sequence[Loss] = ()) -> None:
    """A line per call, cast and fanout. `missed`: what touches the time that is listed."""
    if not views:
        console().print("No call matches. `--all` shows those of timers and start-up too.")
        print_gaps([missed], "calls may be missing")
        return
    lines = table("published", "kind", "method", "from", "to", ">total ms", ">bytes", "outcome")
    for view in views:
        c = view.call
        lines.add_row(
            cell((iso(c.published_ns) or "")[:23]), KIND_WORDS[c.kind], cell(c.method), cell(view.sender),
            cell(view.worker),
            number(ms(view.total_ns), 1) or ("?" if view.reply_is_unseen else ""),
            marked(_bytes(view), view.gaps),
            cell(c.failure or view.outcome_word),
        )  # fmt: skip
    put_table(lines, spare=_SPARE, fold="method")
    print_gaps([missed], "calls, and replies to these, may be missing")
    if any(view.requests_only for view in views):
        console().print(f"?: {UNSEEN}")
    if capped is not None and len(views) == capped:
        console().print(f"The oldest {capped}; --all for all, --since for later ones.")


def _bytes(view: CallView) -> str:
    if view.bytes_untold:
        return "?"
    return at_least(number(view.call.request_bytes + view.call.reply_bytes), unseen=view.reply_is_unseen)
