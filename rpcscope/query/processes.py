"""Processes as they are asked for: what a recorder learned of one later holds for what it stored earlier."""

from __future__ import annotations

from rpcscope.model import Process
from rpcscope.query.ids import recording_of
from rpcscope.store.protocol import Reader


def processes(reader: Reader) -> dict[int, Process]:
    """What is last known of each process, by every id that it was stored under.

    A process has several ids when two of its connections were told to be one only later.
    """
    stored = reader.processes()
    last: dict[tuple[int, str], Process] = {}
    for process in stored.values():
        name = (recording_of(process.id), process.key)
        last[name] = max(last.get(name, process), process, key=_knows)
    return {number: last[recording_of(number), process.key] for number, process in stored.items()}


def _knows(process: Process) -> tuple[int, bool, bool, int]:
    """Of several rows the one that was written last; of those with the same last event the one that tells more."""
    return process.seen_ns, process.gone_ns is not None, bool(process.host), process.id
