"""Asking a broker's web servers: its management API and its metrics."""

from __future__ import annotations

import base64
import ssl
import urllib.request
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from rpcscope.errors import UsageError

MAX_ANSWER = 256 * 1024 * 1024
"""Bytes; an answer is held in memory as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server is, and the account that was in its URL. Its `str` has no password in it."""

    url: str  # without the account, without a slash at the end
    username: str = ""
    password: str = field(default="", repr=False)


def address(url: str, *, what: str, port: int, endings: tuple[str, ...]) -> Address:
    """What an operator gives as the URL of `what`; `endings` of its path are ours to add, and are taken off.

    Raises UsageError, which never repeats the URL.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError(f"The {what} URL can not be read; it has to look like http://<host>:{port}.")
    path = parts.path.rstrip("/")
    for ending in endings:
        path = path.removesuffix(ending)
    plain = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], quote(path, safe="/%"), "", ""))
    return Address(url=plain, username=unquote(parts.username or ""), password=unquote(parts.password or ""))


def login(username: str, password: str) -> dict[str, str]:
    """The header that logs in."""
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


def opener(ca_file: str, what: str) -> urllib.request.OpenerDirector:
    """What opens the URLs of one server; `ca_file` verifies https instead of the system's authorities.

    Raises UsageError for a file that can not verify `what`.
    """
    # No proxies: the broker is inside. No redirects: they would carry the password elsewhere.
    return urllib.request.build_opener(
        urllib.request.ProxyHandler({}), _NoRedirect(), urllib.request.HTTPSHandler(context=_tls(ca_file, what))
    )


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object, **kwargs: object) -> None:
        """Follow none."""


def _tls(ca_file: str, what: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except OSError:
        raise UsageError(f"{ca_file} can not verify {what}: give a file of certificates in PEM.") from None
