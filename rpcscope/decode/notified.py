"""What a notification tells of a server: of its payload the words that the rules lead to, nothing else."""

from __future__ import annotations

from typing import Any

from rpcscope import safe
from rpcscope.model import Notice
from rpcscope.rules.notices import NoticeRule


def servers(rule: NoticeRule | None, payload: Any) -> tuple[str, ...]:
    """Uuid of the server that it is about."""
    found = safe.uuid(rule.tells("instance", payload)) if rule is not None else ""
    return (found,) if found else ()


def failure(rule: NoticeRule | None, payload: Any) -> object:
    """What it says where the class of an exception is expected."""
    return rule.tells("failure", payload) if rule is not None else None


def notice(rule: NoticeRule | None, publisher: object, payload: Any) -> Notice:
    """What it tells, also when no rule knows it: who published it is in all of them."""
    if rule is None:
        return Notice(publisher=safe.name(publisher))
    return Notice(
        publisher=safe.name(publisher),
        host=safe.name(rule.tells("host", payload)),
        state=safe.token(rule.tells("state", payload)),
        task_state=safe.token(rule.tells("task_state", payload)),
        percent=percent(rule.tells("percent", payload)),
    )


def scrubbed(kept: dict[str, Any], publisher: object) -> Notice:
    """What rpcscope.capture.scrub kept of one, through the same sieve."""
    return Notice(
        publisher=safe.name(publisher),
        host=safe.name(kept.get("host")),
        state=safe.token(kept.get("state")),
        task_state=safe.token(kept.get("task_state")),
        percent=percent(kept.get("percent")),
    )


def percent(value: object) -> int | None:
    """How far something is; nova writes 0 when nobody tells."""
    return value if type(value) is int and 0 < value <= 100 else None
