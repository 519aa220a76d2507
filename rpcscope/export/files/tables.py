"""The tables that can be written, by name."""

from __future__ import annotations

from rpcscope.export.files.calls import CALLS
from rpcscope.export.files.column import Table
from rpcscope.export.files.operations import OPERATIONS
from rpcscope.export.files.samples import GAPS, IN_FLIGHT, QUEUE_SAMPLES

TABLES: dict[str, Table] = {one.name: one for one in (CALLS, OPERATIONS, QUEUE_SAMPLES, IN_FLIGHT, GAPS)}
