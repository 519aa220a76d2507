"""The page of one kind of operation under some conditions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from rpcscope import __version__
from rpcscope.model import Status
from rpcscope.query.alignment import Path
from rpcscope.query.ids import recording_of
from rpcscope.query.kind import KindShape
from rpcscope.query.kind_sample import UNSTATED
from rpcscope.query.kind_words import in_words
from rpcscope.query.lifelines import short
from rpcscope.query.mermaid import mermaid
from rpcscope.query.method_share import MethodShare
from rpcscope.query.oddity import RARE
from rpcscope.query.operations import OperationView
from rpcscope.query.times import iso
from rpcscope.query.trace import Trace
from rpcscope.query.usual_tree import UsualCall
from rpcscope_web.handbook.text import code, counted, lasting, plain, sized, spread, table
from rpcscope_web.words import plural, share

MOST_STEPS = 300
FAKE = (
    "> **Fake virt driver.** No hypervisor worked here: what a real one adds (ports, volumes, images, the time of the "
    "guest itself) is missing, in counts and in times."
)
NOTHING = "None is known: what carries the request id of these operations was caused by others, or is not stored."
BLANK = (
    "> **Conditions not stated.** Without release, driver and workers these numbers can not be compared with others."
)


def title(kind: str) -> str:
    """The kind in words, with its name."""
    words = in_words(kind)
    return f"{words.capitalize()} ({code(kind)})" if words else code(kind)


def sheet(shape: KindShape, conditions: str, trace: Trace | None, picture: str) -> str:
    """The page as Markdown.

    Args:
        trace: the operation that is shown.
        picture: where its picture is, from the page on.
    """
    parts = [f"# {title(shape.kind)}", f"Conditions: **{plain(conditions)}**.", *_warnings(shape, conditions)]
    parts += ["## What one costs", _costs(shape)]
    if trace is not None:
        parts += ["## Sequence", *_sequence(trace, picture)]
    if shape.tree.calls:
        parts += ["## Steps", *_steps(shape), "## Methods", _methods(shape)]
    else:
        parts += ["## Steps", NOTHING]
    parts += ["## How it was recorded", _provenance(shape, trace), "[All kinds](README.md)"]
    return "\n\n".join(parts) + "\n"


def _warnings(shape: KindShape, conditions: str) -> Iterator[str]:
    if conditions == UNSTATED:
        yield BLANK
    if re.search(r"\bfake", conditions, re.IGNORECASE):
        yield FAKE
    if shape.cost.requests_only:
        yield "> **Requests alone were seen.** What depends on replies and deliveries is not known of all operations."
    if shape.cost.touched:
        yield f"> **Counts may be too low.** A tap was blind during {plural(shape.cost.touched, 'operation')}."


def _costs(shape: KindShape) -> str:
    cost = shape.cost
    counts = (
        ("RPCs", cost.rpcs), ("calls", cost.calls), ("casts", cost.casts), ("fanouts", cost.fanouts),
        ("replies", cost.replies), ("heartbeats", cost.heartbeats), ("notifications", cost.notifications),
        ("messages", cost.messages), ("messages by cause", cost.messages_by_cause),
    )  # fmt: skip
    rows = [[name, *spread(one, counted)] for name, one in counts]
    rows += [["bodies", *spread(cost.bytes, sized)], ["duration", *spread(cost.duration_ms, lasting)]]
    return table(["Of one operation", "Median", "95th percentile", "Most"], rows)


def _sequence(trace: Trace, picture: str) -> Iterator[str]:
    yield f"![Messages between the services, by time]({picture})"
    yield "The operation that is most like the usual one. Times since it began; replies are dashed."
    yield f"<details><summary>The same as Mermaid</summary>\n\n```mermaid\n{mermaid(trace)}```\n\n</details>"


def _steps(shape: KindShape) -> Iterator[str]:
    tree = shape.tree
    usual = [one for one in tree.calls if one.share > RARE]
    numbers = _numbers([one.path for one in usual])
    head = [
        "Step",
        "Method",
        "Sort",
        "To",
        "Has it",
        "Begins after",
        "Took",
        "p95",
        "In the queue",
        "p95",
        "Request",
        "Reply",
    ]
    yield table(head, (_step(one, numbers[one.path]) for one in usual[:MOST_STEPS]), names=4)
    yield (
        f"{plural(tree.operations, 'operation')} laid over each other; 1.2 is caused by 1. Times are medians. Took: "
        "from the publish to the reply. `*`: it carries the request id of another operation, so it counts by cause."
    )
    left = len(tree.calls) - len(usual[:MOST_STEPS])
    if left:
        yield f"{plural(left, 'step is', 'steps are')} left out: at most one of ten operations has them."


def _numbers(paths: list[Path]) -> dict[Path, str]:
    found: dict[Path, str] = {}
    children: Counter[Path] = Counter()
    for path in paths:
        children[path[:-1]] += 1
        above = found.get(path[:-1], "")
        found[path] = f"{above}.{children[path[:-1]]}" if above else str(children[path[:-1]])
    return found


def _step(one: UsualCall, number: str) -> list[str]:
    is_call = one.kind == "call"
    return [
        number, code(short(one.step.method)) + ("*" if one.foreign else ""), one.kind, code(one.step.role),
        str(share(one.share)), lasting(one.begins.p50), lasting(one.whole.p50) if is_call else "",
        lasting(one.whole.p95) if is_call else "", lasting(one.wait.p50), lasting(one.wait.p95),
        sized(one.request_bytes.p50), sized(one.reply_bytes.p50) if is_call else "",
    ]  # fmt: skip


def _methods(shape: KindShape) -> str:
    head = ["Method", "Per operation", "Messages of all", "Share", "Bodies of all", "Took, median"]
    return table(head, map(_method, shape.methods))


def _method(row: MethodShare) -> list[str]:
    each = f"{row.per_operation:,.2f}".removesuffix(".00")
    part = "?" if row.share is None else str(share(row.share))
    took = lasting(row.took.p50) if row.rpcs.get("call") else ""
    return [code(short(row.method)), each, counted(row.messages), part, sized(row.bytes), took]


def _provenance(shape: KindShape, trace: Trace | None) -> str:
    views = shape.sample.views
    failed = sum(view.status is Status.FAILED for view in views)
    more = "" if shape.sample.is_all else "; these are the newest, there are more"
    recordings = len({recording_of(part) for view in views for part in view.ids})
    seen = f"{len(views):,} recorded, {failed:,} of them failed{more}"
    lines = [
        f"{plural(shape.cost.operations, 'operation')} counted of {seen}",
        f"Recorded {_days(views)}, in {plural(recordings, 'recording')}",
        "Counts are of messages that carry the request id, with their replies; bodies are as long as on the wire",
        "A message is one publish; copies of fanouts are not counted",
    ]
    if trace is not None:
        lines.append(f"The sequence shows {code(trace.operation.whole.request_id)}")
    return "\n".join(f"* {line}." for line in [*lines, f"Written by rpcscope {__version__}"])


def _days(views: Sequence[OperationView]) -> str:
    """UTC."""
    first = (iso(min(view.whole.started_ns for view in views)) or "?")[:10]
    last = (iso(max(view.whole.last_ns for view in views)) or "?")[:10]
    return f"on {first} (UTC)" if first == last else f"{first} to {last} (UTC)"
