"""Getting connected: the socket, then who we are, what both can do, which vhost."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import resource
import socket
from typing import Any

from pamqp.commands import Channel
from pamqp.commands import Connection as Conn

from rpcscope.amqp.connection import Connection
from rpcscope.amqp.garbage import Garbage
from rpcscope.amqp.handler import Handler
from rpcscope.amqp.refused import Refused, not_let_in, shown
from rpcscope.amqp.session import FRAME_MAX
from rpcscope.amqp.where import Where
from rpcscope.errors import BrokerError

_LEAST_FRAME_MAX = 4096  # AMQP's own
_BIND_ADDRESS_NO_PORT = 24  # Linux: choose the port when the peer is known, so that it need differ only for one peer
_CAPABILITIES = (
    *("publisher_confirms", "consumer_cancel_notify", "connection.blocked", "basic.nack"),
    "authentication_failure_close",  # else a wrong password is a socket closed without a word
)


async def connect(
    where: Where,
    *,
    name: str,
    handler: Handler,
    product: str = "rpcscope",
    heartbeat_s: int = 60,
    source: str | None = None,
    timeout_s: float = 10.0,
) -> Connection:
    """An open connection with its channel.

    `name` is the connection's name at the broker, `source` a local address to come from (127.x.y.z: each has ports of
    its own), `heartbeat_s` 0 for none. Keep some hundred at once at most: more wait in the kernel, and time out there.
    Raises BrokerError, one sentence: not reached, refused, no such vhost, no answer in `timeout_s`, out of file
    descriptors.
    """
    if source is not None and not _is_address(source):
        raise BrokerError(f"The source {shown(source)} is no address: give one of this machine, such as 127.0.0.2.")
    try:
        async with asyncio.timeout(timeout_s):
            connection = _begun(await _socket(where, source), where, name)
            try:
                await _shake_hands(connection, where, product, heartbeat_s)
            except BaseException:
                connection.abort()
                raise
    except Refused as refused:
        said = not_let_in(refused, where)
        if said is None:
            raise
        raise said from refused
    except TimeoutError as error:
        raise BrokerError(
            f"The broker at {where} did not answer in {timeout_s:g} s: see whether it is overloaded, and connect fewer "
            "at once."
        ) from error
    except (OSError, OverflowError, UnicodeError) as error:
        raise BrokerError(_not_reached(error, where, source)) from error
    connection.tell(handler)
    return connection


async def _socket(where: Where, source: str | None) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in where.host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source is not None:
            made.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
            made.bind((source, 0))
        await asyncio.get_running_loop().sock_connect(made, (where.host, where.port))
    except BaseException:
        made.close()
        raise
    return made


def _begun(connected: socket.socket, where: Where, name: str) -> Connection:
    try:
        return Connection(connected, where, name)
    except OSError:
        connected.close()
        raise


async def _shake_hands(connection: Connection, where: Where, product: str, heartbeat_s: int) -> None:
    start: Conn.Start = await connection.hello()
    if "PLAIN" not in str(start.mechanisms).split():
        raise BrokerError(f"The broker at {where} takes no passwords (PLAIN): allow it in auth_mechanisms.")
    about: dict[str, Any] = {
        "product": product,
        "connection_name": connection.name,
        "capabilities": dict.fromkeys(_CAPABILITIES, True),
    }
    tune: Conn.Tune = await connection.ask(
        Conn.StartOk(about, "PLAIN", f"\0{where.username}\0{where.password}", "en_US")
    )
    frame_max = min(tune.frame_max or FRAME_MAX, FRAME_MAX)
    if frame_max < _LEAST_FRAME_MAX:
        raise Garbage("a frame_max under 4096")
    every_s = min(heartbeat_s, tune.heartbeat or heartbeat_s)
    connection.agree(frame_max, every_s)
    await connection.ask(Conn.TuneOk(1, frame_max, every_s), Conn.Open(where.vhost), Channel.Open())
    connection.check_open()  # the answer and an end may have come together


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _not_reached(error: Exception, where: Where, source: str | None) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.EMFILE, errno.ENFILE):
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return f"This process is out of file descriptors (it may have {limit}): raise the limit (ulimit -n)."
    if number == errno.EADDRNOTAVAIL:
        return f"No port is free at {source or 'this machine'} for {where}: connect from more of its addresses."
    cause = os.strerror(number) if number and not isinstance(error, socket.gaierror) else "no such address"
    return f"The broker at {where} can not be reached ({cause}): check host and port, and that it runs."
