"""What a vhost is called in a store: vhosts of one name on several brokers must not be taken for one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rpcscope.model import ChurnEvent, NodeState, QueueSamples, QueueSighting, Recording


def place_name(recordings: Iterable[Recording], scope: str, vhost: str, address: str) -> str:
    """The vhost's own name, or with the address of its broker where another broker has that name in the store.

    Args:
        recordings: all of the store; who recorded a scope before keeps the name it had then.
        scope: of the new recording: the broker, a space, the tap's name.
        address: hosts and ports of the broker.
    """
    taken = False
    for one in recordings:
        if one.source != "file" and _broker(one.scope) == _broker(scope):
            return one.label
        taken |= one.source != "file" and one.label == vhost
    return f"{vhost}@{address}" if taken else vhost


def renamed(seen: QueueSighting, vhost: str) -> QueueSighting:
    """The same sighting of a vhost that has another name in the store; nodes have none."""
    if isinstance(seen, NodeState):
        return seen
    if isinstance(seen, QueueSamples):
        samples = tuple(replace(sample, vhost=vhost) for sample in seen.samples)
        return replace(seen, poll=replace(seen.poll, vhost=vhost), samples=samples)
    if isinstance(seen, ChurnEvent) and not seen.vhost:
        return seen  # the broker did not say which
    return replace(seen, vhost=vhost)


def _broker(scope: str) -> str:
    return scope.rpartition(" ")[0]
