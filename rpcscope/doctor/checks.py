"""All red flags that there are."""

from __future__ import annotations

from rpcscope.doctor import (
    balance,
    broker,
    delivery,
    fanouts,
    load,
    migrations,
    notifications,
    operations,
    queues,
    replies,
    settings,
    silent,
    taps,
    timeouts,
    witnesses,
)
from rpcscope.doctor.facts import Facts
from rpcscope.doctor.finding import Check, RedFlag

CHECKS: tuple[Check, ...] = (
    broker.NODES,
    broker.NEAR_LIMITS,
    taps.RECORDERS,
    taps.BLIND,
    witnesses.DISAGREE,
    operations.STUCK,
    migrations.ENDLESS,
    silent.MUTE,
    timeouts.TIMEOUTS,
    timeouts.LATE,
    timeouts.REPEATED,
    load.SWAMPED,
    queues.CONSUMERLESS,
    queues.GROWING,
    queues.UNACKNOWLEDGED,
    replies.LOST,
    replies.SHARED,
    replies.DEAF,
    delivery.UNROUTABLE,
    delivery.REDELIVERED,
    delivery.REPUBLISHED,
    operations.FAILING,
    balance.UNEVEN_SPLIT,
    fanouts.AMPLIFIED,
    notifications.UNREAD,
    broker.RECONNECTS,
    settings.TRANSIENT,
    settings.TIMEOUTS_DIFFER,
)


def examine(facts: Facts, *, state_only: bool = False) -> list[RedFlag]:
    """The flags that are up, the worst first.

    Args:
        state_only: of the checks that need no more than `ask_state` read.
    """
    found = [_flag(check, facts) for check in CHECKS if check.is_now or not state_only]
    return sorted((flag for flag in found if flag is not None), key=lambda flag: -flag.level)


def _flag(check: Check, facts: Facts) -> RedFlag | None:
    found = check.find(facts)
    if found is None:
        return None
    return RedFlag(
        name=check.name,
        level=found.level,
        title=found.title,
        evidence=found.evidence,
        more=found.more,
        why=check.why,
        todo=check.todo,
        is_now=check.is_now,
    )
