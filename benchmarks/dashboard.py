"""How long the dashboard takes for each page, answer and figure, on stores that `stores/big.py` filled.

    python benchmarks/dashboard.py                              # makes a store of 200,000 calls and asks it
    python benchmarks/dashboard.py 1m.sqlite 3m.sqlite postgresql://user@host/big

Every route of the registry is asked with its default filters, in process over ASGI, without a socket. Beside the 95th
percentile stands the slowest SQL statement of the request, run alone; and below the table what counting the range
costs by its index. Wall time: on a shared machine trust the ratios.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import Any
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parents[1]))

from sqlalchemy import event, func, select

from benchmarks.stores.big import fill
from rpcscope.store import Store, open_store
from rpcscope.store.schema import call, operation_part
from rpcscope_web import registry
from tests.unit.web.site import Web, client

ROUNDS = 20
CALLS = 200_000
LEFT_OUT = ("/api/v1/events",)  # a stream
_HOUR_NS = 3_600 * 10**9
Statement = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Took:
    """What one route took, in seconds."""

    p95: float
    cpu: float  # likewise, of this process: without that of a database server
    statement: float  # the slowest of its statements alone
    statements: int


def main() -> None:
    parser = argparse.ArgumentParser(description="How long the dashboard takes.")
    parser.add_argument("databases", nargs="*")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--last", default="", help="another time than the pages' own: 24h, 7d, all")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        databases = arguments.databases or [_filled(stack)]
        heads, rows, below = [], dict[str, list[Took]](), []
        for database in databases:
            store = stack.enter_context(open_store(database))
            heads.append(f"{store.reader().counts()['call']:,} calls")
            for path, took in _measured(store, arguments.rounds, arguments.last):
                rows.setdefault(path, []).append(took)
            below.append(f"{heads[-1]}: {_counted(store)}")
    _print(heads, rows)
    print("\n".join(["", *below]))


def _filled(stack: ExitStack) -> str:
    path = str(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rpcscope-bench-"))) / "store.sqlite")
    with open_store(path, create=True) as store:
        fill(store, CALLS)
    return path


def _measured(store: Store, rounds: int, last: str) -> Iterator[tuple[str, Took]]:
    said: list[Statement] = []
    engine = store._database.engine

    @event.listens_for(engine, "before_cursor_execute")
    def listen(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        said.append((statement, parameters))

    with client(store) as web:
        known = _known(web)
        for path, address in _addresses(known):
            if last:
                address += f"{'&' if '?' in address else '?'}last={last}"
            answer = web.get(address)
            if answer.status_code not in (200, 303):
                print(f"{address}: {answer.status_code} {answer.text[:200]}", file=sys.stderr)
                continue
            said.clear()
            web.get(address)
            statements = [one for one in said if one[0].startswith("SELECT")]
            times = [_seconds(partial(web.get, address)) for _ in range(rounds)]
            slowest = max((_alone(store, one) for one in statements), default=0.0)
            wall, cpu = (quantiles(column, n=20, method="inclusive")[-1] for column in zip(*times, strict=True))
            yield path, Took(wall, cpu, slowest, len(statements))
    event.remove(engine, "before_cursor_execute", listen)


def _known(web: Web) -> dict[str, str]:
    """A value for each parameter of a path, from what the store has."""
    items = web.get("/api/v1/operations?last=all&kind=create&limit=50").json()["items"]
    operation = max(items, key=lambda item: item["rpcs"])
    (trace, *_) = web.get(f"/api/v1/operations/{operation['request_id']}").json()["items"]
    (one, *_) = [found for found in trace["calls"] if found["kind"] == "call"]
    return {
        "request_id": operation["request_id"], "unique_id": one["unique_id"], "instance": operation["instances"][0],
        "uuid": operation["instances"][0], "host": one["to"]["host"] or "compute-1", "kind": "create",
        "method": one["method"], "name": "conductor", "queue": "conductor", "vhost": "/", "family": "conductor",
    }  # fmt: skip


def _addresses(known: dict[str, str]) -> Iterator[tuple[str, str]]:
    for router in registry.routers():
        for route in router.routes:
            path: str = getattr(route, "path", "")
            names = list(getattr(route, "param_convertors", {}))
            if path in LEFT_OUT or "GET" not in (getattr(route, "methods", None) or ()):
                continue
            query = [one.alias for one in route.dependant.query_params if one.field_info.is_required()]  # type: ignore[attr-defined]
            if missing := [name for name in (*names, *query) if name not in known]:
                print(f"{path}: nothing is known for {missing}", file=sys.stderr)
                continue
            asked = path.replace(":path}", "}").format(**{name: quote(known[name], safe="") for name in names})
            extra = "&".join(f"{name}={quote(known[name])}" for name in query)
            yield path.replace(":path}", "}"), f"{asked}?{extra}" if extra else asked


def _seconds(do: Callable[[], object]) -> tuple[float, float]:
    """On the clock, and of this process on a core."""
    began, cpu = time.perf_counter(), time.process_time()
    do()
    return time.perf_counter() - began, time.process_time() - cpu


def _alone(store: Store, one: Statement) -> float:
    with store._database.reading() as connection:
        return min(_seconds(lambda: connection.exec_driver_sql(*one).fetchall())[0] for _ in range(2))


def _counted(store: Store) -> str:
    """The rows of the last hour, and what it takes to count them by their index."""
    to_ns = max(info.last_ns for info in store.reader().recordings())
    said = []
    for column in (call.c.first_ns, operation_part.c.started_ns):
        query = select(func.count()).where(column >= to_ns - _HOUR_NS, column < to_ns)
        with store._database.reading() as connection:
            rows = connection.execute(query).scalar_one()
            took = min(_seconds(partial(connection.execute, query))[0] for _ in range(3))
        said.append(f"{rows:,} rows of {column.table.name} in {took * 1e3:.1f} ms")
    return ", ".join(said)


def _print(heads: list[str], rows: dict[str, list[Took]]) -> None:
    print(f"| ms: p95 (of it CPU; slowest statement alone) | {' | '.join(heads)} | statements |")
    print(f"|---|{'---|' * (len(heads) + 1)}")
    for path, several in rows.items():
        cells = [f"{one.p95 * 1e3:.0f} ({one.cpu * 1e3:.0f}; {one.statement * 1e3:.1f})" for one in several]
        print(f"| `{path}` | {' | '.join(cells)} | {several[-1].statements} |")


if __name__ == "__main__":
    main()
