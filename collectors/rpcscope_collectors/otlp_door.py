"""Who may send spans, and where: on this host anybody, from elsewhere who knows the token."""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass, field
from typing import Self

from rpcscope.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where spans are taken."""

    host: str
    port: int
    token: str = field(default="", repr=False)

    @classmethod
    def parse(cls, place: str, token: str = "") -> Self:
        """A door at `HOST:PORT`, `[v6]:PORT` or `PORT`.

        Raises:
            UsageError: it is no such place, or others than this host could send without a token.
        """
        host, colon, port = place.strip().rpartition(":")
        host = host.strip("[]") if colon else "127.0.0.1"
        if not (port.isascii() and port.isdigit() and int(port) <= 65535) or not host:
            raise UsageError("--otlp-listen wants an address and a port, as in 127.0.0.1:4318")
        if not token and not _is_loopback(host):
            raise UsageError(
                "--otlp-listen at an address that others reach wants a token: give --otlp-token-file here, and "
                "OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer TOKEN' to the services"
            )
        return cls(host=host, port=int(port), token=token)

    def lets_in(self, authorization: str) -> bool:
        """Whether a request with this header may come in."""
        if not self.token:
            return True
        given = authorization.removeprefix("Bearer ").strip()
        return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self.token.encode())


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
