"""Where a recorder listens for taps inside services: `unix:/path` or `tcp://host:port`."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from rpcscope.errors import UsageError

_FORMS = "write --listen unix:/path or --listen tcp://host:port"
_MAX_PATH = 107  # bytes that a Unix address holds


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """A Unix datagram socket, or a TCP port."""

    path: str  # "" for TCP
    host: str = ""
    port: int = 0  # 0: any that is free

    def __str__(self) -> str:
        return f"unix:{self.path}" if self.path else f"tcp://{self.host}:{self.port}"

    @property
    def is_near(self) -> bool:
        """Only this machine reaches it, so it may go without a token."""
        if self.path or self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def listen_address(text: str) -> ListenAddress:
    """What an option says.

    Raises:
        UsageError: it is of neither form.
    """
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        path = "/" + path.lstrip("/") if path.startswith("//") else path
        if not path.startswith("/") or "\0" in path:
            raise UsageError(_FORMS)
        if len(path.encode()) > _MAX_PATH:
            raise UsageError(f"the path of a Unix socket has at most {_MAX_PATH} bytes: choose a shorter one")
        return ListenAddress(path)
    try:
        split = urlsplit(text)
        if split.scheme == "tcp" and split.hostname and split.port is not None and not split.path.strip("/"):
            return ListenAddress("", split.hostname, split.port)
    except ValueError:
        pass
    raise UsageError(_FORMS)
