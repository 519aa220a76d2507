"""Addresses to look at: one or more of every page of the registry, for what a store has in it."""

from __future__ import annotations

from urllib.parse import quote

from rpcscope.model import Operation
from rpcscope.query.queues import queues
from rpcscope.store import Reader, open_store
from rpcscope.store.protocol import OperationFilter
from tests.support.queue_store import fill
from tests.support.trouble import TROUBLES, Cloud

ALL = "last=all"


def addresses(db: str) -> dict[str, str]:
    """What is looked at: a name that begins with the page's noun, and its address, without a slash before it."""
    with open_store(db) as store:
        reader = store.reader()
        boot, failed = _operations(reader)
        call = next(call for call in reader.calls(cause_ids=[boot.id]) if call.method)
        depth = queues(reader)
        queue = depth.rows[0].name if depth.rows else ""
    boot_at, kind, method = f"operations/{_part(boot.request_id)}", _part(boot.kind), _part(call.method)
    found = {
        "overview": f"?{ALL}",
        "operations": f"operations?{ALL}",
        "operations-failed": f"operations?{ALL}&status=failed&sort=duration",
        "operations-none": f"operations?{ALL}&host=nowhere",
        "operation": boot_at,
        "operation-tree": f"{boot_at}?view=tree",
        "operation-sequence": f"{boot_at}?view=sequence",
        "operation-statistics": f"{boot_at}?view=numbers",
        "operation-related": f"{boot_at}?view=related",
        "operation-failed": f"operations/{_part(failed.request_id)}",
        "operation-missing": "operations/req-nobody",
        "host": f"hosts/{_part(boot.dest_host or call.server)}?{ALL}",
        "instance": f"instances/{_part(boot.instances[0])}",
        "kind-all": f"kinds?{ALL}",
        "kind": f"kinds?{ALL}&kind={kind}",
        "queues": f"queues?{ALL}",
        "services": f"services?{ALL}",
        "methods": f"methods?{ALL}",
        "method": f"methods/{method}?{ALL}",
        "compare": "compare?a=all&b=recording:1",
        "compare-none": "compare",
        "flags": f"flags?{ALL}",
        "runs": "runs",
        "taps": "taps",
        "search": "search?q=req-",
    }
    return found | ({"queue": f"queues/{_part(queue)}?{ALL}"} if queue else {})


def troubled_store(path: str) -> str:
    """A database with every trouble that the doctor knows, and with queues that are looked at; its path."""
    with open_store(path, create=True) as store:
        cloud = Cloud(store)
        cloud.quiet()
        for plant in TROUBLES.values():
            plant(cloud)
        fill(store, "nova-cell1", silent_s=range(600, 1_200))
    return path


def _operations(reader: Reader) -> tuple[Operation, Operation]:
    """One that is gone through, and one that failed, if there is one."""
    found = [one for one in reader.operations(OperationFilter(limit=2_000)) if one.instances and one.request_id]
    boots = [one for one in found if one.kind == "create" and one.dest_host]
    failed = [one for one in found if one.error]
    return (boots or found)[0], (failed or found)[0]


def _part(text: str) -> str:
    return quote(text, safe="")
