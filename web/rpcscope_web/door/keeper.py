"""Lets those in who are logged in, carry the token, or come through the trusted proxy."""

from __future__ import annotations

import time
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rpcscope_web.door.attempts import Attempts
from rpcscope_web.door.sessions import COOKIE, Sessions, same
from rpcscope_web.settings import Settings

LOGIN = "/login"
_PUBLIC = (LOGIN, "/static/", "/favicon.ico")
_FOR_PROGRAMS = ("/api/", "/metrics")
_UNKNOWN = "you are not logged in: log in, or send the header Authorization: Bearer with the password"
_PROXY = "the proxy in front did not say who you are: open the dashboard through it"


class Keeper:
    """Asks who comes. The scope tells the login page whose sessions and attempts to use."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings
        self._sessions, self._attempts = Sessions(), Attempts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or send it to the login page."""
        if scope["type"] == "http":
            scope["rpcscope.sessions"], scope["rpcscope.attempts"] = self._sessions, self._attempts
            request = Request(scope)
            if not (self._settings.is_open or request.url.path.startswith(_PUBLIC) or self._knows(request)):
                await self._refusal(request)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _knows(self, request: Request) -> bool:
        settings = self._settings
        if settings.proxy_header and request.headers.get(settings.proxy_header):
            return True
        if not settings.secret:
            return False
        return self._sessions.holds(request.cookies.get(COOKIE, ""), time.time()) or self._has_token(request)

    def _has_token(self, request: Request) -> bool:
        """Wrong tokens count as attempts, so that they can not be tried out here instead."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return False
        peer, now_s = peer_of(request), time.monotonic()
        if self._attempts.wait_s(peer, now_s):
            return False
        if same(token.strip(), self._settings.secret):
            return True
        self._attempts.failed(peer, now_s)
        return False

    def _refusal(self, request: Request) -> Response:
        if self._settings.secret and not request.url.path.startswith(_FOR_PROGRAMS):
            return RedirectResponse(f"{LOGIN}?{_back(request)}", 303, headers={"Cache-Control": "no-store"})
        detail = _UNKNOWN if self._settings.secret else _PROXY
        body = {"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": detail}
        return JSONResponse(body, 401, media_type="application/problem+json", headers={"WWW-Authenticate": "Bearer"})


def peer_of(request: Request) -> str:
    """The address that a request came from."""
    return request.client.host if request.client else ""


def _back(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return urlencode({"next": request.url.path + query})
