"""What somebody means who types a word: a request id, a server, a project, a kind of operation, a host."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rpcscope.store.places import OperationOrder
from rpcscope.store.protocol import OperationFilter, Reader

Field = Literal["request_id", "instance", "project", "kind", "host"]
_UUID = re.compile(r"(req-)?[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a text is. Where nothing that is stored has it, its form tells."""

    field: Field
    text: str
    is_stored: bool

    @property
    def is_id(self) -> bool:
        """One thing, of whatever time."""
        return self.field in ("request_id", "instance", "project")


def meaning(reader: Reader, text: str) -> Meaning:
    """Looks for the text as an id first, then as a name. Each look is one place of an index, projects apart."""
    tried: tuple[tuple[Field, OperationFilter], ...] = (
        ("request_id", OperationFilter(request_id=text)),
        ("instance", OperationFilter(instance=text)),
        ("kind", OperationFilter(kind=text)),
    )
    for field, wanted in tried:
        if _is(reader, wanted):
            return Meaning(field, text, True)
    if any(process.host == text for process in reader.processes().values()):
        return Meaning("host", text, True)
    for field, wanted in (("project", OperationFilter(project_id=text)), ("host", OperationFilter(host=text))):
        if _is(reader, wanted):
            return Meaning(field, text, True)
    is_id = _UUID.fullmatch(text)
    if is_id is None:
        return Meaning("request_id" if text.startswith("req-") or " " in text else "host", text, False)
    return Meaning("request_id" if is_id[1] else "instance", text, False)


def _is(reader: Reader, wanted: OperationFilter) -> bool:
    page = reader.operation_page(wanted, order=OperationOrder.STARTED, limit=1)
    return bool(page.found)
