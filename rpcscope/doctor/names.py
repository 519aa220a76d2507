"""What a queue is for, by its name. Source: oslo.messaging's rabbit driver and notifier."""

from __future__ import annotations

PRIORITIES = frozenset({"audit", "debug", "info", "warn", "error", "critical", "sample"})


def is_notification(queue: str) -> bool:
    """It ends with a priority: notifications.info, versioned_notifications.error."""
    return queue.rpartition(".")[2] in PRIORITIES and "." in queue


def is_reply(queue: str) -> bool:
    """A process waits there for the answers to its calls."""
    return queue.startswith("reply_")
