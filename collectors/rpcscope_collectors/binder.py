"""Keeps the tap's queue bound to its view, and leads it from one view to the next so that no publish is missed.

old view -- bind what is new -- marker: the phase begins -- a moment with both -- unbind what is old -- new view
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rpcscope.errors import BrokerError, RpcscopeError
from rpcscope.model import Gap, GapCause
from rpcscope_collectors.intake import Intake
from rpcscope_collectors.management import Management
from rpcscope_collectors.markers import Pulse
from rpcscope_collectors.tap_queue import FIREHOSE, Binding, TapQueue
from rpcscope_collectors.views import View

# The broker routes a publish by its exchange and traces it a moment later. Where that moment falls between binding
# the one way and unbinding the other, nobody would see it: so both stay for much longer than it lasts.
_BOTH_NS = 200_000_000
_PATIENCE_NS = 2_000_000_000  # for a marker of a broker that holds publishers back
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Switch:
    """The queue is on its way to the present view."""

    why: str
    bound_ns: int = 0  # when the present view was bound; 0: not yet


class Binder:
    """`change` is for any thread, the rest for the reader's, or before it runs for the one that opens the tap."""

    def __init__(
        self,
        view: View,
        intake: Intake,
        pulse: Pulse,
        *,
        vhost: str,
        managements: Sequence[Management],
        rebind_s: float,
    ) -> None:
        """Nothing is bound yet. What may vanish is bound again every `rebind_s`."""
        self.view = view
        self._intake, self._pulse = intake, pulse
        self._vhost, self._managements = vhost, tuple(managements)
        self._rebind_ns, self._bound_ns = int(rebind_s * 1e9), 0
        self._asked: deque[tuple[View, str]] = deque()
        self._switch: _Switch | None = None
        self._made: frozenset[Binding] = frozenset()  # what the queue may be bound by, over all its connections
        self._told: set[str] = set()  # refusals that were said

    def change(self, view: View, why: str) -> None:
        """Have the queue bound to another view. Raises BrokerError or UsageError when nobody tells what to bind."""
        view.begin(self._managements, self._vhost)
        self._asked.append((view, why))

    def attach(self, queue: TapQueue, *, again: bool = False) -> None:
        """Bind the queue of a new connection to the present view, and to nothing else. Raises BrokerError.

        `again` is a connection that takes the place of a lost one.
        """
        left_over = self._left_over(queue.name) if queue.found is not None else frozenset()
        if again and self.view.may_vanish:
            self._bind_most(queue, left_over)
        else:
            queue.bind(self.view.wanted, left_over)
        self._bound_ns = time.time_ns()
        self._made = queue.bound
        if self._switch is not None and not self._switch.bound_ns:  # the connection was lost on the way
            self._announce(self._switch)

    def begin(self, queue: TapQueue) -> None:
        """The first phase begins, behind what an earlier recorder left in the queue."""
        since_ns = 0 if queue.found is None else time.time_ns()
        if since_ns:  # it may have been killed while its view changed
            self._intake.twins.expect()
            self._intake.twins.expect_until(since_ns)
        self._intake.announce(self.view.mode, "start", since_ns, is_whole=self.view.is_whole)

    def turn(self, queue: TapQueue) -> None:
        """See to it that the queue is bound as it should be; takes no longer than the broker does."""
        if self._switch is None and self._asked:
            self._begin_switch(queue, *self._asked.popleft())
        elif self._switch is None:
            self._keep(queue)
        elif self._is_ripe(self._switch):
            self._finish(queue, self._switch)

    def _begin_switch(self, queue: TapQueue, view: View, why: str) -> None:
        old, self.view = self.view, view
        self._switch = _Switch(why)
        self._made |= view.wanted
        if _is_mixed(queue.bound | view.wanted):
            self._intake.twins.expect()
        try:
            queue.bind(view.wanted, keep=True)
        except BrokerError as error:
            if not queue.bound & view.wanted:
                self._stay(queue, old, error)
                return
            self._tell(error)
        self._announce(self._switch)

    def _stay(self, queue: TapQueue, old: View, error: BrokerError) -> None:
        _log.warning("The tap stays in mode %s: %s", old.mode, error)
        self.view, self._switch = old, None
        self._made = queue.bound
        self._intake.twins.expect_until(time.time_ns())

    def _announce(self, switch: _Switch) -> None:
        self._bound_ns = switch.bound_ns = time.time_ns()
        self._intake.announce(self.view.mode, switch.why, switch.bound_ns, is_whole=self.view.is_whole)
        self._pulse.hurry()

    def _is_ripe(self, switch: _Switch) -> bool:
        waited_ns = time.time_ns() - switch.bound_ns
        fenced = self._pulse.sent_ns >= switch.bound_ns
        return waited_ns >= (_BOTH_NS if fenced else _PATIENCE_NS)

    def _finish(self, queue: TapQueue, switch: _Switch) -> None:
        """Leave the old view."""
        if self._pulse.sent_ns < switch.bound_ns:
            self._intake.begin_phases()
        queue.unbind(queue.bound - self.view.wanted)
        self._made, self._switch = queue.bound, None
        self._intake.twins.expect_until(time.time_ns())

    def _keep(self, queue: TapQueue) -> None:
        """What may vanish is bound again now and then; until it was, what came to a new exchange was missed."""
        if not self.view.may_vanish:
            queue.bind(self.view.wanted)
            self._made = queue.bound
            return
        now = time.time_ns()
        again = now - self._bound_ns >= self._rebind_ns
        before = queue.bound
        self._bind_most(queue, again=again)
        self._made = queue.bound
        fresh = queue.bound - before
        if fresh:
            note = f"{len(fresh)} new exchange{'s' if len(fresh) > 1 else ''}"
            gap = Gap(from_ns=self._bound_ns, to_ns=time.time_ns(), cause=GapCause.NOT_TRACED, note=note)
            self._intake.hand_on(gap)
        if fresh or again:
            self._bound_ns = now

    def _bind_most(self, queue: TapQueue, left_over: Iterable[Binding] = (), *, again: bool = False) -> None:
        """One exchange that the tap may not read must not end what it sees of the others."""
        try:
            queue.bind(self.view.wanted, left_over, again=again)
        except BrokerError as error:
            self._tell(error)

    def _tell(self, error: BrokerError) -> None:
        if str(error) not in self._told:
            self._told.add(str(error))
            _log.warning("%s Until then the tap does not see it.", error)

    def _left_over(self, name: str) -> frozenset[Binding]:
        """What the queue may be bound by from before: by us, or by an earlier recorder in another mode."""
        bound = self.view.might_have() | self._made
        for management in self._managements:
            try:
                bound |= {Binding(*one) for one in management.bindings(self._vhost, name)}
                break
            except RpcscopeError:
                continue
        return bound - self.view.wanted


def _is_mixed(bindings: Iterable[Binding]) -> bool:
    """The firehose is among them, and something else."""
    return len({one.exchange == FIREHOSE for one in bindings}) > 1
