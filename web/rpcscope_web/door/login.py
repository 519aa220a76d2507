"""The login page. Its form is the only thing that a browser may send us, and only from our own page."""

from __future__ import annotations

import time
from typing import cast
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from rpcscope_web.door.attempts import Attempts
from rpcscope_web.door.keeper import LOGIN, peer_of
from rpcscope_web.door.sessions import COOKIE, LASTS_S, Sessions, same
from rpcscope_web.render import page
from rpcscope_web.site import AskedSite

_LONGEST = 4_096  # bytes of the form
router = APIRouter(include_in_schema=False)


@router.get(LOGIN)
def form(request: Request, site: AskedSite, next: str = "/") -> Response:
    """The form; without a password to ask for there is nothing to do here."""
    if not site.settings.secret:
        return RedirectResponse("/", 303)
    return page(request, "login.html", next=_ours(next), wrong="")


@router.post(LOGIN)
async def enter(request: Request, site: AskedSite) -> Response:
    """A cookie for who knows the password; a wrong one is counted."""
    if not site.settings.secret:
        raise HTTPException(404)
    if not _is_ours(request):
        raise HTTPException(403, "this form was not sent from the login page: open it and log in there")
    given = parse_qs((await _body(request)).decode("utf-8", "replace"))
    password, next_ = (given.get(key, [""])[0] for key in ("password", "next"))
    attempts = cast(Attempts, request.scope["rpcscope.attempts"])
    peer, now_s = peer_of(request), time.monotonic()
    if wait_s := attempts.wait_s(peer, now_s):
        sentence = f"Too many wrong passwords: try again in {wait_s} s."
        response = page(request, "login.html", status=429, next=_ours(next_), wrong=sentence)
        response.headers["Retry-After"] = str(wait_s)
        return response
    if not same(password, site.settings.secret):
        attempts.failed(peer, now_s)
        return page(request, "login.html", status=401, next=_ours(next_), wrong="This is not the password.")
    return _welcome(request, _ours(next_))


@router.post("/logout")
def leave(request: Request) -> Response:
    """The cookie goes."""
    if not _is_ours(request):
        raise HTTPException(403, "this form was not sent from a page of rpcscope: log out there")
    response = RedirectResponse(LOGIN, 303)
    response.delete_cookie(COOKIE)
    return response


def _welcome(request: Request, next_: str) -> Response:
    sessions = cast(Sessions, request.scope["rpcscope.sessions"])
    response = RedirectResponse(next_, 303, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        COOKIE, sessions.issue(time.time()), max_age=LASTS_S, httponly=True, samesite="lax",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return response


async def _body(request: Request) -> bytes:
    found = b""
    async for chunk in request.stream():
        found += chunk
        if len(found) > _LONGEST:
            raise HTTPException(413, "the form is too long: send a password")
    return found


def _is_ours(request: Request) -> bool:
    """A browser says where a form came from; one that does not say so is not let in."""
    origin, host = request.headers.get("origin", ""), request.headers.get("host", "")
    if origin and origin != "null":
        return bool(host) and urlsplit(origin).netloc == host
    return request.headers.get("sec-fetch-site") == "same-origin"


def _ours(next_: str) -> str:
    """A path of this dashboard and never another host's address."""
    safe = next_.startswith("/") and not next_.startswith(("//", "/\\")) and next_.isascii() and next_.isprintable()
    return next_ if safe and not next_.startswith(LOGIN) else "/"
