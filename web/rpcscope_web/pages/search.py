"""The search box: a request id, a server, a host or a kind of operation, told by what is stored."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse

from rpcscope.query.meaning import meaning
from rpcscope.store.protocol import Reader
from rpcscope_web.render import address, segment
from rpcscope_web.site import AskedRange, AskedReader

router = APIRouter(include_in_schema=False)
LONGEST = 255


@router.get("/search")
def search(
    reader: AskedReader, range: AskedRange, q: Annotated[str, Query(max_length=LONGEST)] = ""
) -> RedirectResponse:
    """The page of what was meant. An id is looked for in all time, since it is one thing."""
    return RedirectResponse(_meant(reader, q.strip(), range.query()), 303)


def _meant(reader: Reader, text: str, range: dict[str, str]) -> str:
    if not text:
        return address("/operations", range)
    found = meaning(reader, text)
    if found.field == "request_id" and found.is_stored:
        return address(f"/operations/{segment(text)}", range)
    return address(
        "/operations", {found.field: text, **({"last": "all"} if found.is_stored and found.is_id else range)}
    )
