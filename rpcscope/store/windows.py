"""Which calls of a time are looked at: all, or those of short times spread evenly over it when there are too many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, select

from rpcscope.store.schema import call
from rpcscope.store.traffic import Window

PIECES = 40
_DEEPEST = 24  # halvings
_MOST = 4  # times as many calls as wanted end a window
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
    found += _sampled(connection, dense, look)
    return tuple(sorted(found, key=lambda window: window.from_ns))


def step_windows(connection: Connection, from_ns: int, step_ns: int, steps: int, look: int) -> tuple[Window, ...]:
    """The whole time likewise; else a window in each step."""
    if _edge(connection, from_ns, from_ns + steps * step_ns, look) is None:
        return (Window(from_ns, from_ns + steps * step_ns, 1),)
    sparse: list[_Span] = []
    dense: list[_Span] = []
    for step in range(steps):
        piece = (from_ns + step * step_ns, from_ns + (step + 1) * step_ns)
        (sparse if _edge(connection, *piece, look // steps) is None else dense).append(piece)
    found = [*(Window(*piece, 1) for piece in sparse), *_sampled(connection, dense, look)]
    return tuple(sorted(found, key=lambda window: window.from_ns))


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


def _sampled(connection: Connection, pieces: Sequence[_Span], look: int) -> Iterator[Window]:
    """A window of the same share of each piece, of about so many calls in all.

    The share does not depend on the calls in the windows: one that ended with a certain call would be the shorter the
    more calls come together, and make them seem more than they are.
    """
    each = max(1, look // max(1, len(pieces)))
    estimate = sum(each / _share(connection, piece, number, each) for number, piece in enumerate(pieces))
    share = min(1.0, look / max(1.0, estimate))
    for number, (start, end) in enumerate(pieces):
        length = max(1, round((end - start) * share))
        begin = start + int((end - start - length) * (number * _GOLDEN % 1))
        crowded = _edge(connection, begin, begin + length, _MOST * each)
        stop = begin + length if crowded is None else max(crowded, begin + 1)
        yield Window(begin, stop, (end - start) / (stop - begin))


def _share(connection: Connection, piece: _Span, number: int, look: int) -> float:
    """Which share of a piece so many calls take, measured somewhere in its first half."""
    start, end = piece
    begin = start + int((end - start) * ((number + 0.5) * _GOLDEN % 1) / 2)
    edge = _edge(connection, begin, end, look)
    return max(1, (end if edge is None else edge) - begin) / (end - start)


def _edge(connection: Connection, from_ns: int, to_ns: int, look: int) -> int | None:
    """When the call after so many began; None when there are no more of them."""
    first = call.c.first_ns
    query = select(first).where(first >= from_ns, first < to_ns).order_by(first).offset(look).limit(1)
    found: int | None = connection.execute(query).scalar_one_or_none()
    return found
