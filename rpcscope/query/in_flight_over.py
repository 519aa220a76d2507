"""Work in flight over a time: by process and method, and by queue where nobody took it yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from rpcscope.in_hand import REPEAT_NS
from rpcscope.model import InFlightSample, Process
from rpcscope.query.consumed import Consumed
from rpcscope.query.operations import process_name
from rpcscope.query.processes import processes
from rpcscope.query.seen_times import Seen, seen_times
from rpcscope.query.steps import Number, Steps, added, highest, peak, value_at
from rpcscope.query.work import InFlightOver, Work
from rpcscope.store.protocol import Reader

_LIVE = "firehose"
_Holder = tuple[str, str, str, str]  # broker, vhost, Process.key, queue


def in_flight_over(
    reader: Reader, from_ns: int, to_ns: int, *, limit: int | None = None, with_depth: bool = True
) -> InFlightOver:
    """What was in flight from one time up to another, both included; of the rows `limit` at most.

    Args:
        with_depth: of the queues of each process, which costs a look at their samples for every row.
    """
    samples = reader.in_flight(from_ns - 2 * REPEAT_NS, to_ns)
    seen = seen_times(reader, samples, from_ns, to_ns)
    held = _Held(reader, to_ns)
    for number in seen.keys() & samples.keys():
        held.take(number, samples[number], seen[number])
    consumed = Consumed(reader, from_ns, to_ns)
    rows = tuple(held.work(holder, consumed, with_depth=with_depth) for holder in held.busiest()[:limit])
    return InFlightOver(from_ns=from_ns, to_ns=to_ns, rows=rows, is_known=bool(seen))


class _Held:
    """What each process and queue holds, put together from all recordings."""

    def __init__(self, reader: Reader, to_ns: int) -> None:
        self._to_ns = to_ns
        self._processes = processes(reader)
        self._recordings = {info.recording.id: info.recording for info in reader.recordings()}
        self._methods: defaultdict[_Holder, defaultdict[str, list[Steps]]] = defaultdict(lambda: defaultdict(list))
        self._oldest: dict[_Holder, int] = {}
        self._people: dict[str, Process] = {}

    def take(self, number: int, samples: Sequence[InFlightSample], seen: Sequence[Seen]) -> None:
        """One recording."""
        recording = self._recordings[number]
        vhost = recording.label if recording.source == _LIVE else ""
        # Behind the last space of a tap's scope is its name: runs and twins of one broker tell of the same work.
        broker = recording.scope.rpartition(" ")[0]
        for (process, queue, method), mine in _by_key(samples).items():
            steps = tuple(_steps(mine, seen, self._to_ns))
            if peak(steps):
                holder = broker, vhost, self._key(process), queue
                self._methods[holder][method].append(steps)
                self._note_oldest(holder, mine[-1], steps)

    def busiest(self) -> list[_Holder]:
        """Those that held something, the most loaded first."""
        totals = {holder: peak(self._total(holder)) or 0 for holder in self._methods}
        return sorted(totals, key=lambda holder: (-totals[holder], holder))

    def work(self, holder: _Holder, consumed: Consumed, *, with_depth: bool) -> Work:
        """The row of one."""
        _, vhost, key, queue = holder
        who = self._people.get(key)
        queues = consumed.queues(who) if who is not None else (queue,) * bool(queue)
        methods = {method: highest(several) for method, several in self._methods[holder].items()}
        return Work(
            vhost=vhost,
            process=process_name(who),
            host=who.host if who is not None else "",
            queue=queue,
            total=added(methods.values()),
            methods=dict(sorted(methods.items(), key=lambda item: -(peak(item[1]) or 0))),
            oldest_ns=self._oldest.get(holder, 0),
            queues=queues,
            depth=consumed.depth(vhost, queues) if with_depth else (),
        )

    def _total(self, holder: _Holder) -> Steps:
        return added(highest(several) for several in self._methods[holder].values())

    def _key(self, process: int) -> str:
        who = self._processes.get(process)
        if who is None:
            return ""
        self._people[who.key] = who
        return who.key

    def _note_oldest(self, holder: _Holder, last: InFlightSample, steps: Steps) -> None:
        if value_at(steps, self._to_ns):
            self._oldest[holder] = min(self._oldest.get(holder, last.oldest_ns), last.oldest_ns)


def _by_key(samples: Sequence[InFlightSample]) -> dict[tuple[int, str, str], list[InFlightSample]]:
    found: dict[tuple[int, str, str], list[InFlightSample]] = defaultdict(list)
    for one in samples:
        found[one.process, one.queue, one.method].append(one)
    return found


def _steps(samples: Sequence[InFlightSample], seen: Sequence[Seen], end_ns: int) -> Iterator[tuple[int, Number]]:
    """0 where a recording saw and told nothing, unknown where it did not see."""
    for time in seen:
        mine = [one for one in samples if time.began_ns <= one.at_ns <= time.to_ns]
        before = [one for one in mine if one.at_ns <= time.from_ns]
        yield time.from_ns, before[-1].count if before else 0
        yield from ((one.at_ns, one.count) for one in mine if one.at_ns > time.from_ns)
        if time.to_ns < end_ns:
            yield time.to_ns, None
