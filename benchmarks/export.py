"""What exporting traces costs: spans per CPU second beside OpenTelemetry's own SDK, and what it adds to recording.

    python benchmarks/export.py

Round by round, in one process, to one receiver in another process that takes everything (OTLP/HTTP, gzip):

* *SDK, hand-made spans*: `start_span` with the attributes of ours, `end`, BatchSpanProcessor, OTLPSpanExporter.
* *SDK's exporter*, and *generated messages*: our spans given to the SDK's encoder, or laid into opentelemetry-proto.
* *ours, made and sent*: operations whose calls are in memory; *ours, from the store*: with reading them from SQLite.

Then the recorded mix (traffic.py) is recorded into SQLite as it comes, in batches of 2,000 events, alone and with
`record --otlp-endpoint`'s exporter beside it. On a shared machine trust the ratios, not the times.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource as SdkResource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind as SdkKind
from opentelemetry.trace import Status, StatusCode

from benchmarks.pipeline import BATCH, Fed, Timed
from benchmarks.traffic import Traffic
from rpcscope.export.traces.bookmark import Bookmark
from rpcscope.export.traces.courier import Courier
from rpcscope.export.traces.encode import Encoder
from rpcscope.export.traces.endpoint import endpoint
from rpcscope.export.traces.http import HttpSender
from rpcscope.export.traces.live import LiveExport
from rpcscope.export.traces.reading import Reading
from rpcscope.export.traces.requests import SPANS_A_REQUEST, Gathering
from rpcscope.export.traces.sampling import LIVE_SHARES, Sampling
from rpcscope.export.traces.span import Span
from rpcscope.export.traces.spans import Exported, spans
from rpcscope.export.traces.stored import StoredExport
from rpcscope.model import Batch
from rpcscope.pipeline import Recorder
from rpcscope.rules import load_rules
from rpcscope.store import Store, open_store
from rpcscope.store.protocol import OperationFilter

EVENTS = 40_000
EVERYTHING = Sampling(background=True)


class _Taking(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def _serve(told: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Taking)
    told.send(server.server_address[1])
    server.serve_forever()


@contextmanager
def receiver() -> Iterator[str]:
    """A process that takes all that it is sent."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


# ---------------------------------------------------------------- what is recorded


def record(store: Store, traffic: Traffic, events: int, hear: Callable[[Batch], None] | None = None) -> float:
    """CPU seconds of storing so many events of the mix, with those of whoever hears them."""
    writer = store.writer()
    resume = writer.start(
        source="firehose", scope="benchmark", digest="", label="", tap_mode="full", conditions="", started_ns=0
    )
    sink = Heard(Timed(writer), hear)
    recorder = Recorder(sink, resume, load_rules())
    recorder.run(Fed(list(traffic.topologies)))
    cpu = 0.0
    for _ in range(events // BATCH):
        made = Fed(list(traffic.take(BATCH)))
        began = time.process_time()
        recorder.run(made)
        cpu += time.process_time() - began
    began = time.process_time()
    recorder.end()
    return cpu + time.process_time() - began


class Heard:
    """A sink that somebody listens to."""

    def __init__(self, sink: Timed, hear: Callable[[Batch], None] | None) -> None:
        self._sink, self._hear = sink, hear

    def write(self, batch: Batch) -> None:
        self._sink.write(batch)
        if self._hear is not None:
            self._hear(batch)


# ---------------------------------------------------------------- ways of sending


def by_sdk(url: str, made: Sequence[Span]) -> None:
    """Spans made by hand with the SDK: of every process a provider, all with the same processor and exporter."""
    processor = BatchSpanProcessor(
        OTLPSpanExporter(f"{url}/v1/traces", compression=_gzip()),
        max_queue_size=1 << 20,
        max_export_batch_size=SPANS_A_REQUEST,
    )
    tracers = {}
    for span in made:
        if span.resource not in tracers:
            who = SdkResource({"service.name": span.resource.service, "host.name": span.resource.host})
            provider = TracerProvider(resource=who, shutdown_on_exit=False)
            provider.add_span_processor(processor)
            tracers[span.resource] = provider.get_tracer("rpcscope")
        one = tracers[span.resource].start_span(
            span.name, kind=SdkKind[span.kind.name], attributes=dict(span.attributes), start_time=span.start_ns
        )
        if span.error:
            one.set_status(Status(StatusCode.ERROR, span.error))
        one.end(span.end_ns)
    processor.force_flush()
    processor.shutdown()


def _gzip() -> Any:
    from opentelemetry.exporter.otlp.proto.http import Compression

    return Compression.Gzip


def by_messages(url: str, made: Sequence[Span]) -> None:
    """Our spans, laid into the generated messages."""
    with closing(HttpSender(endpoint(url))) as sender:
        for start in range(0, len(made), SPANS_A_REQUEST):
            request = ExportTraceServiceRequest()
            groups: dict[Any, Any] = {}
            for span in made[start : start + SPANS_A_REQUEST]:
                if span.resource not in groups:
                    group = request.resource_spans.add()
                    group.resource.attributes.add(key="service.name").value.string_value = span.resource.service
                    groups[span.resource] = group.scope_spans.add()
                one = groups[span.resource].spans.add(
                    trace_id=span.trace_id, span_id=span.span_id, parent_span_id=span.parent_id, name=span.name,
                    kind=int(span.kind), start_time_unix_nano=span.start_ns, end_time_unix_nano=span.end_ns,
                )  # fmt: skip
                for name, value in span.attributes:
                    _lay(one.attributes.add(key=name).value, value)
            sender.send(request.SerializeToString())


def _lay(to: Any, value: Any) -> None:
    if isinstance(value, str):
        to.string_value = value
    elif isinstance(value, bool):
        to.bool_value = value
    elif isinstance(value, int):
        to.int_value = value
    else:
        for one in value:
            to.array_value.values.add(string_value=one)


def by_bytes(url: str, made: Sequence[Span]) -> None:
    """Our spans, laid by hand."""
    encoder = Encoder()
    with closing(HttpSender(endpoint(url))) as sender:
        for start in range(0, len(made), SPANS_A_REQUEST):
            sender.send(encoder.request(made[start : start + SPANS_A_REQUEST]))


def from_memory(url: str, reading: Reading, operations: Sequence[Exported]) -> None:
    """Spans made of operations, and sent."""
    with closing(HttpSender(endpoint(url))) as sender:
        for request in Gathering().requests(operations, reading.resources):
            sender.send(request.body)


def from_store(url: str, store: Store) -> None:
    """`rpcscope export otlp`."""
    with closing(HttpSender(endpoint(url))) as sender:
        courier = Courier(sender, "it", pause=lambda _: True, patience_s=0)
        mark = Bookmark(choice="")
        StoredExport(store.reader(), courier, wanted=OperationFilter(), sampling=EVERYTHING, mark=mark).run()


# ---------------------------------------------------------------- figures


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="rpcscope-bench-") as folder, receiver() as url:
        _sending(Path(folder), url, arguments.rounds)
        _recording(Path(folder), url, arguments.rounds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What exporting traces costs.")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def _sending(folder: Path, url: str, rounds: int) -> None:
    with open_store(str(folder / "store.db"), create=True) as store:
        record(store, Traffic(), EVENTS)
        reader = store.reader()
        reading = Reading(reader)
        operations = list(reading.whole(reading.views(reader.operations())))
        made = [span for one in operations for span in spans(one, reading.resources)]
        ways: dict[str, Callable[[], None]] = {
            "SDK, hand-made spans": lambda: by_sdk(url, made),
            "spans as generated messages": lambda: by_messages(url, made),
            "spans as bytes laid by hand": lambda: by_bytes(url, made),
            "ours, made and sent": lambda: from_memory(url, reading, operations),
            "ours, from the store": lambda: from_store(url, store),
        }
        took: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                took[name].append(_cpu(way) / len(made) * 1e6)
    print(f"{len(made):,} spans of {len(operations):,} operations, median of {rounds} rounds\n")
    print("| way | CPU of a span | spans per CPU second | of the SDK's |\n|---|---:|---:|---:|")
    sdk = took["SDK, hand-made spans"]
    for name, each in took.items():
        ratio = median(theirs / mine for theirs, mine in zip(sdk, each, strict=True))
        cost = f"{median(each):.1f} us ({min(each):.1f}-{max(each):.1f})"
        print(f"| {name} | {cost} | {1e6 / median(each):,.0f} | {ratio:.1f} x |")


def _recording(folder: Path, url: str, rounds: int) -> None:
    ways = {
        "alone": None,
        "traces, default sampling": Sampling(shares=LIVE_SHARES),
        "traces of every operation that a person began": Sampling(),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    own: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        for place, (name, how) in enumerate(ways.items()):
            with open_store(str(folder / f"live-{number}-{place}.db"), create=True) as store:
                whole, thread = _live(store, url, how)
            took[name].append(whole / EVENTS * 1e6)
            own[name].append(thread / EVENTS * 1e6)
    print(f"\n{EVENTS:,} events of the recorded mix, as fast as they go, median of {rounds} rounds\n")
    print("| recording | CPU of an event | more than alone | of it the exporter's thread |\n|---|---:|---:|---:|")
    for name, each in took.items():
        more = median(mine / alone - 1 for alone, mine in zip(took["alone"], each, strict=True))
        share = median(mine / alone for alone, mine in zip(took["alone"], own[name], strict=True))
        spread = f"{median(each):.1f} us ({min(each):.1f}-{max(each):.1f})"
        print(f"| {name} | {spread} | {more:.0%} | {median(own[name]):.1f} us, {share:.0%} |")


class Measured(LiveExport):
    """Tells what its thread took: on a shared machine the steadiest of these figures."""

    cpu = 0.0

    def _run(self) -> None:
        super()._run()
        self.cpu = time.thread_time()


def _live(store: Store, url: str, how: Sampling | None) -> tuple[float, float]:
    """CPU seconds of all, and of the exporter's thread."""
    traffic = Traffic()
    if how is None:
        return record(store, traffic, EVENTS), 0.0
    with closing(HttpSender(endpoint(url))) as sender:
        clock = [0]

        def hear(batch: Batch) -> None:
            clock[0] = batch.last_ns
            live.take(batch)

        live = Measured(store.reader(), sender, "it", how, clock=lambda: clock[0])
        live.start()
        cpu = record(store, traffic, EVENTS, hear)
        began = time.process_time()
        live.stop()
        return cpu + time.process_time() - began, live.cpu


def _cpu(way: Callable[[], None]) -> float:
    began = time.process_time()
    way()
    return time.process_time() - began


if __name__ == "__main__":
    main()
