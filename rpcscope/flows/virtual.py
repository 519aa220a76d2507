"""An event loop whose time is virtual: it jumps to the next timer as soon as nothing is left to do.

Callbacks run in the order in which they were asked for, timers of one instant too, so that a program without
chance runs the same way every time. It knows no files, sockets, threads or signals.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, TypeVar

from rpcscope.flows.timer_loop import TimerLoop

_T = TypeVar("_T")
_REAL = (
    *("add_reader", "remove_reader", "add_writer", "remove_writer", "add_signal_handler", "remove_signal_handler"),
    *("run_in_executor", "set_default_executor", "getaddrinfo", "getnameinfo", "start_tls", "sendfile"),
    *("create_connection", "create_server", "create_unix_connection", "create_unix_server"),
    *("create_datagram_endpoint", "connect_read_pipe", "connect_write_pipe", "connect_accepted_socket"),
    *("subprocess_exec", "subprocess_shell", "sock_accept", "sock_connect", "sock_recv", "sock_recv_into"),
    *("sock_recvfrom", "sock_recvfrom_into", "sock_sendall", "sock_sendfile", "sock_sendto"),
)


def run_virtual(main: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine to its end in virtual time, and return what it returns.

    Raises RuntimeError when it waits for something that nothing left can bring about.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


class VirtualLoop(TimerLoop):
    """The loop; `asyncio.Runner(loop_factory=VirtualLoop)` runs it, or `run_virtual`."""


def _refusal(name: str) -> Callable[..., NoReturn]:
    def refuse(*_args: object, **_more: object) -> NoReturn:
        raise RuntimeError(f"{name} needs the real world: this loop has a virtual clock and no input or output")

    return refuse


for _name in _REAL:
    setattr(VirtualLoop, _name, _refusal(_name))
