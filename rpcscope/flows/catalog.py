"""All flows by name, and how one is run."""

from __future__ import annotations

import random
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from rpcscope.errors import UsageError
from rpcscope.fleet.state import Fleet
from rpcscope.flows.boot_storm import BootStorm, boot_storm
from rpcscope.flows.churn import Churn, churn
from rpcscope.flows.consolidation import Consolidation, consolidation
from rpcscope.flows.delete_storm import DeleteStorm, delete_storm
from rpcscope.flows.drain import Drain, drain
from rpcscope.flows.evacuation import Evacuation, evacuation
from rpcscope.flows.host_lifecycle import HostLifecycle, host_lifecycle
from rpcscope.flows.live_migration import LiveMigration, live_migration
from rpcscope.flows.outside import Nothing, Outside
from rpcscope.flows.parameters import Parameters
from rpcscope.flows.rebalance import Rebalance, rebalance
from rpcscope.flows.reconnect_storm import ReconnectStorm, reconnect_storm
from rpcscope.flows.report import Report
from rpcscope.flows.restart_storm import AgentRestartStorm, agent_restart_storm
from rpcscope.flows.rolling_update import RollingUpdate, rolling_update
from rpcscope.flows.stage import Stage
from rpcscope.flows.world import World


@dataclass(frozen=True, slots=True)
class Flow:
    """One of them."""

    name: str  # as on the command line
    parameters: type[Parameters]
    play: Callable[[Stage, Any], Awaitable[None]]

    @property
    def summary(self) -> str:
        """What it does, in one sentence."""
        return (sys.modules[self.play.__module__].__doc__ or "").partition("\n")[0]


FLOWS = {
    flow.name: flow
    for flow in (
        Flow("boot-storm", BootStorm, boot_storm),
        Flow("delete-storm", DeleteStorm, delete_storm),
        Flow("churn", Churn, churn),
        Flow("agent-restart-storm", AgentRestartStorm, agent_restart_storm),
        Flow("reconnect-storm", ReconnectStorm, reconnect_storm),
        Flow("live-migration", LiveMigration, live_migration),
        Flow("drain", Drain, drain),
        Flow("rolling-update", RollingUpdate, rolling_update),
        Flow("evacuation", Evacuation, evacuation),
        Flow("rebalance", Rebalance, rebalance),
        Flow("consolidation", Consolidation, consolidation),
        Flow("host-lifecycle", HostLifecycle, host_lifecycle),
    )
}


def flow_named(name: str) -> Flow:
    """Raises UsageError for a flow that does not exist."""
    if name not in FLOWS:
        raise UsageError(f"There is no flow {name!r}: take one of {', '.join(FLOWS)}.")
    return FLOWS[name]


async def run(
    flow: Flow,
    world: World,
    fleet: Fleet,
    parameters: Parameters,
    rng: random.Random,
    report: Report,
    outside: Outside | None = None,
) -> None:
    """Play a flow on a fleet in a world; ends when all that it began is over. The report is written on the way.

    Raises:
        UsageError: the parameters name what the fleet has not, or the world has no template of a kind.
        BrokerError: the world's broker failed.
    """
    stage = Stage(world=world, fleet=fleet, rng=rng, report=report, outside=outside or Nothing())
    try:
        await flow.play(stage, parameters)
    except BaseExceptionGroup as group:
        raise _first_error(group) from None
    finally:
        stage.close()


def _first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What went wrong first; the others are its consequences."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
