"""`rpcscope record`, `capture` and `untrace`: a live broker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rpcscope.cli.brokers import one_place, places, places_beside
from rpcscope.cli.export_metrics import Telling, metrics_options
from rpcscope.cli.fit import put_table
from rpcscope.cli.flight import course, flight_options
from rpcscope.cli.labels import label_option
from rpcscope.cli.listening import listen_options
from rpcscope.cli.notified import notification_options
from rpcscope.cli.options import broker_options, db_option, format_option, opened, rules_option, the_rules
from rpcscope.cli.otlp import exporting, live_options
from rpcscope.cli.output import number, put_json, table
from rpcscope.cli.spans_in import otlp_in_options
from rpcscope.errors import UsageError
from rpcscope.modes import visible

if TYPE_CHECKING:
    from rpcscope.cli.live import Live
    from rpcscope.model import Gap
    from rpcscope.store.protocol import Reader
    from rpcscope_collectors.management import Management


def _broker_options(command: Any) -> Any:
    state = click.option("--state-dir", type=click.Path(path_type=Path), help="Where it is noted that tracing is ours.")
    return broker_options(state(command))


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
        click.option("--beside", is_flag=True, help="Although another tap reads the vhost: the broker pays for both."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.command("record")
@_broker_options
@_tap_options
@flight_options
@live_options
@listen_options
@otlp_in_options
@notification_options
@label_option()
@click.option("--dry-run", is_flag=True, help="Say what each mode would cost the broker now, and change nothing.")
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
    "--queues-every",
    type=click.FloatRange(1),
    metavar="SECONDS",
    help="Look at queue depth so often, whatever that costs. Default: as often as 2 % of a broker's core allow.",
)
@click.option(
    "--churn", is_flag=True, help="Queues, connections and consumers that come and go (rabbitmq_event_exchange)."
)
@metrics_options
@format_option("table", "json")
def record_command(
    db: str | None, rules: tuple[Path, ...], conditions: str, duration: float | None, ignore_traceparent: bool,
    format_: str, prometheus_urls: tuple[str, ...], queues_every: float | None, churn: bool, dry_run: bool,
    labels: dict[str, str],
    **where: Any,
) -> None:  # fmt: skip
    """Record the RPCs of a live broker until Ctrl-C, into the database.

    Switches RabbitMQ's tracing on through the management API and off again at the end. What the database
    has is acknowledged, nothing before; a recorder that was killed goes on where it stopped. Where it may
    ask (--management-url, --prometheus-url), it samples the queues, too: see `rpcscope queues`.

    Several brokers (cells) are recorded at once when --transport-url or --config-file is given several
    times. Each --management-url then goes to the broker of its host; VHOST=URL or HOST:PORT=URL says which.

    With --listen, services whose oslo.messaging is tapped from inside tell their own times, with --otlp-listen
    those that trace themselves: beside a broker, or without one. With --notifications, what services notify of
    is taken by a queue of our own; who reads notifications already gets all of them.
    """
    from rpcscope.cli.dry_run import say_costs
    from rpcscope.cli.ears import ears_of, hearing
    from rpcscope.cli.keep import kept
    from rpcscope.cli.live import Live, Plan, record_all
    from rpcscope.cli.tapped import running

    flight, metrics, ears = course(where), Telling(where), ears_of(where)
    plan = Plan(
        rules=the_rules(rules), conditions=conditions, use_traceparent=not ignore_traceparent, churn=churn,
        where=where, course=flight, labels=labels, queues_every_s=queues_every, meters=metrics.meters, ears=ears,
    )  # fmt: skip
    found = places_beside(ears, where, prometheus_urls)
    if dry_run:
        say_costs(found, where, flight, format_)
        return
    with opened(db, create=True) as store, exporting(store, where) as hear, metrics.told(), hearing(ears):
        lives = [Live(store, place, replace(plan, hear=hear)) for place in found or (None,)]
        with running([live.tapped for live in lives], duration), kept(store, flight.keep_ns):
            metrics.reports += [live.begin() for live in lives]
            record_all(lives)
        reader = store.reader()
        _say_gaps(reader.gaps(min(live.recording.started_ns for live in lives)))
        rows = [_totals(live, reader) for live in lives]
    _print_totals(rows, format_)
    failed = [live.failure for live in lives if live.failure is not None]
    if failed:  # each was said when it happened
        click.get_current_context().exit(getattr(failed[0], "exit_code", 1))


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
    conditions: str,
    duration: float | None,
    keyfile: Path | None,
    **where: Any,
) -> None:
    """Record a live broker into a scrubbed capture FILE, until Ctrl-C. `rpcscope import` stores it."""
    from rpcscope.capture import CaptureWriter, Header, Pseudonyms, Scrubber, load_key
    from rpcscope.cli.tapped import ENDS, Tapped, running
    from rpcscope.model import Gap, Observation, Topology

    scrubber = Scrubber(the_rules(rules), Pseudonyms(load_key(keyfile)) if keyfile else None)
    place = one_place(where)
    broker, mode = place.broker, where["mode"]
    header = Header(source="firehose", label="" if keyfile else broker.vhost, mode=mode, conditions=conditions)
    with CaptureWriter(file, header, scrubber) as out:
        tapped = Tapped(place, where)
        with running([tapped], duration):
            click.echo(f"rpcscope: capturing {broker}, mode {mode}, into {file}; {ENDS}", err=True)
            for sightings in tapped.tap.batches():
                for seen in sightings:
                    if isinstance(seen, Observation | Topology | Gap):  # its one phase is the header's mode
                        out.write(seen)
                out.flush()
                tapped.tap.ack()
            tapped.stored()
    click.echo(f"{file}: {out.written:,} events, {out.dropped:,} left out because they are no oslo.messaging messages")


@click.command("untrace")
@_broker_options
@click.option("--force", is_flag=True, help="Also when the recorder that switched it on still runs.")
def untrace_command(force: bool, **where: Any) -> None:
    """End tracing that a recorder of this machine left on. Tracing of others stays."""
    from rpcscope.cli.tapped import managements_of, state_dir
    from rpcscope_collectors.tracing import leases, untrace

    state = state_dir(where["state_dir"])
    left = leases(state)
    if not where["transport_urls"] and not where["config_files"]:
        for lease in left:
            holder = f"{lease.owner} records it" if lease.is_held() else "its recorder is gone"
            click.echo(f"vhost {lease.vhost}: switched on by rpcscope on {', '.join(lease.switched_on)}; {holder}")
        if not left:
            click.echo("No recorder of this machine has left tracing on.")
            return
        raise UsageError("name the broker: --transport-url or --config-file, and --management-url")
    managing: dict[str, list[Management]] = {}  # brokers may have vhosts of one name: a lease knows its own
    for place in places(where["transport_urls"], where["config_files"], where["management_urls"]):
        managing.setdefault(place.broker.vhost, []).extend(managements_of(place))
    for vhost, managements in managing.items():
        ended = untrace(managements, vhost, state, force=force)
        click.echo(
            f"Tracing of vhost {vhost} ended on {', '.join(ended)}." if ended else "No tracing of ours was left on."
        )


def _say_gaps(gaps: Sequence[Gap]) -> None:
    from rpcscope.query.times import iso

    for gap in gaps:
        missed = "an unknown number of" if gap.estimate is None else f"about {gap.estimate:,}"
        click.echo(
            f"rpcscope: blind {iso(gap.from_ns)} to {iso(gap.to_ns)} ({gap.cause.name.lower()}): {missed} messages",
            err=True,
        )


def _totals(live: Live, reader: Reader) -> dict[str, Any]:
    """What a recording holds, by the word that is shown."""
    ours = live.recording.id
    c = next(info.counters for info in reader.recordings() if info.recording.id == ours)
    began = reader.recording_totals(ours)
    gaps = sum(total.gaps for total in reader.gap_totals() if total.recording_id == ours)
    return {
        "broker": live.broker, "seen": c.seen, "decoded": c.decoded, "rejected": c.rejected, "markers": c.markers,
        "duplicates": c.duplicates, **visible(c, live.recording.tap_mode), "calls": began.rpcs,
        "operations": began.operations, "gaps": gaps,
    }  # fmt: skip


def _print_totals(rows: Sequence[dict[str, Any]], format_: str) -> None:
    """Of one broker its numbers alone, of several a column, in JSON an object, for each."""
    names = [row.pop("broker") for row in rows] if len(rows) == 1 else [row["broker"] for row in rows]
    if format_ == "json":
        put_json(rows[0] if len(rows) == 1 else rows)
        return
    lines = table("", *(f">{name}" for name in names), headless=len(rows) == 1)
    for word in (word for word in rows[0] if word != "broker"):
        lines.add_row(word, *(number(row[word]) or "?" for row in rows))
    put_table(lines)
