"""`rpcscope demo`: a recording of a real nova, and the same played live on a private broker."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rpcscope.cli.cost_view import print_costs
from rpcscope.cli.fit import put_table
from rpcscope.cli.gap_view import print_gaps
from rpcscope.cli.output import cell, console, heading, number, table
from rpcscope.cli.serve import serve_anywhere
from rpcscope.errors import BrokerError, RpcscopeError

if TYPE_CHECKING:
    from rpcscope.demo.player import Played, Player
    from rpcscope.demo.scenes import Scene
    from rpcscope.model import Counters
    from rpcscope.private_broker import PrivateBroker
    from rpcscope.store.protocol import Reader
    from rpcscope.store.store import Store

SHOWN = ("create", "live-migration", "evacuate")
PLAYED = {"create": 3, "live-migration": 2, "evacuate": 1}
_GET_A_BROKER = """\
To see the same live, install a RabbitMQ server and run it again (Debian, Ubuntu: apt-get install rabbitmq-server)."""
_QUIET_S = 5.0
"""An operation's last reply and the tap's last batch are well within this."""


@click.command("demo")
@click.option("--no-live", is_flag=True, help="Only the recording, also where a RabbitMQ server is installed.")
@click.option("--serve/--no-serve", default=None, help="End by serving the dashboard; by default on a terminal.")
@click.option("--speed", type=click.FloatRange(0.1, 100), default=1.0, show_default=True, help="Of the live play.")
def demo_command(no_live: bool, serve: bool | None, speed: float) -> int:
    """What a boot, a live migration and an evacuation cost: from a recording of a real nova, then live.

    The live part starts a private throwaway RabbitMQ on free ports of this machine, plays the recorded
    operations with real oslo.messaging clients and servers, records them, and compares the counts.
    """
    from rpcscope.private_broker import PrivateBroker

    with tempfile.TemporaryDirectory(prefix="rpcscope-demo-") as folder, _store(folder, "recording") as recorded:
        _import_recordings(recorded)
        _show(recorded.reader())
        stays = console().is_terminal if serve is None else serve
        if no_live or not PrivateBroker.available():
            if not no_live:
                console().print(f"\n{_GET_A_BROKER}")
            return serve_anywhere(recorded) if stays else 0
        with _store(folder, "live") as live:
            status = _play(recorded, live, speed)
            if stays:
                _import_recordings(live)
                return serve_anywhere(live)
            return status


def _store(folder: str, name: str) -> Store:
    from rpcscope.store import open_store

    return open_store(str(Path(folder, f"{name}.sqlite")), create=True)


def _import_recordings(store: Store) -> None:
    from rpcscope.capture import CaptureReader
    from rpcscope.cli.importing import import_capture
    from rpcscope.rules import load_rules

    with resources.as_file(resources.files("rpcscope.demo").joinpath("recordings")) as folder:
        for path in sorted(folder.glob("*.jsonl.zst")):
            with CaptureReader(path) as reader:
                import_capture(store, reader, load_rules())


def _show(reader: Reader) -> None:
    from rpcscope.cli.tree_view import print_tree
    from rpcscope.query.calls import Calls
    from rpcscope.query.cost import conditions, costs
    from rpcscope.query.gaps import gaps_touching
    from rpcscope.query.operations import Operations
    from rpcscope.query.tree import grow
    from rpcscope.store.protocol import OperationFilter

    heading("What a real nova did")
    shown = [c for c in costs(reader) if c.kind in SHOWN]
    print_costs(shown, conditions(reader), with_methods=False, missed=gaps_touching(reader))
    boot = list(Operations(reader).find(OperationFilter(kind="create")))[-1]
    heading("One boot")
    calls = Calls(reader).of_operation(boot.ids)
    print_tree(boot, grow([c for c in calls if c.call.cause_id in boot.ids]), [])


def _play(recorded: Store, live: Store, speed: float) -> int:
    from rpcscope.demo.player import Player
    from rpcscope.private_broker import PrivateBroker

    screen = console()
    heading("The same, played live")
    scenes = _scenes(recorded.reader())
    screen.print("Starting a private RabbitMQ, 1 API, 2 conductors, 2 schedulers and 3 computes ...")
    with PrivateBroker(plugins=("rabbitmq_management", "rabbitmq_event_exchange")) as broker:
        broker.add_vhost("rpcscope-demo")
        url = broker.transport_url("rpcscope-demo")
        with Player(url) as player:
            played, totals = _record(broker, url, live, player, scenes, speed)
    screen.print(
        f"Played {len(played)} operations; recorded {totals.seen:,} events = {totals.decoded:,} decoded + "
        f"{totals.rejected:,} rejected + {totals.markers:,} markers."
    )
    return _compare(recorded.reader(), live.reader(), played)


def _scenes(reader: Reader) -> list[Scene]:
    from rpcscope.demo.scenes import scenes
    from rpcscope.model import Status
    from rpcscope.store.protocol import OperationFilter

    chosen = []
    for kind, wanted in PLAYED.items():
        whole = [o for o in reader.operations(OperationFilter(kind=kind)) if o.complete and o.status is Status.DONE]
        chosen += whole[:wanted]
    calls = reader.calls(cause_ids=[o.id for o in chosen])
    return scenes(chosen, calls, reader.processes().values())


def _record(
    broker: PrivateBroker, url: str, live: Store, player: Player, scenes: list[Scene], speed: float
) -> tuple[list[tuple[Scene, Played]], Counters]:
    """Play the scenes one after the other while a tap records them."""
    import threading

    from rpcscope.cli.brokers import Place
    from rpcscope.cli.watch import watched
    from rpcscope.pipeline import Recorder
    from rpcscope.rules import load_rules
    from rpcscope_collectors.management import Management
    from rpcscope_collectors.tap import Tap
    from rpcscope_collectors.tracing import Tracing
    from rpcscope_collectors.transport import from_transport_url

    where = from_transport_url(url)
    managements = [Management(broker.management_url, where.username, where.password)]
    tracing = Tracing(managements, where.vhost, broker.folder / "state")
    tap = Tap(where, mode="full", name="demo", managements=managements, tracing=tracing, topology_interval_s=2.0)
    played: list[tuple[Scene, Played]] = []
    problem: list[RpcscopeError] = []

    def perform() -> None:
        try:
            for scene in scenes:
                played.append((scene, player.play(scene, speed=speed)))
            time.sleep(_QUIET_S)
        except RpcscopeError as error:
            problem.append(error)
        finally:
            tap.stop()

    with tap:
        writer = live.writer()
        resume = writer.start(
            source="firehose", scope=f"{where} demo", digest="", label=where.vhost, tap_mode="full",
            conditions="played from a recording on this machine", started_ns=time.time_ns(),
        )  # fmt: skip
        recorder = Recorder(writer, resume, load_rules(), clock=time.time_ns)
        stage = threading.Thread(target=perform, name="rpcscope-stage")
        stage.start()
        with watched(tap, Place(broker=where, management_urls=(broker.management_url,)), churn=True) as source:
            recorder.run(source)
        stage.join()
        totals = recorder.end()
    if problem:
        raise problem[0]
    return played, totals


def _compare(recorded: Reader, live: Reader, played: list[tuple[Scene, Played]]) -> int:
    from rpcscope.query.gaps import gaps_touching

    lines = table("operation", "request id", ">messages recorded", ">messages live", ">methods", "counts by method")
    wrong = 0
    for scene, one in played:
        before, now = _by_method(recorded, scene.request_id), _by_method(live, one.request_id)
        wrong += before != now
        verdict = cell("equal", "green") if before == now else cell(f"differ: {_difference(before, now)}", "red")
        counts = (before.total(), now.total(), len(before))
        lines.add_row(cell(scene.kind), cell(one.request_id), *map(number, counts), verdict)
    put_table(lines, spare=("request id",), fold="operation")
    print_gaps([gaps_touching(live)])
    if not played or wrong:
        raise BrokerError(f"{wrong} of {len(played)} operations were not recorded live as they were played")
    return 0


def _by_method(reader: Reader, request_id: str) -> Counter[str]:
    """Messages of an operation by cause: by method, with its replies."""
    from rpcscope.store.protocol import OperationFilter

    ids = [o.id for o in reader.operations(OperationFilter(request_id=request_id))]
    found: Counter[str] = Counter()
    for call in reader.calls(cause_ids=ids):
        found[call.method] += call.publishes + call.replies + call.heartbeats
    return found


def _difference(before: Counter[str], now: Counter[str]) -> str:
    return ", ".join(f"{m} {before[m]} > {now[m]}" for m in sorted(before | now) if before[m] != now[m])
