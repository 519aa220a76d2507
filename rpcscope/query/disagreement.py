"""Where taps that looked at the same calls do not say the same: how many, how they ended, how large, in which order.

What a process tells and what the bus shows are two witnesses. Each disagreement is of one kind and of one process,
host or method, however many calls it is about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from rpcscope.model import RPCS, Account, Call, Clock, Outcome, Process
from rpcscope.modes import sight
from rpcscope.query.clocks import PAIRS, TAP, Clocks, measured
from rpcscope.query.ids import recording_of
from rpcscope.query.operations import process_name
from rpcscope.query.testimony import Told, told_of
from rpcscope.store.protocol import Reader

COUNT, OUTCOME, SIZE, TIMES = "count", "outcome", "size", "times"
JITTER_NS = 20_000_000
"""A tap reads what the broker traces now sooner, now later."""
MOST_IDS = 10_000
"""Numbers of calls that are looked at for calls of which nobody told."""
_ENDS = (Outcome.OK, Outcome.FAILED, Outcome.TIMED_OUT)
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """One kind of it, of one name."""

    about: str  # count | outcome | size | times
    what: str  # a method, a process or a host
    said: str  # what the one says and what the other
    calls: int
    worst_ns: int = 0  # of times: by how much


def disagreements(
    reader: Reader, processes: Mapping[int, Process], from_ns: int, to_ns: int
) -> tuple[Disagreement, ...]:
    """Of the calls that began last of those told of in a time; the most calls first."""
    accounts = {
        number: told
        for number, told in reader.newest_accounts(PAIRS).items()
        if any(from_ns <= one.at_ns <= to_ns for one in told)
    }
    if not accounts:
        return ()
    calls = reader.calls_by_id(_around(accounts))
    sees_bus = {info.recording.id for info in reader.recordings() if sight(info.recording.tap_mode).bus}
    witness = _Witness(measured(accounts, calls), processes)
    for number, call in calls.items():
        if recording_of(number) in sees_bus and call.kind in RPCS and call.closed:
            witness.hear(call, told_of(accounts.get(number, ())))
    return witness.found(_tellers(accounts))


def _around(accounts: Mapping[int, object]) -> set[int]:
    """Numbers of calls among those that were told of; each recording has its own."""
    spans: defaultdict[int, list[int]] = defaultdict(list)
    for number in accounts:
        spans[recording_of(number)].append(number)
    found: set[int] = set(accounts)
    for numbers in spans.values():
        found.update(range(max(min(numbers), max(numbers) - MOST_IDS), max(numbers)))
    return found


def _tellers(accounts: Mapping[int, Iterable[Account]]) -> set[int]:
    """Processes that tell of their calls by a tap inside; spans may be sampled."""
    return {one.process for told in accounts.values() for one in told if one.source == "driver"}


class _Witness:
    def __init__(self, clocks: Clocks, processes: Mapping[int, Process]) -> None:
        self._clocks = clocks
        self._processes = processes
        self._calls: defaultdict[Key, int] = defaultdict(int)
        self._worst: defaultdict[Key, int] = defaultdict(int)
        self._untold: defaultdict[int, int] = defaultdict(int)

    def hear(self, call: Call, told: Told) -> None:
        """One call of both witnesses."""
        if not told.accounts:
            self._untold[call.from_process] += 1
        elif call.clock is Clock.HOST:
            self._note(COUNT, call.method, "told of by its processes, not seen on the bus")
        else:
            for key, by_ns in self._differences(call, told):
                self._note(*key, by_ns=by_ns)

    def found(self, tellers: set[int]) -> tuple[Disagreement, ...]:
        """All of them."""
        keys = {process.key for number in tellers if (process := self._processes.get(number)) is not None}
        for number, calls in self._untold.items():
            process = self._processes.get(number)
            if process is not None and process.key in keys:
                key = COUNT, process_name(process), "sent on the bus, not told of by the process, which tells of others"
                self._calls[key] += calls
        rows = (
            Disagreement(about=about, what=what, said=said, calls=calls, worst_ns=self._worst[about, what, said])
            for (about, what, said), calls in self._calls.items()
        )
        return tuple(sorted(rows, key=lambda row: (-row.calls, row.about, row.what)))

    def _note(self, about: str, what: str, said: str, *, by_ns: int = 0) -> None:
        self._calls[about, what, said] += 1
        self._worst[about, what, said] = max(by_ns, self._worst[about, what, said])

    def _differences(self, call: Call, told: Told) -> Iterator[tuple[Key, int]]:
        client, server = told.client, told.server
        for one, who in ((client, "caller"), (server, "worker")):
            if one is not None and _differ(call, one, who):
                said = f"{_word(call.outcome)} on the bus, {_word(one.outcome)} says its {who}"
                yield (OUTCOME, call.method, said), 0
        if client is not None and call.publishes == 1 and client.request_bytes not in (None, call.request_bytes):
            yield (SIZE, call.method, "the request has another size on the bus than its sender says"), 0
        if client is not None and (late := self._after(client.sent_ns, client.host, call.published_ns, call)):
            yield (TIMES, client.host, "sent after the bus had the message"), late
        if server is not None and (late := self._after(server.ended_ns, server.host, call.replied_ns, call)):
            yield (TIMES, server.host, "still at work when the bus had the reply"), late

    def _after(self, told_ns: int | None, host: str, seen_ns: int | None, call: Call) -> int:
        """By how much a process says that it did later what must have come before; 0 within the clocks' error."""
        offset = self._clocks.ahead(host, TAP)
        if told_ns is None or seen_ns is None or offset is None or call.clock is not Clock.TAP:
            return 0
        late = told_ns - offset.ahead_ns - seen_ns - offset.error_ns
        return late if late > JITTER_NS else 0


def _differ(call: Call, one: Account, who: str) -> bool:
    """A worker does not know how long its caller waits."""
    if call.outcome not in _ENDS or one.outcome not in _ENDS or call.outcome is one.outcome:
        return False
    return who == "caller" or Outcome.TIMED_OUT not in (call.outcome, one.outcome)


def _word(outcome: Outcome) -> str:
    return outcome.name.lower().replace("_", " ")
