"""Which calls of a time are looked at: all, or those of short times spread evenly over it when there are too many."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, select

from rpcscope.store.schema import call
from rpcscope.store.traffic import Window

PIECES = 20
_DEEPEST = 24  # halvings
_GOLDEN = 0.618  # of steps of this length no two fall on the same place, so no timer's period is met again and again
_Span = tuple[int, int]


def windows(connection: Connection, from_ns: int, to_ns: int, look: int) -> tuple[Window, ...]:
    """The whole time while it has no more than `look` calls; else windows of about so many in all, by their time.

    Where few calls are, all of them are looked at. Only the index on the first time is read.
    """
    if from_ns >= to_ns:
        return ()
    if _edge(connection, from_ns, to_ns, look) is None:
        return (Window(from_ns, to_ns, 1),)
    sparse, dense = _pieces(connection, (from_ns, to_ns), look // PIECES)
    found = [Window(start, end, 1) for start, end in sparse]
    found += [_window(connection, piece, number, look // len(dense)) for number, piece in enumerate(dense)]
    return tuple(sorted(found, key=lambda window: window.from_ns))


def step_windows(connection: Connection, from_ns: int, step_ns: int, steps: int, look: int) -> tuple[Window, ...]:
    """The whole time likewise; else one window in each step, of as many calls in each."""
    if _edge(connection, from_ns, from_ns + steps * step_ns, look) is None:
        return (Window(from_ns, from_ns + steps * step_ns, 1),)
    pieces = [(from_ns + step * step_ns, from_ns + (step + 1) * step_ns) for step in range(steps)]
    return tuple(
        Window(*piece, 1)
        if _edge(connection, *piece, look // steps) is None
        else _window(connection, piece, number, look // steps)
        for number, piece in enumerate(pieces)
    )


def _pieces(connection: Connection, whole: _Span, few: int) -> tuple[list[_Span], list[_Span]]:
    """Those with few calls, and those with more, which are halved until there are enough of them."""
    sparse: list[_Span] = []
    dense = [whole]
    for _ in range(_DEEPEST):
        if not 0 < len(dense) < PIECES:
            break
        halves = [half for start, end in dense for half in _halves(start, end)]
        dense = []
        for start, end in halves:
            (sparse if _edge(connection, start, end, few) is None else dense).append((start, end))
    return sparse, dense


def _halves(start: int, end: int) -> Iterator[_Span]:
    middle = (start + end) // 2
    yield from ((low, high) for low, high in ((start, middle), (middle, end)) if low < high)


def _window(connection: Connection, piece: _Span, number: int, look: int) -> Window:
    """So many calls from some place in the first half of a piece on."""
    start, end = piece
    begin = start + int((end - start) * (number * _GOLDEN % 1) / 2)
    edge = _edge(connection, begin, end, look)
    stop = end if edge is None else max(edge, begin + 1)
    return Window(begin, stop, (end - start) / (stop - begin))


def _edge(connection: Connection, from_ns: int, to_ns: int, look: int) -> int | None:
    """When the call after so many began; None when there are no more of them."""
    first = call.c.first_ns
    query = select(first).where(first >= from_ns, first < to_ns).order_by(first).offset(look).limit(1)
    found: int | None = connection.execute(query).scalar_one_or_none()
    return found
