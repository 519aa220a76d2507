"""One broker recorded into the store, and several at once: each a recording of its own."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from rpcscope.cli.brokers import Place
from rpcscope.cli.ears import Untapped
from rpcscope.cli.flown import Heard, flown
from rpcscope.cli.health import HealthReport
from rpcscope.cli.metered import metered
from rpcscope.cli.tapped import ENDS, Tapped
from rpcscope.cli.watch import watched
from rpcscope.errors import RpcscopeError
from rpcscope.modes import INSIDE
from rpcscope.pipeline import Recorder
from rpcscope.place_names import place_name

if TYPE_CHECKING:
    from rpcscope.cli.ears import Ear
    from rpcscope.cli.flight import Course
    from rpcscope.export.metrics.meter import Meters
    from rpcscope.model import Batch, Counters
    from rpcscope.rules import Rules
    from rpcscope.store.store import Store

log = logging.getLogger(__name__)

_NO_BROKER = "inside services"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What all recorders of a command have in common."""

    rules: Rules
    conditions: str
    use_traceparent: bool
    churn: bool
    where: dict[str, Any]  # the options of the tap
    course: Course
    labels: dict[str, str]
    queues_every_s: float | None = None  # None: as often as a share of a core allows
    meters: Meters | None = None  # count what is stored, where somebody asks for metrics
    hear: Sequence[Callable[[Batch], None]] = ()  # each is given what was stored; it returns at once and never fails
    ears: Sequence[Ear] = ()  # open taps that are told things by others


class Live:
    """One broker's recorder. `begin` it once its tap is open, then `record` until the tap is stopped."""

    def __init__(self, store: Store, place: Place | None, plan: Plan) -> None:
        """Nothing is connected and nothing stored yet. Without a place its ears are all it has."""
        self._store, self._place, self._plan = store, place, plan
        self._scope = f"{self.broker} {plan.where['name']}"
        detail = plan.course.plan.detail if plan.course.plan is not None else ""
        self.tapped: Tapped | Untapped = (
            Tapped(place, plan.where, detail=detail, resume_ns=_known_until(store, self._scope))
            if place is not None
            else Untapped(plan.ears)
        )
        self.failure: Exception | None = None

    @property
    def broker(self) -> str:
        """As people know it."""
        return str(self._place.broker) if self._place is not None else _NO_BROKER

    def begin(self) -> HealthReport:
        """Begin the recording; what tells how it fares."""
        plan, place, writer = self._plan, self._place, self._store.writer()
        mode = plan.where["mode"] if place is not None else INSIDE
        before = [info.recording for info in self._store.reader().recordings()]
        label = place_name(before, self._scope, place.broker.vhost, place.broker.address) if place else _NO_BROKER
        resume = writer.start(
            source="firehose", scope=self._scope, digest="", label=label, tap_mode=mode,
            conditions=plan.conditions, started_ns=time.time_ns(),
        )  # fmt: skip
        self.recording = resume.recording
        writer.label(self.recording.id, plan.labels)
        tapped = self.tapped
        name = plan.where["name"]
        self._flying = (
            flown(self._store, place, tapped, plan.course, self.recording, name)
            if place is not None and isinstance(tapped, Tapped)
            else None
        )
        sink = metered(Heard(writer, self._flying, plan.hear), plan.meters, resume)
        self._recorder = Recorder(sink, resume, plan.rules, use_traceparent=plan.use_traceparent, clock=time.time_ns)
        click.echo(f"rpcscope: recording {self.broker}, mode {mode}; {ENDS}", err=True)
        self._report = HealthReport(self._store, self.recording, self._recorder, tapped.tap, tapped.tracing)
        return self._report

    def record(self, progress: Callable[[Counters], None] | None = None) -> None:
        """Store what the tap yields until it is stopped."""
        place, tap = self._place, self.tapped.tap
        with self._report:
            with watched(
                tap, place, churn=self._plan.churn, flying=self._flying, name=self.recording.label,
                ears=self._plan.ears, queues_every_s=self._plan.queues_every_s,
            ) as source:  # fmt: skip
                self._recorder.run(source, progress=progress)
            self._recorder.end()
        self.tapped.stored()

    def record_beside_others(self) -> None:
        """The same in a thread: a failure is said and kept, and ends this recorder alone."""
        try:
            try:
                self.record()
            finally:
                self.tapped.close()
        except RpcscopeError as error:
            self.failure = error
            click.echo(f"rpcscope: {self.broker} is no longer recorded: {error}", err=True)
        except Exception as error:
            self.failure = error
            log.exception("%s is no longer recorded", self.broker)


def _known_until(store: Store, scope: str) -> int:
    """The last time that earlier recordings know of; their first start while none has stored anything; 0: none."""
    earlier = [info for info in store.reader().recordings() if info.recording.scope == scope]
    stored = max((info.last_ns for info in earlier), default=0)
    return stored or min((info.recording.started_ns for info in earlier), default=0)


def record_all(lives: Sequence[Live]) -> None:
    """Until all have ended; one in this thread, several in a thread each."""
    if len(lives) == 1:
        lives[0].record(_status_line(lives[0]))
        return
    # Daemons: a second signal does not wait for a database that takes nothing.
    threads = [threading.Thread(target=live.record_beside_others, name=live.broker, daemon=True) for live in lives]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _status_line(live: Live) -> Callable[[Counters], None] | None:
    """On a terminal: how it goes, in one line that is written over."""
    if not sys.stderr.isatty():
        return None
    tap = live.tapped.tap

    def show(c: Counters) -> None:
        lag = "" if tap.lag_s is None else f", lag {tap.lag_s:.1f} s"
        click.echo(f"\r{c.seen:,} events, {c.messages:,} messages, {c.rejected:,} rejected{lag}   ", err=True, nl=False)

    return show
