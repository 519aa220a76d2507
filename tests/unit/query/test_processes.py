"""What is learned of a process later holds for the ids it had before."""

from typing import Any

from rpcscope.model import Process
from rpcscope.query.processes import processes


class Stored:
    def __init__(self, *rows: Process) -> None:
        self._rows = rows

    def processes(self) -> dict[int, Process]:
        return {row.id: row for row in self._rows}


def process(id: int, **known: Any) -> Process:
    fields: dict[str, Any] = {"key": "10.0.0.1:nova-compute:7", "program": "nova-compute", "pid": 7, "peer": "10.0.0.1"}
    return Process(id=id, **{**fields, "host": "", "role": "", "seen_ns": 5, "gone_ns": None, **known})


def read(*rows: Process) -> dict[int, Process]:
    reader: Any = Stored(*rows)
    return processes(reader)


def test_a_process_that_is_gone_is_gone_under_every_id_it_had() -> None:
    gone = process(2, gone_ns=9)
    assert read(process(1), gone) == {1: gone, 2: gone}
    assert read(gone, process(3)) == {2: gone, 3: gone}


def test_a_process_that_was_seen_again_is_not_gone() -> None:
    back = process(2, seen_ns=12)
    assert read(process(1, gone_ns=9), back) == {1: back, 2: back}


def test_a_host_that_was_learned_later_is_known_under_every_id() -> None:
    assert {row.host for row in read(process(1), process(2, host="compute-1")).values()} == {"compute-1"}


def test_processes_of_other_recordings_are_others() -> None:
    mine, other = process(1), process(1 << 40 | 1, gone_ns=9)
    assert read(mine, other) == {mine.id: mine, other.id: other}
