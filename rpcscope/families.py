"""The family of a queue: its name with the part folded that is its own."""

from __future__ import annotations

import re

_FANOUT = "_fanout_"
_PRIORITIES = frozenset({"audit", "debug", "info", "warn", "error", "critical", "sample"})
# Topics that have a dot of their own: neutron's versioned objects.
_DOTTED = re.compile(r"(neutron-vo-[A-Za-z]+-[0-9]+\.[0-9]+)(?:\.(.+))?")
ODD = "~*"
"""Queues whose names are no names; `safe` made digests of them."""


def family(queue: str) -> str:
    """`reply_*`, `compute.*`, `scheduler_fanout_*`; a shared queue or a stream is its own family.

    Names are those of oslo.messaging's rabbit driver, with and without its queue manager. Notification queues
    (`notifications.info`) are shared, too, so they keep their priority.
    """
    if queue.startswith("reply_"):
        return "reply_*"
    if queue.startswith("~"):
        return ODD
    topic, fanout, _ = queue.rpartition(_FANOUT)
    if fanout:
        return f"{_of_topic(topic)}{_FANOUT}*"
    stream = queue.removesuffix("_fanout")
    return _of_topic(stream) + queue[len(stream) :]


def _of_topic(name: str) -> str:
    """`<topic>.<server>` without its server."""
    dotted = _DOTTED.fullmatch(name)
    topic, server = dotted.groups() if dotted else _split(name)
    if not server or server in _PRIORITIES:
        return name
    return f"{topic}.*"


def _split(name: str) -> tuple[str, str]:
    topic, _, server = name.partition(".")
    return topic, server
