"""Templates: the page around a page's own part, with the range of its address in every link."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

from rpcscope import __version__
from rpcscope_web import pictures, words
from rpcscope_web.ranges import LASTS, TimeRange
from rpcscope_web.registry import navigation
from rpcscope_web.site import site_of


def page(
    request: Request, template: str, *, range: TimeRange | None = None, status: int = 200, **content: Any
) -> HTMLResponse:
    """A template filled for one request. Pages that tell of a time give their range."""
    site = site_of(request)
    filled = environment().get_template(template).render(
        content | {
            "range": range, "lasts": LASTS, "path": request.url.path, "parameters": dict(request.query_params),
            "navigation": navigation(), "static": site.assets.base, "assets": site.assets,
            "noun": template.removesuffix(".html"), "rpcscope_version": __version__,
            "shown": site.store.shown, "may_leave": bool(site.settings.secret),
        }
    )  # fmt: skip
    return HTMLResponse(filled, status_code=status, headers={"Cache-Control": "no-store"})


@cache
def environment() -> jinja2.Environment:
    """Jinja with everything escaped; a name that a template does not know is an error."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("rpcscope_web"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters.update(words.FILTERS)
    made.globals.update({**words.GLOBALS, **pictures.GLOBALS, "href": href, "segment": segment})
    return made


@jinja2.pass_context
def href(context: jinja2.runtime.Context, path: str, **parameters: object) -> str:
    """An address with the range of this page; parameters that are None or empty are left out."""
    range: TimeRange | None = context.get("range")
    return address(path, {**(range.query() if range else {}), **parameters})


def address(path: str, parameters: Mapping[str, object]) -> str:
    """A path with the parameters that are not None or empty."""
    given = {key: str(value) for key, value in parameters.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


def segment(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")
