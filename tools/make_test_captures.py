"""Make the captures of the tests and of the demonstration from raw recordings.

    python tools/make_test_captures.py FOLDER

FOLDER holds nova34/, nova34-notifications/, nova34-parents/, nova34-otlp/ and ground_truth.json, as
they were recorded. What is made holds nothing but what rpcscope's scrubber lets through, save for
tests/captures/raw/, which is copied and whose secrets were replaced by markers when it was recorded.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import zstandard

from rpcscope.capture import Scrubber, scrub_file
from rpcscope.rules import load_rules

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests" / "captures"
DEMO = ROOT / "rpcscope" / "demo" / "recordings"
CONDITIONS = "nova 34.0, oslo.messaging 18.3.1, RabbitMQ 3.10.8, 3 computes, fake virt driver, no NIC, no volume"
FOLDERS = {
    "nova34": CONDITIONS,
    "nova34-notifications": f"{CONDITIONS}, versioned notifications",
    "nova34-parents": f"{CONDITIONS}, true parents by a hook of the recording",
    "nova34-otlp": f"{CONDITIONS}, oslo.messaging's own tracing",
}
SHOWN = (
    "01_boot_1",
    "02_boot_10_serial",
    "05_delete_1",
    "09_live_migrate_no_host",
    "10_drain_serial_6",
    "12_evacuate_6",
)
RAW = (  # a few stay as they were recorded: there is no other way to see that scrubbing scrubs
    "nova34/01_boot_1.jsonl.zst",
    "nova34/01_boot_1.mgmt.json.gz",
    "nova34/14_boot_no_valid_host.jsonl.zst",
    "nova34/14_boot_no_valid_host.mgmt.json.gz",
    "nova34/16_rpc_timeout_sigstop.jsonl.zst",
    "nova34-notifications/01_boot_1.jsonl.zst",
)
NUMBERS = ("messages", "calls", "casts", "fanouts", "replies", "notifications", "delivered", "bytes", "label")
TOTALS = ("by_class", "bytes", "delivered", "failures_in_replies", "published")


def main(folder: Path) -> None:
    """Make all of them anew."""
    for name, conditions in FOLDERS.items():
        for source in sorted((folder / name).glob("*.jsonl.zst")):
            if source.name != "spans.jsonl.zst":
                _scrub(source, TESTS / name / source.name, conditions)
        for parents in sorted((folder / name).glob("*.parents.json")):
            shutil.copyfile(parents, TESTS / name / parents.name)
    for name in SHOWN:
        _scrub(folder / "nova34" / f"{name}.jsonl.zst", DEMO / f"{name}.jsonl.zst", CONDITIONS)
    for name in RAW:
        (TESTS / "raw" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, TESTS / "raw" / name)
    _spans(folder / "nova34-otlp" / "spans.jsonl.zst", TESTS / "nova34-otlp" / "spans.json.zst")
    truth = {capture: _reduced(found) for capture, found in _load(folder / "ground_truth.json").items()}
    (TESTS / "ground_truth.json").write_text(json.dumps(truth, indent=1, sort_keys=True) + "\n")


def _scrub(source: Path, target: Path, conditions: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    done = scrub_file(source, target, Scrubber(load_rules()), conditions=conditions)
    print(f"{target.relative_to(ROOT)}: {done.events} events, {done.dropped + done.rejected} left out {done.problem}")


def _spans(source: Path, target: Path) -> None:
    """What an exporter sent of each span, without the texts of exceptions and what the recording itself added."""
    rows = map(json.loads, zstandard.open(source, "rt").read().splitlines())
    lines = [json.dumps(_span(row), separators=(",", ":")) for row in rows]
    target.write_bytes(zstandard.ZstdCompressor(level=19).compress("".join(f"{line}\n" for line in lines).encode()))
    print(f"{target.relative_to(ROOT)}: {len(lines)} spans")


def _span(row: dict[str, Any]) -> dict[str, Any]:
    kept = ("trace_id", "span_id", "parent_span_id", "name", "kind", "start", "end", "scope", "recv_ns")
    types = [event["attributes"].get("exception.type", "") for event in row["events"]]
    return {
        **{key: row[key] for key in kept},
        "attributes": {key: value for key, value in row["attributes"].items() if not key.startswith("lab.")},
        "resource": {key: value for key, value in row["resource"].items() if key.startswith("service.")},
        "status": {"code": row["status"]["code"]},
        "events": [{"name": "exception", "attributes": {"exception.type": one}} for one in types],
    }


def _load(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(path.read_text())
    return found


def _reduced(capture: dict[str, Any]) -> dict[str, Any]:
    """The numbers of a capture and of each request id, without the methods."""
    kept = {key: capture[key] for key in TOTALS if key in capture}
    for group in ("operations", "other_request_ids"):
        kept[group] = {
            request_id: {key: numbers[key] for key in NUMBERS if key in numbers}
            for request_id, numbers in capture.get(group, {}).items()
        }
    return kept


if __name__ == "__main__":
    main(Path(sys.argv[1]))
