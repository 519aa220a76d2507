"""`rpcscope emulate`: flows on an emulated cloud, recorded live."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rpcscope.cli.flow_options import flow_options, flow_parameters
from rpcscope.cli.ground import ground_options
from rpcscope.cli.run_options import RunOptions, run_options
from rpcscope.errors import UsageError

if TYPE_CHECKING:
    from rpcscope.cli.performance import Performance
    from rpcscope.fleet.model import FleetFile
    from rpcscope.flows.catalog import Flow
    from rpcscope.flows.parameters import Parameters
    from rpcscope.flows.plan import Plan
    from rpcscope.flows.world import World
    from rpcscope.templates.model import Template

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(path_type=Path)


class _Flows(click.Group):
    """A command for each flow, with options of its parameters."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from rpcscope.flows.catalog import FLOWS

        return list(FLOWS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from rpcscope.flows.catalog import FLOWS

        return _command(FLOWS[cmd_name]) if cmd_name in FLOWS else None


@click.group("emulate", cls=_Flows, invoke_without_command=True, subcommand_metavar="[FLOW] [OPTIONS]...")
@click.option("--list", "list_", is_flag=True, help="List the flows.")
@click.option("--clean", is_flag=True, help="Remove what a killed run left behind, here and on a broker that is named.")
@click.option("--older-than", type=click.FloatRange(0), metavar="HOURS",
              help="With --clean: also what runs on other hosts made so long ago.")  # fmt: skip
@ground_options
@click.pass_context
def emulate_command(
    context: click.Context,
    list_: bool,
    clean: bool,
    older_than: float | None,
    transport_url: str | None,
    management_url: str | None,
) -> None:
    """Play a flow on an emulated cloud: real messages on a real RabbitMQ, recorded while they are played.

    A fleet file says which hosts and servers there are (`rpcscope fleet example`); templates say what each operation
    does on the bus. The plan is shown first. By default a private broker is started for the run; on a broker of yours
    a vhost is made for it. Nothing is ever published to another vhost, and all of it is removed at the end.
    """
    if context.invoked_subcommand is not None:
        return
    if clean:
        from rpcscope.cli.cleaning import clean_up

        clean_up(transport_url, management_url, older_than)
    elif list_:
        from rpcscope.cli.run_view import print_flows

        print_flows()
    else:
        raise UsageError("name a flow, such as `rpcscope emulate rolling-update --fleet FILE`; --list shows all")


def _command(flow: Flow) -> click.Command:
    @click.pass_context
    def play(context: click.Context, /, fleet: Path, templates: Path | None, **given: Any) -> int:
        options = RunOptions.taken(given)
        return _play(flow, flow_parameters(flow, given), fleet, templates, options)

    command = click.Command(
        flow.name, params=list(flow_options(flow)), callback=play, help=flow.summary, short_help=flow.summary
    )
    command = click.option("--fleet", type=_FILE, required=True, help="The fleet file.")(command)
    command = click.option("--templates", type=_FOLDER, help="Templates of yours, before the shipped ones.")(command)
    made = run_options(command)
    assert isinstance(made, click.Command)  # noqa: S101 - decorators of a command give a command
    return made


def _play(
    flow: Flow, parameters: Parameters, fleet_path: Path, templates_path: Path | None, options: RunOptions
) -> int:
    from rpcscope.cli.carry_out import carry_out
    from rpcscope.cli.run_view import print_plan
    from rpcscope.cli.sheets import sheets
    from rpcscope.fleet.file import read
    from rpcscope.flows.plan import plan
    from rpcscope.replay.world_time import as_played

    fleet, templates = read(fleet_path), sheets(templates_path)
    planned = plan(flow, parameters, fleet, [as_played(one, fleet.control, options.speed) for one in templates])
    performance = _performance(flow, parameters, fleet, templates, planned, options)
    return carry_out(performance, options, lambda: print_plan(performance, planned.stuck))


def _performance(
    flow: Flow,
    parameters: Parameters,
    fleet: FleetFile,
    templates: list[Template],
    planned: Plan,
    options: RunOptions,
) -> Performance:
    from rpcscope.cli.expectations import asked_of, expected_of
    from rpcscope.cli.performance import Performance
    from rpcscope.fleet.state import Fleet

    return Performance(
        what=flow.name,
        hosts=tuple(Fleet.of(fleet).hosts),
        templates=templates,
        control=fleet.control,
        speed=options.speed,
        seed=fleet.seed,
        asked=asked_of(fleet, options.speed, planned.provenance) | {"parameters": planned.parameters},
        expected=expected_of(planned, fleet, templates, options.speed),
        part=_Flowing(flow, parameters, fleet),
    )


class _Flowing:
    """A flow as it is played."""

    def __init__(self, flow: Flow, parameters: Parameters, fleet: FleetFile) -> None:
        self._flow, self._parameters, self._fleet = flow, parameters, fleet
        self._report: Any = None

    async def play(self, world: World) -> None:
        from rpcscope.fleet.state import Fleet
        from rpcscope.flows.catalog import run
        from rpcscope.flows.report import Report
        from rpcscope.hooks.outside import RealOutside

        self._report = Report(self._flow.name, world.now_s)
        rng = random.Random(self._fleet.seed)  # noqa: S311 - no secret
        with RealOutside() as outside:
            await run(self._flow, world, Fleet.of(self._fleet), self._parameters, rng, self._report, outside)

    def told(self) -> dict[str, Any]:
        from rpcscope.cli.expectations import told_of

        return {} if self._report is None else told_of(self._report)
