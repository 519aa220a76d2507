"""Runs a user's command. What it prints is not kept: it may hold secrets."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL
from collections.abc import Sequence

from rpcscope.errors import UsageError


async def run_command(argv: Sequence[str], timeout_s: float) -> bool:
    """Run a program with its arguments, without a shell; whether it ended with 0 in time.

    What is still running after `timeout_s` of the wall's clock is killed, with all that it started.
    Raises UsageError for a program that can not be started.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
        )
    except (OSError, ValueError):
        raise UsageError("A command of the flow can not be started: give its path and its rights.") from None
    try:
        async with asyncio.timeout(timeout_s):
            return await process.wait() == 0
    except TimeoutError:
        return False
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
