"""Where a broker is, and who we are there."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Where:
    """One broker's address over plain TCP, a vhost, and a login. Its `repr` has no password in it.

    `host` is a name or address of IPv4, or an address of IPv6.
    """

    host: str
    port: int = 5672
    vhost: str = "/"
    username: str = "guest"
    password: str = field(default="guest", repr=False)

    def __str__(self) -> str:
        """Host and port, for sentences."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
