"""The only place that an emulation publishes to: a vhost that it made itself.

A replayed boot in nova's own vhost would be carried out by the real conductor. So there is no way to give the emulator
a vhost: whoever has an OwnVhost has made it, and its address never leaves this module.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn, Self

from rpcscope.amqp import Connection, Handler, Where, connect
from rpcscope.emulator.management import Management, Vhost
from rpcscope.emulator.owner import Owner
from rpcscope.errors import BrokerError, UsageError

PREFIX = "rpcscope-"
MARK = "rpcscope-emulator"
_FLOW = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
_ENDS = (signal.SIGINT, signal.SIGTERM)


class OwnVhost:
    """A vhost `rpcscope-<flow>-<8 hex>` that is made on entry and deleted on exit, whatever happens in between.

    with OwnVhost(management, "boot-storm", host="127.0.0.1", port=5672, username=..., password=...) as own:
        asyncio.run(...)
    """

    def __init__(
        self, management: Management, flow: str, *, host: str, port: int, username: str, password: str
    ) -> None:
        """Nothing is made yet. The account is the emulation's; it gets every right on the vhost, and needs no other.

        Raises UsageError for a flow's name that is not of lower-case letters, digits and dashes.
        """
        if not _FLOW.fullmatch(flow):
            raise UsageError("Name the flow in lower-case letters, digits and dashes, at most 61 of them.")
        self.name = f"{PREFIX}{flow}-{secrets.token_hex(4)}"
        self._management = management
        self._where = Where(host, port, self.name, username, password)
        self._owner = Owner.ourselves()
        self._made = False
        self._handlers: dict[int, object] = {}

    def __repr__(self) -> str:
        """The name alone."""
        return f"OwnVhost({self.name!r})"

    @property
    def is_local(self) -> bool:
        """The broker is at an address of this machine's loopback, so that clients may come from any 127.x.y.z."""
        return self._where.host.startswith("127.") or self._where.host == "localhost"

    def __enter__(self) -> Self:
        """Make it. Raises BrokerError when the broker refuses, or has a vhost of that name."""
        if self._management.vhost(self.name) is not None:
            raise BrokerError(f"The broker has a vhost {self.name} already: it is not ours; run it again.")
        self._catch_signals()
        try:
            self._made = True
            mark = Vhost(self.name, f"{MARK}: {self._owner.words}", (MARK,))
            self._management.make(mark)
            self._management.grant(self.name, self._where.username)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        """Delete it. A second Ctrl-C does not stop this. BrokerError, unless more went wrong before."""
        with _undisturbed():
            try:
                if self._made:
                    self._made = False
                    _delete(self._management, self.name, self._owner)
            except BrokerError:
                if not exc or exc[0] is None:
                    raise
            finally:
                for number, handler in self._handlers.items():
                    signal.signal(number, handler)  # type: ignore[arg-type]
                self._handlers.clear()

    async def connect(
        self, name: str, handler: Handler, *, source: str | None = None, heartbeat_s: int = 60, timeout_s: float = 10.0
    ) -> Connection:
        """A connection to it, and to nothing else. Raises BrokerError, also before entry and after exit."""
        if not self._made:
            raise BrokerError(f"The vhost {self.name} is not there: enter it with `with` first.")
        return await connect(
            self._where,
            name=name,
            product=MARK,
            handler=handler,
            source=source if self.is_local else None,
            heartbeat_s=heartbeat_s,
            timeout_s=timeout_s,
        )

    def _catch_signals(self) -> None:
        """SIGTERM ends a program without a word; with this it is unwound, and the vhost goes. Others' handlers stay."""
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            self._handlers[signal.SIGTERM] = signal.signal(signal.SIGTERM, _unwind)


def clean(management: Management, *, older_than_s: float | None = None) -> list[str]:
    """Delete what ended runs left behind, and return the names: our vhosts whose owner is gone.

    A vhost is ours when it bears our mark; its name alone proves nothing. An owner on another host can not be asked:
    its vhosts go only when they are older than `older_than_s`.
    """
    removed = []
    for vhost in management.vhosts():
        owner = _owner_of(vhost)
        if owner is not None and _is_gone(owner, older_than_s):
            _delete(management, vhost.name, owner)
            removed.append(vhost.name)
    return removed


def _is_gone(owner: Owner, older_than_s: float | None) -> bool:
    if owner.is_here():
        return not owner.is_alive()
    return older_than_s is not None and Owner.ourselves().since_s - owner.since_s > older_than_s


def _owner_of(vhost: Vhost | None) -> Owner | None:
    """Who made it; None when it is not marked as ours, whatever its name."""
    if vhost is None or not vhost.name.startswith(PREFIX) or MARK not in vhost.tags:
        return None
    return Owner.read(vhost.description) if vhost.description.startswith(f"{MARK}: ") else None


def _delete(management: Management, name: str, owner: Owner) -> None:
    """Look again first: what bears another mark now is not ours to delete."""
    found = management.vhost(name)
    if found is not None and _owner_of(found) == owner:
        management.delete(name)


def _unwind(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _ENDS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
