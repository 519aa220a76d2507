"""How a dashboard is served."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from rpcscope.errors import UsageError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `rpcscope serve` was told.

    With neither a secret nor a proxy header everybody who reaches the port may look: on loopback alone.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    secret: str = ""  # what a person types to log in and a program sends as a bearer token
    proxy_header: str = ""  # a header that only a proxy in front sets, with the name of who is logged in
    allowed_hosts: tuple[str, ...] = ()  # further names under which it is reached
    stuck_after_s: float = 60.0
    metrics_hosts: bool = False  # /metrics has a label with the host
    oslo_metrics: bool = False  # /metrics has oslo.metrics' names, too

    @property
    def is_local(self) -> bool:
        """Only this host can reach it."""
        return is_loopback(self.host)

    @property
    def is_open(self) -> bool:
        """Nobody is asked who they are."""
        return not self.secret and not self.proxy_header

    def check(self) -> None:
        """Raises UsageError for a dashboard that strangers could look at."""
        if self.is_open and not self.is_local:
            raise UsageError(
                f"{self.host} can be reached from other hosts: name a --password-file, or a --trust-proxy-header"
            )


def is_loopback(host: str) -> bool:
    """Whether a name or address is this host and nobody else's."""
    if host in LOOPBACK:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
