"""The calls of several operations at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from rpcscope.model import Call
from rpcscope.query.calls import merged
from rpcscope.query.processes import processes
from rpcscope.query.repairs import Repairs
from rpcscope.query.stages import begin
from rpcscope.store.protocol import Reader


def caused(reader: Reader, names: Mapping[int, str]) -> dict[str, list[Call]]:
    """What operations caused by their request ids, parts put together, by time; those without a call are left out.

    Args:
        names: request ids by Operation.id, of all parts.
    """
    stored = list(reader.calls(cause_ids=names)) if names else []
    found: defaultdict[str, list[Call]] = defaultdict(list)
    for call in merged(lambda: stored):
        if call.cause_id in names:
            found[names[call.cause_id]].append(call)
    if len(set(names.values())) < len(names):
        repairs = Repairs(processes(reader))
        mended = {request_id: repairs.mend(calls, names)[0] for request_id, calls in found.items()}
    else:
        mended = dict(found)
    return {request_id: sorted(calls, key=begin) for request_id, calls in mended.items()}
