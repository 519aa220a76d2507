"""CPU of processes as the kernel counts it, in ticks of 10 ms."""

from __future__ import annotations

import os
from pathlib import Path

from rpcscope.private_broker import PrivateBroker

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Seconds of CPU, user and system, that a process has used with all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def vm_pid(server: PrivateBroker) -> int:
    """Process id of a broker's Erlang VM."""
    return int(server.ctl("eval", "os:getpid().").strip().strip('"'))
