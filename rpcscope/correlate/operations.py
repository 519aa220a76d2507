"""One operation while it is recorded: what it is, what it still waits for, how it ended."""

from __future__ import annotations

from rpcscope.correlate.calls import CallState
from rpcscope.correlate.identity import ProcessState
from rpcscope.correlate.lifecycle import Lifecycle
from rpcscope.correlate.words import CAST, HEARTBEAT, NOTIFICATION, REPLY, REQUEST
from rpcscope.model import Flag, Message, MessageKind, Operation, Outcome, Status, Tally
from rpcscope.rules import Rules
from rpcscope.rules.notices import step_of
from rpcscope.rules.rules import NONE, NOTICE, STEP, any_fits

MAX_INSTANCES = 1000
MAX_EVENTS = 1000
MAX_WAITED = 10_000  # calls, and casts
TIMEOUT_ERROR = "MessagingTimeout"
EVENT_FAILED = " failed"  # behind the name of an action event that says so without a class
_EVENT = "event:"


class Tallies:
    """Mutable twin of `model.Tally`: one number for each message kind, then copies and bytes."""

    __slots__ = ("bytes", "copies", "counts")

    def __init__(self) -> None:
        self.counts = [0, 0, 0, 0, 0, 0]  # by MessageKind
        self.copies = 0
        self.bytes = 0

    def add(self, kind: MessageKind, publishes: int, replies: int, heartbeats: int, copies: int, size: int) -> None:
        """Count what is new of one call."""
        self.counts[kind] += publishes
        self.counts[REPLY] += replies
        self.counts[HEARTBEAT] += heartbeats
        self.copies += copies
        self.bytes += size

    def load(self, tally: Tally) -> None:
        """Go on from what was stored."""
        self.counts = [tally.calls, tally.casts, tally.fanouts, tally.replies, tally.heartbeats, tally.notifications]
        self.copies, self.bytes = tally.copies, tally.bytes

    def record(self) -> Tally:
        """The numbers as they are to be stored."""
        calls, casts, fanouts, replies, heartbeats, notifications = self.counts
        return Tally(
            calls=calls, casts=casts, fanouts=fanouts, replies=replies, heartbeats=heartbeats,
            notifications=notifications, copies=self.copies, bytes=self.bytes,
        )  # fmt: skip


class OperationState:
    """Mutable twin of `model.Operation`."""

    __slots__ = (
        "answered",
        "awaited",
        "by_cause",
        "by_request",
        "casts",
        "complete",
        "dark",
        "dest",
        "ended",
        "error",
        "error_ns",
        "events",
        "finished_ns",
        "finishes",
        "global_request_id",
        "hidden",
        "id",
        "instances",
        "kind",
        "kind_ns",
        "last_ns",
        "lifecycle",
        "lost",
        "over",
        "over_ns",
        "project_id",
        "rank",
        "relayed_ns",
        "request_id",
        "source",
        "started_ns",
        "starter",
        "work_ns",
    )  # fmt: skip

    def __init__(self, id: int, request_id: str) -> None:
        self.id = id
        self.request_id = request_id
        self.global_request_id = self.project_id = self.kind = self.source = self.dest = self.error = ""
        self.rank = NONE
        self.kind_ns = self.started_ns = self.last_ns = self.work_ns = self.error_ns = self.relayed_ns = 0
        self.finished_ns: int | None = None
        self.complete = False
        self.instances: dict[str, None] = {}
        self.awaited: dict[int, CallState] = {}  # calls without a reply
        self.casts: dict[int, CallState] = {}  # casts whose work is not seen to be over
        self.events: dict[tuple[str, str], int] = {}  # action events begun by work whose cast was not seen
        self.finishes: dict[tuple[str, str], int] = {}  # action events and when their last finish was published
        self.over: list[CallState] = []  # casts that ended since somebody looked
        self.starter: ProcessState | None = None  # who published its first RPC
        self.over_ns = 0  # when an earlier run saw it end; it may have begun in what is read only now
        self.lost = False  # something it waited for was forgotten
        self.hidden = False  # a call of it was open when the tap looked away from replies, and nothing ended since
        self.dark = False  # the tap was off while it went on
        self.ended = 0  # casts and events that came to their end
        self.answered = 0  # calls that came to their end
        self.lifecycle: Lifecycle | None = None  # what notifications tell
        self.by_request = Tallies()
        self.by_cause = Tallies()

    # ------------------------------------------------------------ what it is

    def saw_request(self, m: Message, rules: Rules) -> None:
        """The first sighting of a request, cast, fanout or notification with its request id."""
        if not self.started_ns or m.at_ns < self.started_ns:
            self.started_ns = m.at_ns
        self.global_request_id = self.global_request_id or m.global_request_id
        self.project_id = self.project_id or m.project_id
        if len(self.instances) < MAX_INSTANCES:
            self.instances.update(dict.fromkeys(m.instances))
        if m.kind is NOTIFICATION:
            self._told(m, rules)
            return
        self._weigh(*rules.kind_of(m), m.at_ns)
        kind = rules.kinds.get(self.kind)
        if kind is not None and (m.server or kind.source_is_instance_host):
            if any_fits(kind.dest, m):
                self.dest = m.server
            elif any_fits(kind.source, m):
                self.source = m.server
            elif kind.source_is_instance_host and m.instance_host and not self.source:
                self.source = m.instance_host

    def _told(self, m: Message, rules: Rules) -> None:
        """A notification: what it speaks for, and which step of it began or is over."""
        kind, _ = rules.notices.kind_of(step_of(m.method))
        if kind:
            self._weigh(kind, NOTICE, m.at_ns)
        self.lifecycle = self.lifecycle or Lifecycle()
        self.lifecycle.saw(m, rules.notices)

    def _weigh(self, kind: str, rank: int, at_ns: int) -> None:
        """Strongest evidence wins; of equal ones the earliest."""
        if rank > self.rank or (rank == self.rank and rank and at_ns < self.kind_ns):
            self.kind, self.rank, self.kind_ns = kind, rank, at_ns
            self.complete = rank != STEP

    # ------------------------------------------------------------ what it waits for

    def saw(self, at_ns: int, *, is_work: bool = False) -> None:
        """An event of it. `is_work`: it made it happen; else it may only carry its request id."""
        if at_ns > self.last_ns:
            self.last_ns = at_ns
        if is_work and at_ns > self.work_ns:
            self.work_ns = at_ns

    def opens(self, call: CallState, rules: Rules) -> None:
        """A call awaits its reply, a cast its work's end."""
        if call.kind is REQUEST:
            if not (call.answered or call.timed_out or call.blind):
                self.awaited[call.id] = call
        elif call.kind is CAST and call.end and not call.ended:
            self.casts[call.id] = call
            if self._has_ended(call):
                self._ends(call, self.error, self.error_ns)
        for waited in (self.awaited, self.casts):
            if len(waited) > MAX_WAITED:
                self.forget(next(iter(waited.values())))
        if self.finished_ns is not None and not rules.is_leaf(call.method):
            self.finished_ns = None

    def _has_ended(self, cast: CallState) -> bool:
        """Whether the end of its work was read before the cast itself."""
        since = cast.published_ns or 0
        if self.over_ns > since:
            return True
        if cast.end == "relay":
            return self.relayed_ns > since
        servers = cast.instances or [server for _, server in self.finishes]
        return any(self.finishes.get((cast.end, server), 0) > since for server in servers)

    def steps(self, call: CallState, rules: Rules) -> None:
        """Look whether an RPC ends the work of a cast of this operation."""
        for fact in call.facts:
            if fact.startswith(_EVENT):
                self._event(call, fact[len(_EVENT) :])
        self.relayed(call)
        for cast in [c for c in self.casts.values() if c.end == "step"]:
            if _shares(cast, call) and any(
                match.method == call.method and match.fits(call.topic, call.facts)
                for match in rules.end_steps[cast.method]
            ):
                good = "status:completed" in call.facts
                self._ends(cast, "" if good else (self.error or "MigrationError"), call.last_ns)

    def relayed(self, call: CallState) -> None:
        """A cast to a host is what conductors work towards; without a known cause it is any conductor's."""
        if call.kind is not CAST or not call.server:
            return
        at_ns = call.published_ns or 0
        if call.parent is None:
            self.relayed_ns = max(self.relayed_ns, at_ns)
        for relay in [c for c in self.casts.values() if c.end == "relay"]:
            guessed = call.parent is None and _shares(relay, call) and (relay.published_ns or 0) < at_ns
            if call.parent is relay or guessed:
                self._ends(relay, "")

    def _event(self, call: CallState, name: str) -> None:
        key = (name, call.instances[0] if call.instances else "")
        cast = next((c for c in self.casts.values() if c.end == name and _shares(c, call)), None)
        at_ns = call.published_ns or 0
        if "event_finish" not in call.method:
            if cast is None and at_ns >= self.finishes.get(key, 0) and len(self.events) < MAX_EVENTS:
                self.events[key] = self.events.get(key, 0) + 1
            return
        self._event_finished(key, at_ns)
        error = (self.error or f"{name}{EVENT_FAILED}") if "error" in call.facts else ""
        if cast is not None:
            self._ends(cast, error, call.last_ns)
            return
        self.ended += 1
        if error:
            self.fails(error, call.last_ns)

    def _event_finished(self, key: tuple[str, str], at_ns: int) -> None:
        self.finishes[key] = max(at_ns, self.finishes.get(key, 0))
        if len(self.finishes) > MAX_EVENTS:
            del self.finishes[next(iter(self.finishes))]
        if key in self.events:
            self.events[key] -= 1
            if not self.events[key]:
                del self.events[key]

    def _ends(self, cast: CallState, error: str, at_ns: int = 0) -> None:
        cast.ended = True
        if self.casts.pop(cast.id, None) is None:
            return
        self.ended += 1
        self.over.append(cast)
        self.hidden = self.hidden and cast.end == "relay"
        if error:
            self.fails(error, at_ns)
        elif cast.end != "relay" and self.error_ns <= at_ns:
            self.error, self.error_ns = "", 0

    def forget(self, call: CallState) -> None:
        """It is not waited for any longer, because too many were."""
        waited = self.awaited.pop(call.id, None) or self.casts.pop(call.id, None)
        self.lost = self.lost or waited is not None

    def hides(self, call: CallState) -> None:
        """The end of a call will not be seen."""
        self.hidden = self.awaited.pop(call.id, None) is not None or self.hidden

    def goes_dark(self) -> bool:
        """Nothing of it will be seen for a time; what is known to be over stays so. Whether its status is another."""
        self.settle()
        before = self.status()
        if self.finished_ns is None or not self.complete:
            self.dark = True
            self.events.clear()
        return self.status() is not before

    def replied(self, call: CallState, rules: Rules) -> None:
        """The reply that ends a call was published."""
        self.awaited.pop(call.id, None)
        self.answered += 1
        outcome = call.outcome()
        if outcome is Outcome.TIMED_OUT:
            if not call.timed_out:
                self.fails(TIMEOUT_ERROR, call.deadline_ns() or call.last_ns)
        elif outcome is Outcome.FAILED:
            if rules.is_expected(call.method, call.failure):
                call.flags |= Flag.EXPECTED_FAILURE
            elif call.parent is None or not call.parent.topic.startswith("compute") or not rules.is_leaf(call.method):
                self.fails(call.failure, call.last_ns)
                self._relay_failed(call)

    def _relay_failed(self, call: CallState) -> None:
        """A conductor that was refused its only question gives up: nova sets the server to ERROR without an RPC."""
        for cast in [c for c in self.casts.values() if c.end == "relay"]:
            if call.parent is cast or call.parent is None:
                self._ends(cast, "")

    def timed_out(self, call: CallState) -> None:
        """The caller's time was over before a reply came."""
        if self.awaited.pop(call.id, None) is not None:
            self.fails(TIMEOUT_ERROR, call.deadline_ns() or call.last_ns)

    def fails(self, error: str, at_ns: int) -> None:
        """Something went wrong; a later good end takes it back."""
        self.error, self.error_ns = error, at_ns

    def settle(self) -> None:
        """After each batch: nothing owed and something ended means that it is over."""
        over = self.ended or self.answered or self._failure() or self._is_told_over()
        if self.awaited or self.casts or self.events or self._is_told_open() or not over:
            self.finished_ns = None
        else:
            self.finished_ns = self.work_ns or self.last_ns

    # ------------------------------------------------------------ the record

    def status(self) -> Status:
        """DONE, FAILED, RUNNING or UNKNOWN; STUCK is found when it is read."""
        if self.finished_ns is not None:
            if self.dark:
                return Status.UNKNOWN
            if self._failure():
                return Status.FAILED
            headless = not self.complete and self.rank in (NONE, STEP)
            return Status.UNKNOWN if headless or self.lost or self.hidden else Status.DONE
        if self.awaited or self._at_work() or self.events or self._is_told_open():
            return Status.RUNNING
        return Status.UNKNOWN

    def _failure(self) -> str:
        """What made it fail. A notification names the class also where all RPCs look fine: nova builds a server,
        fails, says so, and ends its action event as if nothing had happened."""
        told = self.lifecycle.error if self.lifecycle is not None else ""
        return told if told and (not self.error or self.error.endswith(EVENT_FAILED)) else self.error

    def _is_told_alone(self) -> bool:
        """No RPC was seen, so that notifications are all there is."""
        return self.rank == NOTICE and self.starter is None

    def _is_told_open(self) -> bool:
        return self.lifecycle is not None and self._is_told_alone() and self.lifecycle.is_open

    def _is_told_over(self) -> bool:
        return self.lifecycle is not None and self._is_told_alone() and self.lifecycle.is_over

    def owed(self) -> CallState | None:
        """The step it waits for: the latest unanswered call, else the latest cast."""
        pool = list(self.awaited.values()) or self._at_work()
        return max(pool, key=lambda c: c.published_ns or c.last_ns) if pool else None

    def _at_work(self) -> list[CallState]:
        """Casts of which it would be seen if their work had ended."""
        return [cast for cast in self.casts.values() if not cast.is_lost_to_sight]

    def record(self, rules: Rules) -> Operation:
        """The operation as it is to be stored."""
        owed = self.owed()
        worker = owed.to_process.root() if owed is not None and owed.to_process is not None else None
        return Operation(
            id=self.id,
            request_id=self.request_id,
            global_request_id=self.global_request_id,
            kind=self.kind,
            kind_rank=self.rank,
            background=not self.request_id or not self.kind or rules.is_background(self.kind),
            status=self.status(),
            error=self._failure(),
            instances=tuple(self.instances),
            source_host=self.source,
            dest_host=self.dest,
            project_id=self.project_id,
            started_ns=self.started_ns or self.last_ns,
            last_ns=self.last_ns,
            finished_ns=self.finished_ns,
            complete=self.complete,
            by_request=self.by_request.record(),
            by_cause=self.by_cause.record(),
            owed_call=owed.id if owed else 0,
            owed_method=owed.method if owed else "",
            owed_process=worker.id if worker else 0,
            owed_host=(owed.server or (worker.host or worker.told_host if worker else "")) if owed else "",
            owed_since_ns=(owed.published_ns or owed.last_ns) if owed else None,
        )

    def only_instance(self) -> tuple[str, ...]:
        """The server it is about, when it is about one."""
        return tuple(self.instances) if len(self.instances) == 1 else ()

    def restore(self, stored: Operation) -> None:
        """Go on from what an earlier run of the recorder stored."""
        self.global_request_id, self.project_id = stored.global_request_id, stored.project_id
        self.kind, self.rank, self.error = stored.kind, stored.kind_rank, stored.error
        self.source, self.dest, self.complete = stored.source_host, stored.dest_host, stored.complete
        self.started_ns = self.kind_ns = stored.started_ns
        self.last_ns, self.finished_ns = stored.last_ns, stored.finished_ns
        self.work_ns = stored.finished_ns or stored.last_ns
        self.instances = dict.fromkeys(stored.instances)
        self.over_ns = stored.finished_ns or 0
        self.ended = int(stored.status in (Status.DONE, Status.FAILED))
        self.by_request.load(stored.by_request)
        self.by_cause.load(stored.by_cause)


def _shares(one: CallState, other: CallState) -> bool:
    """Whether two RPCs may be about the same server."""
    if not one.instances or not other.instances:
        return True
    return not set(one.instances).isdisjoint(other.instances)
