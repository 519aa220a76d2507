"""What a run leaves behind that was killed: a private broker, a recorder, folders here; a vhost on a broker.

Each bears the mark of its owner. What bears none, or whose owner lives, is left alone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rpcscope.errors import UsageError

if TYPE_CHECKING:
    from rpcscope.emulator.owner import Owner

OWNED = "RPCSCOPE_RUN_OWNER"
"""In the environment of a recorder: whose it is."""
FOLDERS = ("rpcscope-broker-*", "rpcscope-run-*")
_MARK = "owner"
_HOUR_S = 3_600


def own(folder: Path) -> None:
    """Mark a folder as this process's."""
    from rpcscope.emulator.owner import Owner

    (folder / _MARK).write_text(Owner.ourselves().words)


def owned() -> dict[str, str]:
    """For the environment of a child, the same."""
    from rpcscope.emulator.owner import Owner

    return {OWNED: Owner.ourselves().words}


def clean_up(transport_url: str | None, management_url: str | None, older_than_h: float | None) -> None:
    """Remove it, and say what was removed. Raises UsageError, BrokerError."""
    if bool(transport_url) != bool(management_url):
        raise UsageError("--transport-url and --management-url belong together: name both, or neither")
    removed = [*_recorders(), *_folders()]
    if transport_url and management_url:
        from rpcscope.cli.ground import named
        from rpcscope.emulator import clean

        older_s = None if older_than_h is None else older_than_h * _HOUR_S
        place = named(transport_url, management_url)
        removed += [f"vhost {name}" for name in clean(place.management, older_than_s=older_s)]
    for what in removed:
        click.echo(f"removed: {what}")
    if not removed:
        click.echo("No ended run of the emulator has left anything behind.")


def _recorders() -> Iterator[str]:
    for pid, environment in _processes():
        owner = _read(environment.get(OWNED.encode(), b"").decode(errors="replace"))
        if owner is not None and _is_gone(owner):
            _end(pid)
            yield f"the recorder with pid {pid}"


def _folders() -> Iterator[str]:
    for pattern in FOLDERS:
        for folder in sorted(Path(tempfile.gettempdir()).glob(pattern)):
            if _is_left(folder):
                for pid, environment in _processes():
                    if environment.get(b"HOME") == os.fsencode(folder):
                        _end(pid)
                shutil.rmtree(folder, ignore_errors=True)
                yield f"{'the private broker' if 'broker' in pattern else 'the folder'} {folder.name}"


def _is_left(folder: Path) -> bool:
    try:
        owner = _read((folder / _MARK).read_text(errors="replace"))
    except OSError:
        return False
    return owner is not None and _is_gone(owner)


def _read(text: str) -> Owner | None:
    from rpcscope.emulator.owner import Owner

    return Owner.read(text)


def _is_gone(owner: Owner) -> bool:
    return owner.is_here() and not owner.is_alive()


def _processes() -> Iterator[tuple[int, dict[bytes, bytes]]]:
    """Processes of this user with their environments. Source: proc(5)."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parts = (folder / "environ").read_bytes().split(b"\0")
            pairs = (part.partition(b"=") for part in parts if b"=" in part)
            yield int(folder.name), {name: value for name, _, value in pairs}


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
