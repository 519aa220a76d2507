"""Where traces go."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from rpcscope.errors import UsageError

HTTP, GRPC = "http/protobuf", "grpc"
_PATH = "/v1/traces"
_PORTS = {("http", HTTP): 80, ("https", HTTP): 443, ("http", GRPC): 4317, ("https", GRPC): 4317}
_EXAMPLES = {HTTP: "http://127.0.0.1:4318", GRPC: "http://127.0.0.1:4317"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An OTLP endpoint. Its headers may be secret: they are in no text that is made of it."""

    protocol: str  # http/protobuf | grpc
    secure: bool
    host: str
    port: int
    path: str = _PATH  # of HTTP
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_file: Path | None = None  # certificates that are trusted instead of the system's
    timeout_s: float = 10.0  # of one request

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        path = self.path if self.protocol == HTTP else ""
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}{path}"


def endpoint(
    url: str, *, protocol: str = HTTP, headers: Iterable[str] = (), ca_file: Path | None = None, timeout_s: float = 10.0
) -> Endpoint:
    """The endpoint of a URL; user:password@ in it becomes a header.

    Args:
        url: without a path, /v1/traces is meant; with another one /v1/traces is put behind it.
        headers: each name=value.

    Raises:
        UsageError: it is no such URL, or a header is none. The message has neither password nor value.
    """
    parts = _split(url, protocol)
    found = dict(_header(one) for one in headers)
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        found["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    path = parts.path.rstrip("/")
    return Endpoint(
        protocol=protocol, secure=parts.scheme == "https", host=parts.hostname or "",
        port=parts.port or _PORTS[parts.scheme, protocol], path=path if path.endswith(_PATH) else path + _PATH,
        headers=found, ca_file=ca_file, timeout_s=timeout_s,
    )  # fmt: skip


def _split(url: str, protocol: str) -> SplitResult:
    wanted = UsageError(f"the endpoint wants a URL such as {_EXAMPLES[protocol]}")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise wanted from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise wanted
    if not parts.path.isascii() or not parts.path.replace(" ", "~").isprintable() or " " in parts.path:
        raise wanted
    return parts


def _header(text: str) -> tuple[str, str]:
    name, is_given, value = text.partition("=")
    name = name.strip().lower()
    fits = name.replace("-", "").replace("_", "").isalnum() and value.isprintable() and value.isascii()
    if not (is_given and name.isascii() and fits):
        raise UsageError("a header wants name=value, in printable ASCII, such as authorization=Bearer ...")
    return name, value.strip()
