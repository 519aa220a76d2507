"""A scrubbed or pseudonymised capture gives the same calls, parents and operations as its original."""

from dataclasses import replace
from pathlib import Path

import pytest

from rpcscope.capture import CaptureReader, Pseudonyms, Scrubber, scrub_file
from rpcscope.model import Batch, Call, Counters, Operation, Recording, Resume
from rpcscope.pipeline import Recorder
from rpcscope.rules import load_rules
from tests.support.wire import CAPTURES, RAW_CAPTURES

NAMES = Pseudonyms(b"a key of 20 bytes or so")
FRESH = Resume(
    recording=Recording(
        id=1, source="file", scope="file", digest="", label="", tap_mode="", conditions="", started_ns=0, ended_ns=None
    ),
    position=0,
    counters=Counters(),
    open_calls=(),
    operations=(),
    processes=(),
    fingerprints=b"",
)


class Kept:
    """A sink that keeps what a store would hold in the end."""

    def __init__(self) -> None:
        self.calls: dict[int, Call] = {}
        self.operations: dict[int, Operation] = {}

    def write(self, batch: Batch) -> None:
        self.calls.update((call.id, call) for call in (*batch.open_calls, *batch.calls))
        self.operations.update((one.id, one) for one in batch.operations)


def imported(path: Path) -> tuple[list[Call], list[Operation], Counters]:
    sink = Kept()
    recorder = Recorder(sink, FRESH, load_rules(), use_traceparent=False)
    with CaptureReader(path) as reader:
        recorder.run(reader)
        counters = recorder.end(rejected=reader.rejected)
    return list(sink.calls.values()), list(sink.operations.values()), counters


@pytest.mark.parametrize("path", RAW_CAPTURES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_scrubbed_copy_imports_as_its_original(tmp_path: Path, path: Path) -> None:
    scrub_file(path, tmp_path / "a", Scrubber(load_rules()))
    assert imported(tmp_path / "a") == imported(path)


@pytest.mark.parametrize("name", ["01_boot_1", "09_live_migrate_no_host", "12_evacuate_6", "16_rpc_timeout_sigstop"])
def test_a_pseudonymised_copy_imports_as_its_original_under_other_names(tmp_path: Path, name: str) -> None:
    path = CAPTURES / "nova34" / f"{name}.jsonl.zst"
    scrub_file(path, tmp_path / "a", Scrubber(load_rules(), NAMES))
    calls, operations, counters = imported(path)
    other_calls, other_operations, other_counters = imported(tmp_path / "a")
    assert other_counters == counters
    assert other_calls == [replace(call, server=NAMES.server(call.server)) for call in calls]
    assert other_operations == [
        replace(
            one,
            instances=tuple(map(NAMES.instance, one.instances)),
            source_host=NAMES.host(one.source_host),
            dest_host=NAMES.host(one.dest_host),
            owed_host=NAMES.host(one.owed_host),
            project_id=NAMES.project(one.project_id),
        )
        for one in operations
    ]
    assert any(call.parent_id for call in calls)
    assert any(one.source_host or one.dest_host for one in operations)
