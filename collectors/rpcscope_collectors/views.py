"""What a tap looks at: the exchanges and keys by which its queue is bound. Taps differ in their view alone."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Protocol

from rpcscope.errors import BrokerError, UsageError
from rpcscope_collectors.bindings import Mode, known_patterns, wanted
from rpcscope_collectors.management import Management
from rpcscope_collectors.tap_queue import FIREHOSE, Binding

_FANOUT = "_fanout"
_EVERYTHING = "#"  # a fanout exchange takes no notice of keys
_log = logging.getLogger(__name__)


class View(Protocol):
    """One is used by two threads: the poller looks, the reader binds."""

    mode: str  # publish | control | full | bindings | off
    is_traced: bool  # it shows what the broker traces, so somebody has to switch tracing on
    wanted: frozenset[Binding]
    is_whole: bool  # it shows every publish of the vhost
    may_vanish: bool  # what it binds to may go and come again

    def begin(self, managements: Sequence[Management], vhost: str) -> None:
        """Find out what to bind at first. Raises BrokerError or UsageError when nothing tells."""
        ...

    def look(self, management: Management, vhost: str) -> None:
        """Find out again, now and then. Raises BrokerError."""
        ...

    def might_have(self) -> frozenset[Binding]:
        """Bindings that an earlier tap of the same name may have left, as far as they can be guessed."""
        ...


class Traced:
    """The firehose: what the broker traces."""

    is_traced, is_whole, may_vanish = True, True, False

    def __init__(self, mode: Mode) -> None:
        """See `bindings.wanted` for the modes."""
        self.mode: str = mode
        self.wanted = _on_firehose(wanted(mode, None))

    def begin(self, managements: Sequence[Management], vhost: str) -> None:
        """Ask for the queues there are, or what is taken from one of an unusual name at first would not be seen.

        Usual names do where nobody answers, until somebody does.
        """
        for management in managements:
            try:
                self.look(management, vhost)
            except BrokerError as error:
                _log.info("Queues are bound by their usual names: %s", error)
            else:
                return

    def look(self, management: Management, vhost: str) -> None:
        """Control mode binds queue by queue."""
        if self.mode == "control":
            self.wanted = _on_firehose(wanted("control", management.queues(vhost)))

    def might_have(self) -> frozenset[Binding]:
        """Patterns of another mode."""
        return _on_firehose(known_patterns())


class Exchanges:
    """The services' own exchanges, for brokers where tracing may not be switched on.

    Every topic exchange but the broker's own, and every fanout exchange of oslo.messaging. It shows requests, casts,
    fanouts and notifications; replies go by the default exchange, to which nothing can be bound.
    """

    mode = "bindings"
    is_traced, is_whole, may_vanish = False, False, True

    def __init__(self, names: Iterable[str] = ()) -> None:
        """`names` are bound in any case; without a management API they are all there is."""
        self._named = frozenset(names)
        self.wanted = _all_of(self._named)

    def begin(self, managements: Sequence[Management], vhost: str) -> None:
        """Ask the first management API that answers; a tap with names does without."""
        if not managements and not self._named:
            raise UsageError(
                "Mode bindings has to know the exchanges: give --management-url, or name them with --exchange."
            )
        fault: BrokerError | None = None
        for management in managements:
            try:
                self.look(management, vhost)
            except BrokerError as error:
                fault = error
            else:
                return
        if fault is not None and not self._named:
            raise fault
        if fault is not None:
            _log.warning("%s", fault)

    def look(self, management: Management, vhost: str) -> None:
        """Services that start bring exchanges of their own."""
        found = (name for name, kind in management.exchanges(vhost) if _is_of_services(name, kind))
        self.wanted = _all_of(self._named.union(found))

    def might_have(self) -> frozenset[Binding]:
        """A tap of the same name may have been on the firehose before."""
        return _on_firehose(known_patterns())


class Nothing:
    """No message at all: a tap that has let go. Its queue stays, and its markers go on."""

    mode = "off"
    is_traced, is_whole, may_vanish = False, False, False

    def __init__(self) -> None:
        """There is nothing to choose."""
        self.wanted: frozenset[Binding] = frozenset()

    def begin(self, managements: Sequence[Management], vhost: str) -> None:
        """Nothing has to be known."""

    def look(self, management: Management, vhost: str) -> None:
        """Nothing changes."""

    def might_have(self) -> frozenset[Binding]:
        """A tap of the same name may have been on the firehose before."""
        return _on_firehose(known_patterns())


def _is_of_services(name: str, kind: str) -> bool:
    if name.startswith("amq."):
        return False
    return kind == "topic" or (kind == "fanout" and name.endswith(_FANOUT))


def _all_of(names: Iterable[str]) -> frozenset[Binding]:
    return frozenset(Binding(name, _EVERYTHING) for name in names)


def _on_firehose(keys: Iterable[str]) -> frozenset[Binding]:
    return frozenset(Binding(FIREHOSE, key) for key in keys)
