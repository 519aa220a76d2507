"""The traffic of the benchmarks is what was recorded, with other ids."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.traffic import RECORDINGS, Traffic
from benchmarks.wire.bodies import rebuild
from rpcscope.capture import CaptureReader
from rpcscope.decode import Decoder
from rpcscope.model import Message, Observation
from rpcscope.rules import load_rules

NAMES = sorted(path.name for path in RECORDINGS.glob("*.zst"))


@pytest.fixture(scope="module")
def taken() -> list[Observation]:
    return Traffic(seed=3).take(8_000)


def recorded(path: Path) -> list[Observation]:
    with CaptureReader(path) as reader:
        return [one for batch in reader.batches() for one in batch if isinstance(one, Observation)]


@pytest.mark.parametrize("name", NAMES)
def test_a_rebuilt_body_says_what_the_recorded_one_said_and_is_as_long(name: str) -> None:
    decoder = Decoder(load_rules())
    for seen in recorded(RECORDINGS / name):
        message = decoder.decode(seen)
        assert isinstance(message, Message)
        body = rebuild(seen, message)
        assert decoder.decode(replace(seen, body=body)) == message
        assert seen.size - 32 < len(body) <= seen.size


def test_the_same_seed_gives_the_same_traffic(taken: list[Observation]) -> None:
    assert Traffic(seed=3).take(len(taken)) == taken
    assert Traffic(seed=4).take(100) != taken[:100]


def test_time_goes_on(taken: list[Observation]) -> None:
    assert [one.at_ns for one in taken] == sorted(one.at_ns for one in taken)


def test_a_body_is_seen_in_its_publish_and_its_delivery_and_never_again(taken: list[Observation]) -> None:
    seen: dict[bytes, int] = {}
    for one in taken:
        seen[one.body] = seen.get(one.body, 0) + 1
    assert set(seen.values()) <= {1, 2}


def test_every_event_has_bytes_and_headers_of_its_own(taken: list[Observation]) -> None:
    assert len({id(one.body) for one in taken}) == len({id(one.headers) for one in taken}) == len(taken)
