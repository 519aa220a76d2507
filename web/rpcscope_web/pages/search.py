"""The search box: a request id, a server, a host or a kind of operation, told by what is stored."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse

from rpcscope.store.protocol import OperationFilter, Reader
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
    if _is(reader, OperationFilter(request_id=text, limit=1)):
        return address(f"/operations/{segment(text)}", range)
    all_time = {"last": "all"}
    for field, wanted, times in (
        ("instance", OperationFilter(instance=text, limit=1), all_time),
        ("project", OperationFilter(project_id=text, limit=1), all_time),
        ("kind", OperationFilter(kind=text, limit=1), range),
        ("host", OperationFilter(host=text, limit=1), range),
    ):
        if _is(reader, wanted):
            return address("/operations", {field: text, **times})
    return address("/operations", {"request_id": text, **range})


def _is(reader: Reader, wanted: OperationFilter) -> bool:
    return next(iter(reader.operations(wanted)), None) is not None
