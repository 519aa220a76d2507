"""Taps that hear what others tell: beside the tap on a broker, or alone."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from rpcscope.modes import INSIDE

if TYPE_CHECKING:
    from rpcscope.model import LiveSighting

_LOOK_S = 0.05


class Ear(Protocol):
    """A tap that is told things by others, whenever they like."""

    def open(self) -> None:
        """Begin to hear. Raises RpcscopeError."""
        ...

    def take(self, most: int) -> Sequence[LiveSighting]:
        """The oldest of what was told; also after it was closed."""
        ...

    @property
    def backlog(self) -> int:
        """What was told and not taken yet."""
        ...

    def close(self) -> None:
        """Hear no more, but what is on its way; again does nothing."""
        ...


@runtime_checkable
class Owing(Protocol):
    """An ear whose broker keeps what was taken until it is stored."""

    def ack(self) -> None:
        """All that was taken so far is stored."""
        ...


def acknowledge(ears: Sequence[Ear]) -> None:
    """All that was taken so far is stored: those may know who are waited for."""
    for ear in ears:
        if isinstance(ear, Owing):
            ear.ack()


def ears_of(where: dict[str, Any]) -> list[Ear]:
    """The ears that the options of a command ask for; takes these options out of it.

    Raises:
        UsageError: an option can not be followed.
    """
    from rpcscope.cli.listening import listener_of
    from rpcscope.cli.notified import notifications_of
    from rpcscope.cli.spans_in import spans_in

    wanted: tuple[Ear | None, ...] = (listener_of(where), spans_in(where), notifications_of(where))
    return [ear for ear in wanted if ear is not None]


@contextmanager
def hearing(ears: Sequence[Ear]) -> Iterator[None]:
    """All ears are open while the block runs."""
    with ExitStack() as stack:
        for ear in ears:
            ear.open()
            stack.callback(ear.close)
        yield


def take_all(ears: Sequence[Ear], most: int) -> list[LiveSighting]:
    """What ears were told, at most so much of each."""
    return [seen for ear in ears for seen in ear.take(most)]


def take_rest(ears: Sequence[Ear], most: int) -> Iterator[list[LiveSighting]]:
    """Close them, and all that they were told until then."""
    for ear in ears:
        ear.close()
    while rest := take_all(ears, most):
        yield rest


class EarTap:
    """Ears alone, where no tap is on a broker. Has what a recorder asks of a `Tap`."""

    mode, lag_s, drained, has_new_queue = INSIDE, None, True, False

    def __init__(self, ears: Sequence[Ear]) -> None:
        """Ears that are open when batches are taken."""
        self._ears = ears
        self._stopping = False  # a plain flag: a signal handler sets it

    def batches(self, max_events: int = 2000, max_wait_s: float = 0.5) -> Iterator[list[LiveSighting]]:
        """Nothing, whenever something was told and now and then, until it is stopped."""
        while not self._stopping:
            deadline = time.monotonic() + max_wait_s
            while not self._stopping and self.backlog < max_events and time.monotonic() < deadline:
                time.sleep(_LOOK_S)
            yield []  # what was told is taken beside it, as beside a tap on a broker

    def ack(self) -> None:
        """Nobody is told: what was told once is not told again."""

    @property
    def backlog(self) -> int:
        """What was told and not taken yet."""
        return sum(ear.backlog for ear in self._ears)

    def stop(self) -> None:
        """End the batches."""
        self._stopping = True


class Untapped:
    """What `Tapped` is for a broker, where there is none."""

    tracing = None

    def __init__(self, ears: Sequence[Ear]) -> None:
        """Opens and closes nothing."""
        self.tap = EarTap(ears)
        self.taken = False

    def open(self) -> None:
        """Its ears are opened with those of others."""

    def stored(self) -> None:
        """All that it handed out is stored."""

    def close(self) -> None:
        """Its ears are closed with those of others."""
