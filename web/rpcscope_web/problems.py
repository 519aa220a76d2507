"""What goes wrong, said in one sentence: to people on a page, to programs as problem+json (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from rpcscope.errors import RpcscopeError, StoreError, UsageError
from rpcscope_web.render import page

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger(__name__)


class Problem(BaseModel):
    """Why a request has no answer."""

    type: str = Field(default="about:blank")
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="One sentence that says what to do.")


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
    for status in (400, 401, 404, 503)
}
"""For the routers of the API: what their routes may answer instead."""


class NotFound(RpcscopeError):
    """What an address names is not stored."""


def install(app: FastAPI) -> None:
    """Every error of a route becomes an answer."""
    app.add_exception_handler(RpcscopeError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unknown)


def answer(request: Request, status: int, detail: str) -> Response:
    """The problem in the form that the address asks for."""
    title = HTTPStatus(status).phrase
    if request.url.path.startswith("/api/"):
        body = Problem(title=title, status=status, detail=detail).model_dump()
        return JSONResponse(body, status, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})
    return page(request, "problem.html", status=status, title=title, status_code=status, detail=detail)


def _known(request: Request, error: Exception) -> Response:
    if isinstance(error, StoreError):
        return answer(request, 503, str(error))
    if isinstance(error, NotFound):
        return answer(request, 404, str(error))
    return answer(request, 400 if isinstance(error, UsageError) else 500, str(error))


def _invalid(request: Request, error: Exception) -> Response:
    """The first parameter that is wrong; its value stays out of the sentence."""
    found: Sequence[Any] = cast(RequestValidationError, error).errors()
    place = str(found[0]["loc"][-1]) if found else "it"
    return answer(request, 400, f"the parameter {place!r} is wrong: {found[0]['msg'] if found else 'correct it'}")


def _http(request: Request, error: Exception) -> Response:
    known = cast(HTTPException, error)
    detail = known.detail
    if known.status_code == 404 and detail == HTTPStatus.NOT_FOUND.phrase:
        detail = "there is nothing at this address: begin at the overview"
    response = answer(request, known.status_code, detail)
    response.headers.update(known.headers or {})
    return response


def _unknown(request: Request, error: Exception) -> Response:
    log.error("A request failed: %s", type(error).__name__)
    return answer(request, 500, "rpcscope made a mistake: its log tells more; report it")
