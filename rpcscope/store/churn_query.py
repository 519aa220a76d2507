"""What came and went on a broker, counted step by step."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func, select

from rpcscope.store.database import Database
from rpcscope.store.depth_rows import ChurnStep, churn_step_of
from rpcscope.store.names import NameReader
from rpcscope.store.schema import churn_event, name


def churn_steps(
    database: Database, names: NameReader, from_ns: int, to_ns: int, step_ns: int, *, starting: str, vhost: str
) -> list[ChurnStep]:
    """One pass over the events of the time, by their index; both ends are in it.

    Args:
        starting: only what happened to queues whose names begin so, each queue for itself; "" is everything together.
        vhost: only of this one, and what names none; "" is all.
    """
    c = churn_event.c
    step = ((c.at_ns - from_ns) // step_ns).label("step")
    columns: list[ColumnElement[Any]] = [step, c.event] + ([c.queue_id] if starting else [])
    query = select(*columns, func.min(c.at_ns).label("first_ns"), func.count().label("events"))
    query = query.where(c.at_ns.between(from_ns, to_ns))
    if vhost:
        query = query.where(c.vhost_id.in_([0, names.id_of(vhost) or 0]))
    if starting:
        query = query.join(name, name.c.id == c.queue_id).where(name.c.text.startswith(starting, autoescape=True))
    with database.reading() as connection:
        rows = list(connection.execute(query.group_by("step", *columns[1:]).order_by("first_ns", *columns[1:])))
    texts = names.load({row.queue_id for row in rows} if starting else ())
    return [churn_step_of(row, texts) for row in rows]
