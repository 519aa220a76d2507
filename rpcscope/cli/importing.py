"""One capture file into a store: the same for the command, the demo and the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from rpcscope.pipeline import Recorder

if TYPE_CHECKING:
    from rpcscope.capture.reader import CaptureReader
    from rpcscope.cli.span_file import SpanFile
    from rpcscope.model import Counters, Recording
    from rpcscope.rules import Rules
    from rpcscope.store.store import Store


class Imported(NamedTuple):
    """What became of a file."""

    recording: Recording
    counters: Counters
    known: bool  # it was stored as a whole before


def import_capture(
    store: Store,
    reader: CaptureReader | SpanFile,
    rules: Rules,
    *,
    use_traceparent: bool = True,
    conditions: str = "",
    name: str = "",
    labels: Mapping[str, str] | None = None,
    progress: Callable[[], None] = lambda: None,
) -> Imported:
    """Store what is not stored yet of an open capture, or of a file of spans.

    Args:
        conditions: instead of those that the file tells.
        name: for a file that has no label.
        labels: of the recording; also of one that was stored before.
        progress: called after each commit.

    Raises:
        CaptureError: the file can not be read on.
        StoreError: the database refuses.
    """
    writer = store.writer()
    resume = writer.start(
        source="file", scope="file", digest=reader.digest, label=reader.label or name, tap_mode=reader.mode,
        conditions=conditions or reader.conditions, started_ns=0,
    )  # fmt: skip
    writer.label(resume.recording.id, labels or {})
    if resume.recording.ended_ns is not None:
        return Imported(resume.recording, resume.counters, known=True)
    recorder = Recorder(writer, resume, rules, use_traceparent=use_traceparent)
    recorder.run(reader, progress=lambda _: progress())
    return Imported(resume.recording, recorder.end(rejected=reader.rejected), known=False)
