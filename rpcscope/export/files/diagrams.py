"""Operations as Mermaid sequence diagrams, a file each."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from rpcscope.export.files.names import file_name
from rpcscope.export.files.wanted import Wanted, operations
from rpcscope.export.files.write import whole
from rpcscope.query.mermaid import mermaid
from rpcscope.query.trace import traces
from rpcscope.store.protocol import Reader


def write_diagrams(reader: Reader, folder: Path, wanted: Wanted) -> int:
    """How many. Raises RpcscopeError when the folder can not be written to."""
    written = 0
    for view in operations(reader, wanted):
        for trace in traces(reader, view.whole.request_id):
            path = folder / f"{file_name(trace.operation.whole.request_id)}.mmd"
            whole(path, partial(Path.write_text, data=mermaid(trace), encoding="utf-8"))
            written += 1
    return written
