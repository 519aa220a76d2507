"""`rpcscope replay`: what was recorded, played again on an emulated cloud of another size, and recorded live."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rpcscope.cli.output import cell, console
from rpcscope.cli.run_options import RunOptions, run_options

if TYPE_CHECKING:
    from rpcscope.cli.performance import Performance
    from rpcscope.fleet.model import FleetFile
    from rpcscope.replay.player import Player
    from rpcscope.replay.recorded import Past
    from rpcscope.store.protocol import Reader

_CAPTURES = (".zst", ".jsonl", ".gz")
_MOST_HOSTS = 100_000


@click.command("replay")
@click.argument("what", metavar="CAPTURE|DB")
@click.option("--hosts", type=click.IntRange(1, _MOST_HOSTS), help="Emulated hosts. Default: as many as recorded.")
@click.option("--rate", type=click.FloatRange(0, 10_000, min_open=True), default=1.0, show_default=True,
              help="Operations for each one recorded.")  # fmt: skip
@click.option("--resample", type=click.FloatRange(0, 1e7, min_open=True), metavar="SECONDS",
              help="Draw operations by chance, at the recorded rate, for so long.")  # fmt: skip
@click.option("--kind", "kinds", multiple=True, help="Only this kind; may be given several times.")
@click.option("--background/--no-background", default=True, show_default=True, help="What timers do on every host.")
@click.option("--shape", type=click.Choice(["2026", "2025", "reduced"]), default="2026", show_default=True,
              help="Connections of a host: 5, 4, or 1 (not what nova does).")  # fmt: skip
@click.option("--profile", type=click.Choice(["classic", "quorum+stream"]), default="classic", show_default=True,
              help="Kinds of queues.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 1_000_000_000), default=1, show_default=True, help="Of what is drawn.")
@run_options
def replay_command(
    what: str,
    hosts: int | None,
    rate: float,
    resample: float | None,
    kinds: tuple[str, ...],
    background: bool,
    shape: str,
    profile: str,
    seed: int,
    **given: Any,
) -> int:
    """Play what was recorded again: operations at their true arrival times, what timers do on every host.

    CAPTURE is a capture file, DB a database of rpcscope. Each operation is played as it was recorded, with its own
    times and sizes; recorded hosts become as many emulated ones as are asked for. It is recorded live. By default a
    private broker is started for it; nothing is ever published to a vhost that it did not make itself.
    """
    from rpcscope.cli.carry_out import carry_out
    from rpcscope.cli.run_view import print_plan

    options = RunOptions.taken(given)
    with _reader(what) as reader:
        past = _past(reader, kinds)
    fleet = _fleet(past, hosts, shape, profile, seed, background=background)
    wanted = {"of": Path(what).name if _is_file(what) else "a database", "rate": rate, "resample_s": resample}
    performance = _performance(past, fleet, rate, resample, options.speed, wanted | {"kinds": list(kinds)})
    _say_left_out(past, options)
    return carry_out(performance, options, lambda: print_plan(performance))


@contextmanager
def _reader(what: str) -> Iterator[Reader]:
    from rpcscope.cli.options import opened

    if not _is_file(what):
        with opened(what) as store:
            yield store.reader()
        return
    from rpcscope.capture import CaptureReader
    from rpcscope.cli.importing import import_capture
    from rpcscope.rules import load_rules

    with (
        tempfile.TemporaryDirectory(prefix="rpcscope-replay-") as folder,
        opened(str(Path(folder, "recorded.sqlite")), create=True) as store,
    ):
        with CaptureReader(Path(what)) as capture:
            import_capture(store, capture, load_rules())
        yield store.reader()


def _is_file(what: str) -> bool:
    return what.endswith(_CAPTURES)


def _past(reader: Reader, kinds: tuple[str, ...]) -> Past:
    from rpcscope.replay.recorded import recorded
    from rpcscope.templates.chosen import Choice

    return recorded(reader, Choice(kinds=kinds))


def _fleet(past: Past, hosts: int | None, shape: Any, profile: Any, seed: int, *, background: bool) -> FleetFile:
    from rpcscope.fleet.model import Control, FleetFile, Hosts

    control = Control(shape=shape, profile=profile, background=background)
    return FleetFile(name="replay", hosts=(Hosts(count=hosts or max(1, len(past.hosts))),), control=control, seed=seed)


def _performance(
    past: Past, fleet: FleetFile, rate: float, resample: float | None, speed: float, wanted: dict[str, Any]
) -> Performance:
    from rpcscope.cli.expectations import asked_of, idle_of
    from rpcscope.cli.performance import Performance
    from rpcscope.fleet.names import host_names
    from rpcscope.replay.expected import expected
    from rpcscope.replay.mapping import Mapping
    from rpcscope.replay.player import Player
    from rpcscope.replay.schedule import drawn, repeated

    rng = random.Random(fleet.seed)  # noqa: S311 - no secret
    if resample is None:
        due = repeated([one.at_s for one in past.operations], past.lasts_s, rate, rng)
    else:
        due = drawn(len(past.operations), past.lasts_s, resample, rate, rng)
    names = [name for name, _ in host_names(fleet.hosts)]
    provenance = {one.kind: past.provenance for one in past.operations}
    return Performance(
        what="replay",
        hosts=names,
        templates=past.templates,
        control=fleet.control,
        speed=speed,
        seed=fleet.seed,
        asked=asked_of(fleet, speed, provenance) | {"parameters": wanted},
        expected=expected(past, due, speed) | {"idle": idle_of(fleet, past.timers, speed)},
        part=_Replaying(Player(past, due, Mapping(past.hosts, names, fleet.seed))),
    )


class _Replaying:
    """A replay as it is played."""

    def __init__(self, player: Player) -> None:
        self._player = player
        self.play = player.play

    def told(self) -> dict[str, Any]:
        from rpcscope.cli.expectations import pace_of

        return {"events": self._player.ended, "pace": pace_of(self._player.paced)}


def _say_left_out(past: Past, options: RunOptions) -> None:
    if options.format_ != "table":
        return
    hosts, timers = len(past.hosts), len(past.timers)
    console().print(
        cell(
            f"Recorded: {len(past.operations):,} operations on {hosts:,} hosts in {past.lasts_s:,.1f} s, "
            f"{timers} kinds of timers."
        )
    )
    for kind, whys in sorted(past.left_out.items()):
        for why, count in whys.most_common():
            console().print(cell(f"left out: {count:,} of {kind or 'unknown kind'}: {why}", "dim"))
