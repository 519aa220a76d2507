"""Runs of the emulator planted into a store: a recording of nova stands for what a run put on the bus."""

from __future__ import annotations

from typing import Any

from rpcscope.query.operations import Operations
from rpcscope.store import Store
from rpcscope.store.protocol import OperationFilter
from rpcscope.store.run_rows import Run, RunState
from tests.support.dashboard import CAPTURES
from tests.support.measured import record_captures

VHOST = "rpcscope-boot-storm-0a1b2c3d"
BOOTS = CAPTURES / "02_boot_10_serial.jsonl.zst"
"""Ten boots of 29 messages by cause."""
_SECOND = 1_000_000_000


def plant_run(store: Store, **words: Any) -> Run:
    """A boot storm that was to boot 12 servers, of which ten were recorded."""
    if not any(info.recording.label == VHOST for info in store.reader().recordings()):
        record_captures(store, None, [BOOTS], label=VHOST)
    reader = store.reader()
    (number,) = [info.recording.id for info in reader.recordings() if info.recording.label == VHOST]
    whole = [one.whole for one in Operations(reader).find(OperationFilter(recording_id=number, background=False))]
    began, ended = min(one.started_ns for one in whole), max(one.last_ns for one in whole)
    values: dict[str, Any] = {
        "label": "first", "what": "boot-storm", "vhost": VHOST, "state": RunState.DONE,
        "started_ns": began - _SECOND, "heard_ns": ended + _SECOND, "ended_ns": ended + _SECOND,
        "asked": ASKED, "expected": EXPECTED, "outcome": OUTCOME,
    }  # fmt: skip
    one = Run(**(values | words))
    found = reader.run(store.writer().begin_run(one))
    assert found is not None
    return found


ASKED: dict[str, Any] = {
    "speed": 2.0,
    "parameters": {"count": 12, "pace": "2", "flavor": "", "spawn_s": None},
    "fleet": {"name": "small", "hosts": 3, "servers": 0, "shape": "2026", "profile": "classic", "seed": 1},
    "templates": {"create": {"release": "nova 34.0", "driver": "fake", "operations": 14}},
}
EXPECTED: dict[str, Any] = {
    "took_s": 7.5, "operations": 12, "rpcs": 192, "messages": 348, "bytes": 1_400_000,
    "kinds": {
        "create": {
            "asked": 12, "done": 12, "failed": 0, "timed_out": 0, "rpcs": 192, "messages": 348, "bytes": 1_400_000,
            "took_p50_s": 0.5, "took_p95_s": 0.6, "took_max_s": 0.7,
        }
    },
    "methods": {"build_and_run_instance": {"rpcs": 12, "messages": 12, "bytes": 180_000}},
    "idle": {"connections": 25, "queues": 27, "consumers": 30, "messages_s": 1.5},
}  # fmt: skip
OUTCOME: dict[str, Any] = {
    "operations": {"asked": 12, "done": 10, "failed": 1, "timed_out": 1}, "sent": 200, "answered": 150,
    "expired": {"select_destinations": 3}, "errors": {"NoValidHost": 1, "MessagingTimeout": 1},
    "background_runs": 4, "late_replies": 2, "lost_replies": 0, "heartbeats": 0, "strangers": 0, "lost": 0,
    "lateness_ms": {"p50": 0.4, "p95": 2.5, "max": 31.0}, "connections": 25, "world_s": 15.0, "error": "",
    "peaks": {"conductor": {"in_flight": 7, "inner": 5, "inner_max": 3, "unsent": 1}},
    "part": {
        "events": {"create done": 10, "create failed": 1},
        "pace": {"asked": 12, "sent": 12, "asked_per_s": 2.0, "reached_per_s": 1.5, "shortfall": 0.25},
    },
}  # fmt: skip
