"""The names under which a dashboard answers: a web page elsewhere must not reach it by a name of its own."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from rpcscope_web.settings import Settings, is_loopback

_REFUSED = "rpcscope does not answer to this host name: use 127.0.0.1, or start it with --allow-host NAME\n"


class KnownHosts:
    """Refuses requests for hosts that are not this one.

    A dashboard that asks who you are may be reached by any name, unless some are named: its cookie belongs to one.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._any = not settings.is_open and not settings.allowed_hosts
        self._names = frozenset(name.lower() for name in (*settings.allowed_hosts, settings.host))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or self._any or self._knows(Request(scope).headers.get("host", "")):
            await self._app(scope, receive, send)
            return
        await PlainTextResponse(_REFUSED, 421)(scope, receive, send)

    def _knows(self, host: str) -> bool:
        name = host_name(host)
        return name in self._names or is_loopback(name)


def host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].rstrip(".").lower()
