"""Environments of their own for what can not be installed beside the project, made of what is locked."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

_PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-deps")


def locked_environment(home: Path, lock: Path, *own: Path) -> Path:
    """An environment at `home` with every package of `lock`, and with projects of ours; made when it is not there.

    Another test that makes it is waited for.
    """
    home.mkdir(exist_ok=True)
    with (home / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        wanted, stamp = hashlib.sha256(lock.read_bytes()).hexdigest(), home / ".installed"
        if not stamp.exists() or stamp.read_text() != wanted:
            stamp.unlink(missing_ok=True)
            subprocess.run([sys.executable, "-m", "venv", home], check=True)
            _install(home, "--require-hashes", "-r", str(lock))
            for project in own:
                _install(home, "--no-build-isolation", "-e", str(project))
            stamp.write_text(wanted)
    return home


def _install(home: Path, *what: str) -> None:
    subprocess.run([home / "bin" / "python", *_PIP, *what], check=True, stdout=subprocess.DEVNULL)
