"""Endless traffic made of the shipped recordings, and what it looks like.

    python benchmarks/traffic.py

Several lanes play the recorded operations again and again, each play with request, message, unique and server ids of
its own, so that nothing that is random on a real bus repeats here. Recordings hold no arguments: bodies are built
anew (`wire/bodies.py`) up to their recorded sizes. Each event has strings and bytes of its own, as from a client.
"""

from __future__ import annotations

import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from operator import attrgetter
from pathlib import Path
from statistics import mean

sys.path.insert(0, str(Path(__file__).parents[1]))

import orjson

from benchmarks.wire.bodies import rebuild
from benchmarks.wire.headers import complete
from rpcscope.capture import CaptureReader
from rpcscope.decode import Decoder
from rpcscope.model import Message, Observation, Topology
from rpcscope.rules import load_rules

RECORDINGS = Path(__file__).parents[1] / "rpcscope" / "demo" / "recordings"
LANES = 40
PAUSE_NS = 50_000_000
SHOWN = 50_000


@dataclass(frozen=True, slots=True)
class Template:
    """One event whose ids are still to be filled in."""

    after_ns: int  # since the recording began
    routing_key: bytes
    headers: bytes  # JSON
    parts: tuple[bytes, ...]  # of the body: text, id, text, id, ..., text
    ids: tuple[int, ...]  # the id at each odd place, by its number in the recording

    def event(self, start_ns: int, ids: list[bytes]) -> Observation:
        """The event of a play that began at `start_ns`."""
        parts = list(self.parts)
        parts[1::2] = [ids[number] for number in self.ids]
        body = b"".join(parts)
        return Observation(
            at_ns=start_ns + self.after_ns,
            exchange="amq.rabbitmq.trace",
            routing_key=self.routing_key.decode(),
            headers=orjson.loads(self.headers),
            body=body,
            size=len(body),
        )


class Recorded:
    """One recording, ready to be played with other ids."""

    def __init__(self, path: Path) -> None:
        with CaptureReader(path) as reader:
            sightings = [one for batch in reader.batches() for one in batch]
        self.topologies = [one for one in sightings if isinstance(one, Topology)]
        pairs = _decoded([one for one in sightings if isinstance(one, Observation)])
        self._ids = sorted({one for _, message in pairs for one in _ids_of(message)})
        split = re.compile(f"({'|'.join(self._ids)})".encode()).split
        self.begins_ns, self._templates = pairs[0][0].at_ns, list[Template]()
        rebuilt: dict[bytes, list[bytes]] = {}
        for seen, message in pairs:
            if seen.body not in rebuilt:
                rebuilt[seen.body] = split(rebuild(seen, message))
            parts = rebuilt[seen.body]
            numbers = tuple(self._ids.index(one.decode()) for one in parts[1::2])
            after_ns, headers = seen.at_ns - self.begins_ns, orjson.dumps(complete(seen.headers))
            self._templates.append(Template(after_ns, seen.routing_key.encode(), headers, tuple(parts), numbers))
        self.lasts_ns = self._templates[-1].after_ns

    def events(self, start_ns: int, chance: random.Random) -> Iterator[Observation]:
        """The recording once more, from `start_ns` on, with new ids of the same shapes."""
        ids = [_fresh(one, chance) for one in self._ids]
        for template in self._templates:
            yield template.event(start_ns, ids)


class Traffic:
    """The same events, in the order of time, for the same seed. `events` never ends."""

    def __init__(self, seed: int = 7) -> None:
        recorded = [Recorded(path) for path in sorted(RECORDINGS.glob("*.zst"))]
        self.topologies = [one for each in recorded for one in each.topologies]
        self.begins_ns = max(each.begins_ns for each in recorded)
        lanes = [self._lane(recorded, random.Random(f"{seed}/{number}")) for number in range(LANES)]
        self.events: Iterator[Observation] = merge(*lanes, key=attrgetter("at_ns"))

    def take(self, count: int) -> list[Observation]:
        """The next events."""
        return list(islice(self.events, count))

    def _lane(self, recorded: list[Recorded], chance: random.Random) -> Iterator[Observation]:
        """Plays behind each other; lanes begin at different times."""
        now_ns = self.begins_ns + chance.randrange(20_000_000_000)
        while True:
            for each in chance.sample(recorded, len(recorded)):
                yield from each.events(now_ns, chance)
                now_ns += each.lasts_ns + PAUSE_NS


def _decoded(observations: list[Observation]) -> list[tuple[Observation, Message]]:
    decoder = Decoder(load_rules())
    decoded = [(seen, decoder.decode(seen)) for seen in observations]
    return [(seen, message) for seen, message in decoded if isinstance(message, Message)]


def _ids_of(message: Message) -> set[str]:
    return {message.unique_id, message.msg_id, message.request_id, *message.instances} - {""}


def _fresh(one: str, chance: random.Random) -> bytes:
    """Another id of the same shape: 32 hex digits, a uuid, or req- and a uuid."""
    digits = f"{chance.getrandbits(128):032x}"
    if len(one) == 32:
        return digits.encode()
    uuid = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return f"{one[:-36]}{uuid}".encode()


def main() -> None:
    traffic = Traffic()
    began = time.process_time()
    events = traffic.take(SHOWN)
    cpu = (time.process_time() - began) / SHOWN * 1e6
    decoder = Decoder(load_rules())
    kinds = Counter((m.kind.name, m.event.name) for m in map(decoder.decode, events) if isinstance(m, Message))
    span_s = (events[-1].at_ns - events[0].at_ns) / 1e9
    print(f"{SHOWN:,} events in {span_s:.1f} s of their own time, {len({e.body for e in events}):,} bodies,")
    print(f"{mean(e.size for e in events):,.0f} bytes each in the mean; made in {cpu:.1f} us of CPU each")
    for (kind, event), count in sorted(kinds.items()):
        print(f"  {kind.lower():8} {event.lower():8} {count / SHOWN:6.1%}")


if __name__ == "__main__":
    main()
