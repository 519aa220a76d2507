"""`rpcscope`: its commands, its options, and how an error ends it."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import click

from rpcscope import __version__
from rpcscope.cli.lazy import Lazy
from rpcscope.errors import RpcscopeError

COMMANDS = {
    "record": ("rpcscope.cli.record", "Record a live broker until Ctrl-C."),
    "capture": ("rpcscope.cli.record", "Record a live broker into a scrubbed capture file."),
    "untrace": ("rpcscope.cli.record", "End tracing that a recorder left on."),
    "unit": ("rpcscope.cli.unit", "A systemd unit that records."),
    "trigger": ("rpcscope.cli.trigger", "Have a flight recorder look closer now."),
    "import": ("rpcscope.cli.files", "Store capture files."),
    "scrub": ("rpcscope.cli.files", "Make a capture that can be shared."),
    "cost": ("rpcscope.cli.look", "What each kind of operation costs in RPCs."),
    "operations": ("rpcscope.cli.look", "List operations."),
    "show": ("rpcscope.cli.look", "One operation: who called whom, and how long it took."),
    "calls": ("rpcscope.cli.look", "List calls, casts and fanouts."),
    "stuck": ("rpcscope.cli.look", "Operations that are not over: who owes the answer."),
    "status": ("rpcscope.cli.status", "Recorders: which run, how far behind, what they missed."),
    "inflight": ("rpcscope.cli.inflight", "What each process has in hand, beside the depth of its queues."),
    "queues": ("rpcscope.cli.queues", "How deep the queues are, which grow, which nobody consumes."),
    "doctor": ("rpcscope.cli.doctor", "Red flags: what is wrong, why it matters, what to do."),
    "diff": ("rpcscope.cli.diff", "What became of the RPCs from one recording to another."),
    "budget": ("rpcscope.cli.budget", "What operations may cost, checked in a CI job."),
    "handbook": ("rpcscope.cli.handbook", "Reference pages of what operations cost, as Markdown."),
    "export": ("rpcscope.cli.export", "To OpenTelemetry, Prometheus, files."),
    "template": ("rpcscope.cli.template", "What operations do, learned from recordings, to be emulated."),
    "fleet": ("rpcscope.cli.fleet", "Describe an emulated cloud: check a fleet file, an example, its schema."),
    "emulate": ("rpcscope.cli.emulate", "Play a flow on an emulated cloud, and record it."),
    "replay": ("rpcscope.cli.replay", "Play a recording again, on another number of hosts."),
    "serve": ("rpcscope.cli.serve", "The dashboard, in a browser."),
    "db": ("rpcscope.cli.database", "Upgrade, inspect and prune the database."),
    "demo": ("rpcscope.cli.demo", "A recording of a real nova, and the same played live."),
}
INTERRUPTED = 130


class _ReadNoFurther(Exception):
    """Who reads our output has gone: `rpcscope calls | head`. Click would make an error of a BrokenPipeError."""


class _Commands(Lazy):
    """All of them."""

    modules = COMMANDS

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ReadNoFurther from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="rpcscope")
@click.option("-v", "--verbose", count=True, help="More messages on stderr; twice for all.")
def cli(verbose: int) -> None:
    """RPC observability for OpenStack control planes.

    Records what nova and its friends say to each other over RabbitMQ, and answers how many RPCs a VM
    boot makes, which ones, and where the time goes. Begin with `rpcscope demo`.
    """
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(level=logging.WARNING, format="rpcscope: %(message)s", stream=sys.stderr)
    for name in ("rpcscope", "rpcscope_collectors"):
        logging.getLogger(name).setLevel(level)


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit: 0 well, 1 to 5 see rpcscope.errors, 130 interrupted."""
    sys.exit(_run(args))


def _run(args: list[str] | None) -> int:
    try:
        result: Any = cli.main(args=args, prog_name="rpcscope", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Abort:
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        return _say(_usage(error), error.exit_code)
    except RpcscopeError as error:
        return _say(str(error), error.exit_code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (_ReadNoFurther, BrokenPipeError):
        _close_output()
        return 0
    except OSError as error:
        _close_output()
        return _say(f"the system does not let it go on: {error.strerror}", RpcscopeError.exit_code)
    return result if isinstance(result, int) else 0


def _close_output() -> None:
    """What is still to be written goes nowhere, or Python would complain of it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _usage(error: click.ClickException) -> str:
    sentence = " ".join(error.format_message().split()).rstrip(".")
    where = getattr(error, "ctx", None)
    return f"{sentence}; see `{where.command_path} --help`" if where is not None else sentence


def _say(sentence: str, code: int) -> int:
    click.echo(f"rpcscope: {sentence}", err=True)
    return code
