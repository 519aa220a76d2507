"""`rpcscope record`, `capture` and `untrace`: a live broker."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rpcscope.cli.fit import put_table
from rpcscope.cli.options import db_option, format_option, opened, rules_option, the_rules
from rpcscope.cli.output import counted, number, put_json, table
from rpcscope.errors import BrokerError, UsageError

if TYPE_CHECKING:
    from types import FrameType

    from rpcscope.model import Counters
    from rpcscope_collectors.firehose import Firehose
    from rpcscope_collectors.management import Management
    from rpcscope_collectors.tracing import Tracing
    from rpcscope_collectors.transport import Broker

    Tap = tuple[Firehose, Tracing | None]

_BY_HAND = (
    "tracing is not switched on by rpcscope, because no --management-url is given: run "
    "`rabbitmqctl trace_on -p '{vhost}'` on each node of the broker, `rabbitmqctl trace_off -p '{vhost}'` afterwards"
)

_ENDS = "Ctrl-C ends it, a second one without waiting"
_LEFT = "the broker still holds events that are not stored: start again within ten minutes, under the same --name"


def _broker_options(command: Callable[..., Any]) -> Callable[..., Any]:
    options = (
        click.option("--transport-url", envvar="RPCSCOPE_TRANSPORT_URL", metavar="URL",
                     help="As oslo.messaging writes it: rabbit://user:password@host:port/vhost"),
        click.option("--config-file", type=click.Path(path_type=Path), help="A service's own: /etc/nova/nova.conf"),
        click.option("--management-url", "management_urls", envvar="RPCSCOPE_MANAGEMENT_URL", multiple=True,
                     metavar="URL", help="One per node; with user:password@ of the account that may switch tracing."),
        click.option("--state-dir", type=click.Path(path_type=Path), help="Where it is noted that tracing is ours."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def _tap_options(command: Callable[..., Any]) -> Callable[..., Any]:
    options = (
        click.option("--mode", type=click.Choice(["publish", "control", "full", "bindings"]), default="control",
                     show_default=True, help="publish: no deliveries; control: none of replies and fanouts; "
                     "full: everything; bindings: requests alone, without tracing."),
        click.option("--exchange", "exchanges", multiple=True, metavar="NAME",
                     help="For --mode bindings without --management-url: nova, compute_fanout, ..."),
        click.option("--name", default="default", show_default=True, help="Its queue is rpcscope.tap.NAME"),
        click.option("--conditions", default="", help="What is recorded: release, driver, workers."),
        click.option("--duration", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="How long."),
        click.option("--no-trace", is_flag=True, help="Tracing is on already, or someone else switches it."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.command("record")
@_broker_options
@_tap_options
@db_option()
@rules_option()
@click.option("--ignore-traceparent", is_flag=True, help="Infer every parent.")
@click.option(
    "--prometheus-url",
    "prometheus_urls",
    multiple=True,
    metavar="URL",
    help="rabbitmq_prometheus, one per node: queue depth costs less there than by --management-url.",
)
@click.option(
    "--churn", is_flag=True, help="Queues, connections and consumers that come and go (rabbitmq_event_exchange)."
)
@click.option(
    "--metrics-port", type=click.IntRange(1, 65535), metavar="PORT",
    help="Its own health for Prometheus, at http://127.0.0.1:PORT/metrics; see also `rpcscope status`.",
)  # fmt: skip
@format_option("table", "json")
def record_command(
    db: str | None, rules: tuple[Path, ...], mode: str, name: str, conditions: str, duration: float | None,
    ignore_traceparent: bool, format_: str, no_trace: bool, prometheus_urls: tuple[str, ...], churn: bool,
    metrics_port: int | None, **where: Any,
) -> None:  # fmt: skip
    """Record the RPCs of a live broker until Ctrl-C, into the database.

    Switches RabbitMQ's tracing on through the management API and off again at the end. What the database
    has is acknowledged, nothing before; a recorder that was killed goes on where it stopped. Where it may
    ask (--management-url, --prometheus-url), it samples the queues, too: see `rpcscope queues`.
    """
    from rpcscope.cli.exposition import exposition
    from rpcscope.cli.health import HealthReport
    from rpcscope.cli.metrics import served
    from rpcscope.cli.watch import watched
    from rpcscope.pipeline import Recorder
    from rpcscope.query.times import iso

    known = the_rules(rules)
    broker = _the_broker(where["transport_url"], where["config_file"])
    reports: list[HealthReport] = []
    with opened(db, create=True) as store, served(metrics_port, lambda: exposition([r.look() for r in reports])):
        scope = f"{broker} {name}"
        earlier = [info.last_ns for info in store.reader().recordings() if info.recording.scope == scope]
        tap, tracing = _tap(broker, where, mode, name, no_trace=no_trace, resume_ns=max(earlier, default=0))
        with _running(tap, tracing, duration) as stopped:
            writer = store.writer()
            resume = writer.start(
                source="firehose", scope=scope, digest="", label=broker.vhost, tap_mode=mode, conditions=conditions,
                started_ns=time.time_ns(),
            )  # fmt: skip
            recorder = Recorder(writer, resume, known, use_traceparent=not ignore_traceparent, clock=time.time_ns)
            click.echo(f"rpcscope: recording {broker}, mode {mode}; {_ENDS}", err=True)
            with HealthReport(store, resume.recording, recorder, tap, tracing) as report:
                reports.append(report)
                with watched(tap, broker, where["management_urls"], prometheus_urls, churn=churn) as source:
                    recorder.run(source, progress=_status_line(tap))
                totals = recorder.end()
            stopped()
        reader = store.reader()
        gaps = [gap for gap in reader.gaps() if gap.to_ns >= resume.recording.started_ns]
        began = reader.recording_totals(resume.recording.id)
    for gap in gaps:
        missed = "an unknown number of" if gap.estimate is None else f"about {gap.estimate:,}"
        click.echo(
            f"rpcscope: blind {iso(gap.from_ns)} to {iso(gap.to_ns)} ({gap.cause.name.lower()}): {missed} messages",
            err=True,
        )
    _print_totals(totals, mode, began.rpcs, began.operations, len(gaps), format_)


@click.command("capture")
@click.argument("file", type=click.Path(path_type=Path))
@_broker_options
@_tap_options
@rules_option()
@click.option(
    "--pseudonymize", "keyfile", type=click.Path(path_type=Path), metavar="KEYFILE", help="Replace names with this key."
)
def capture_command(
    file: Path,
    rules: tuple[Path, ...],
    mode: str,
    name: str,
    conditions: str,
    duration: float | None,
    keyfile: Path | None,
    no_trace: bool,
    **where: Any,
) -> None:
    """Record a live broker into a scrubbed capture FILE, until Ctrl-C. `rpcscope import` stores it."""
    from rpcscope.capture import CaptureWriter, Header, Pseudonyms, Scrubber, load_key

    scrubber = Scrubber(the_rules(rules), Pseudonyms(load_key(keyfile)) if keyfile else None)
    broker = _the_broker(where["transport_url"], where["config_file"])
    header = Header(source="firehose", label="" if keyfile else broker.vhost, mode=mode, conditions=conditions)
    with CaptureWriter(file, header, scrubber) as out:
        tap, tracing = _tap(broker, where, mode, name, no_trace=no_trace, resume_ns=0)
        with _running(tap, tracing, duration) as stopped:
            click.echo(f"rpcscope: capturing {broker}, mode {mode}, into {file}; {_ENDS}", err=True)
            for sightings in tap.batches():
                for seen in sightings:
                    out.write(seen)
                out.flush()
                tap.ack()
            stopped()
    click.echo(f"{file}: {out.written:,} events, {out.dropped:,} left out because they are no oslo.messaging messages")


@click.command("untrace")
@_broker_options
@click.option("--force", is_flag=True, help="Also when the recorder that switched it on still runs.")
def untrace_command(force: bool, **where: Any) -> None:
    """End tracing that a recorder of this machine left on. Tracing of others stays."""
    from rpcscope_collectors.tracing import leases, untrace

    state = _state_dir(where["state_dir"])
    left = leases(state)
    if where["transport_url"] is None and where["config_file"] is None:
        for lease in left:
            holder = f"{lease.owner} records it" if lease.is_held() else "its recorder is gone"
            click.echo(f"vhost {lease.vhost}: switched on by rpcscope on {', '.join(lease.switched_on)}; {holder}")
        if not left:
            click.echo("No recorder of this machine has left tracing on.")
            return
        raise UsageError("name the broker: --transport-url or --config-file, and --management-url")
    broker = _the_broker(where["transport_url"], where["config_file"])
    ended = untrace(_managements(broker, where["management_urls"]), broker.vhost, state, force=force)
    click.echo(
        f"Tracing of vhost {broker.vhost} ended on {', '.join(ended)}." if ended else "No tracing of ours was left on."
    )


def _the_broker(transport_url: str | None, config_file: Path | None) -> Broker:
    from rpcscope_collectors.transport import from_config_file, from_transport_url

    if (transport_url is None) == (config_file is None):
        raise UsageError("name the broker by one of --transport-url and --config-file")
    return from_config_file(config_file) if config_file is not None else from_transport_url(transport_url or "")


def _managements(broker: Broker, urls: tuple[str, ...]) -> list[Management]:
    from rpcscope_collectors.management import Management

    return [Management(url, broker.username, broker.password) for url in urls]


def _state_dir(given: Path | None) -> Path:
    from platformdirs import user_state_path

    return given or user_state_path("rpcscope", appauthor=False)


def _tap(broker: Broker, where: dict[str, Any], mode: Any, name: str, *, no_trace: bool, resume_ns: int) -> Tap:
    from rpcscope_collectors.firehose import Firehose
    from rpcscope_collectors.tracing import Tracing
    from rpcscope_collectors.views import Exchanges

    managements = _managements(broker, where["management_urls"])
    if mode == "bindings":
        view = Exchanges(where["exchanges"])
        return Firehose(broker, view=view, name=name, managements=managements, resume_ns=resume_ns), None
    if where["exchanges"]:
        raise UsageError("--exchange is for --mode bindings: the other modes see every exchange")
    tracing = (
        Tracing(managements, broker.vhost, _state_dir(where["state_dir"])) if managements and not no_trace else None
    )
    if tracing is None and not no_trace:
        click.echo(f"rpcscope: {_BY_HAND.format(vhost=broker.vhost)}", err=True)
    tap = Firehose(broker, mode=mode, name=name, managements=managements, tracing=tracing, resume_ns=resume_ns)
    return tap, tracing


@contextmanager
def _running(tap: Firehose, tracing: Tracing | None, duration: float | None) -> Iterator[Callable[[], None]]:
    """Open the tap, end it by signal or after a time, close it. Gives what to call when everything is stored:
    only then the tap's queue is deleted; else the broker keeps it for the next run. A second signal leaves at once."""
    clean = signalled = False

    def stopped() -> None:
        nonlocal clean
        clean = tap.drained
        if not clean:
            click.echo(f"rpcscope: {_LEFT}", err=True)

    def stop(signum: int, frame: FrameType | None) -> None:
        nonlocal signalled
        if signalled:
            raise KeyboardInterrupt
        signalled = True
        tap.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    timer = threading.Timer(duration, tap.stop) if duration is not None else None
    try:
        tap.open()
        _say_traced(tracing)
        if timer is not None:
            timer.start()
        yield stopped
    finally:
        if timer is not None:
            timer.cancel()
        tap.close(delete_queue=clean)
        for number, handler in before.items():
            signal.signal(number, handler)


def _say_traced(tracing: Tracing | None) -> None:
    if tracing is None:
        return
    traced, nodes = tracing.nodes_traced
    if not traced:
        raise BrokerError(f"tracing could not be switched on: {tracing.advice()}")
    if traced < nodes:
        click.echo(f"rpcscope: nodes traced {traced} of {nodes}: counts are not whole. {tracing.advice()}", err=True)


def _status_line(tap: Firehose) -> Callable[[Counters], None] | None:
    """On a terminal: how it goes, in one line that is written over."""
    if not sys.stderr.isatty():
        return None

    def show(c: Counters) -> None:
        lag = "" if tap.lag_s is None else f", lag {tap.lag_s:.1f} s"
        click.echo(f"\r{c.seen:,} events, {c.messages:,} messages, {c.rejected:,} rejected{lag}   ", err=True, nl=False)

    return show


def _print_totals(c: Counters, mode: str, rpcs: int, operations: int, gaps: int, format_: str) -> None:
    rows = {
        "seen": c.seen, "decoded": c.decoded, "rejected": c.rejected, "markers": c.markers, "duplicates": c.duplicates,
        **counted(c, mode), "calls": rpcs, "operations": operations, "gaps": gaps,
    }  # fmt: skip
    if format_ == "json":
        put_json(rows)
        return
    lines = table("", ">", headless=True)
    for word, count in rows.items():
        lines.add_row(word, number(count) or "?")
    put_table(lines)
