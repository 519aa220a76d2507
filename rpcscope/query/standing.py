"""Where an operation stands that several recordings saw parts of.

Each recorder judged its part alone. In this order:

1. A conductor's cast is through when it has caused a cast. Where that went over another broker, the part waits for
   ever: it does not know how it stands, and the other tells.
2. A part that ended but whose beginning went over another broker does not know that its end is the operation's. Where
   the beginning was seen, it is; unless nothing was set to work on that broker and the beginning failed or waits.
3. What only notifications tell counts when they tell of a failure and nothing runs; else where nothing else is known.
4. Of the parts that know, the latest tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rpcscope.model import Operation, Status
from rpcscope.query.ids import recording_of
from rpcscope.rules import Rules
from rpcscope.rules.rules import NOTICE, STEP


def judged(parts: Sequence[Operation], rules: Rules) -> list[Operation]:
    """The parts of one operation, each with the status that it has beside the others."""
    if len(parts) == 1:
        return list(parts)
    heads = [part for part in parts if part.complete]
    waiting = [part for part in heads if _waits_for_relay(part, rules)]
    failed = [part for part in heads if part.status is Status.FAILED]
    found = []
    for part in parts:
        if part in waiting and any(_cast_on(other, part) for other in parts):
            part = replace(part, status=Status.UNKNOWN)
        elif heads and _ended_without_head(part) and (part.by_request.casts or not (failed or waiting)):
            part = replace(part, status=Status.DONE)
        found.append(part)
    return found


def decisive(parts: Sequence[Operation]) -> Operation:
    """The part that tells the status."""
    runs = any(part.status is Status.RUNNING for part in parts)

    def weight(part: Operation) -> tuple[bool, bool, bool, int]:
        told = part.kind_rank == NOTICE and not part.by_request.rpcs
        is_failure = told and part.status is Status.FAILED and not runs
        return is_failure, part.status is not Status.UNKNOWN, not told, part.last_ns

    return max(parts, key=weight)


def _waits_for_relay(part: Operation, rules: Rules) -> bool:
    return part.status is Status.RUNNING and part.owed_method in rules.relays


def _cast_on(other: Operation, part: Operation) -> bool:
    return recording_of(other.id) != recording_of(part.id) and other.by_request.casts > 0


def _ended_without_head(part: Operation) -> bool:
    headless = not part.complete and part.kind_rank == STEP
    return headless and part.finished_ns is not None and part.status is Status.UNKNOWN
