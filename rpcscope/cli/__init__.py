"""The command line: shells around the rooms, which are imported inside each command."""

from rpcscope.cli.main import main

__all__ = ["main"]
