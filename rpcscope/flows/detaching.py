"""Takes a server out of what it serves before it moves, and puts it back: Kubernetes drain, Consul maintenance.

Both as emulated services that take time and may refuse, and as a user's own commands. A command is an argument list
without a shell, in which {server}, {host} and {dest} are put in; it runs only when a user said so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from rpcscope.errors import UsageError
from rpcscope.fleet.host import Server
from rpcscope.flows.parameters import Parameters, Seconds, Share, said
from rpcscope.flows.stage import Stage

PLACES = ("server", "host", "dest")


class Detaching(Parameters, frozen=True, kw_only=True):
    """What comes before and after a migration."""

    detach_s: Annotated[Seconds, said("that detaching a server takes (kubectl drain, consul maint); 0: none")] = 0.0
    attach_s: Annotated[Seconds, said("that attaching it again takes (kubectl uncordon, consul maint -disable)")] = 0.0
    detach_refused: Annotated[Share, said("of the servers that refuse to be detached (a disruption budget)")] = 0.0
    detach_command: Annotated[
        tuple[str, ...], said("program and arguments that detach; {server}, {host} and {dest} are put in")
    ] = ()
    attach_command: Annotated[tuple[str, ...], said("program and arguments that attach again")] = ()
    command_timeout_s: Annotated[Seconds, said("of the wall's clock, for each command")] = 300.0
    run_commands: Annotated[bool, said("run the commands; else they are only told in the report")] = False

    @property
    def any(self) -> bool:
        """Whether there is anything to do at all."""
        return bool(self.detach_s or self.attach_s or self.detach_refused or self.detach_command or self.attach_command)


async def detach(stage: Stage, asked: Detaching, server: Server, dest: str) -> bool:
    """Whether it was taken out of service."""
    if not asked.any:
        return True
    await stage.sleep(asked.detach_s)
    if stage.rng.random() < asked.detach_refused:
        stage.report.note("detaching refused", host=server.host, server=server.uuid)
        return False
    done = await _command(stage, asked, asked.detach_command, server, dest)
    stage.report.note("detached" if done else "detaching failed", host=server.host, server=server.uuid)
    return done


async def attach(stage: Stage, asked: Detaching, server: Server, dest: str) -> None:
    """Put it back, whether it moved or not."""
    if not asked.any:
        return
    await stage.sleep(asked.attach_s)
    done = await _command(stage, asked, asked.attach_command, server, dest)
    stage.report.note("attached" if done else "attaching failed", host=server.host, server=server.uuid)


async def _command(stage: Stage, asked: Detaching, argv: tuple[str, ...], server: Server, dest: str) -> bool:
    if not argv:
        return True
    words = {"server": server.uuid, "host": server.host, "dest": dest}
    filled = [filled_in(word, words) for word in argv]
    if not asked.run_commands:
        stage.report.note(
            "would run", host=server.host, server=server.uuid, program=filled[0], arguments=len(filled) - 1
        )
        return True
    return await stage.outside.command(filled, asked.command_timeout_s)


def filled_in(word: str, values: Mapping[str, str]) -> str:
    """An argument with its places filled in; other braces stay as they are."""
    for place in PLACES:
        word = word.replace("{" + place + "}", values[place])
    return word


def check_commands(asked: Detaching) -> None:
    """Raises UsageError for a way there without a way back."""
    if asked.detach_command and not asked.attach_command:
        raise UsageError("A command that detaches needs one that attaches again: give attach_command too.")
