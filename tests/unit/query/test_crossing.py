"""What two recorders saw of one cloud has the tree, the counts and the status of the whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from rpcscope.capture import CaptureReader
from rpcscope.model import Observation, ParentSource, Process, Sighting, Status, Topology
from rpcscope.query.calls import Calls, CallView
from rpcscope.query.identities import Identities
from rpcscope.query.operations import Operations, OperationView
from rpcscope.query.tree import grow
from rpcscope.store import Store, open_store
from rpcscope.store.protocol import OperationFilter
from tests.support.bus import SECOND, Bus
from tests.support.nova import Nova
from tests.support.split import as_nova_does, by_topic, split
from tests.support.stored import keep

CAPTURES = Path(__file__).parents[2] / "captures"
FILES = sorted(path for path in CAPTURES.glob("nova34*/*.jsonl.zst"))
RECORDING = 1 << 40


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name.removesuffix('.jsonl.zst')}"


@lru_cache(4)
def sightings_of(path: Path) -> tuple[Sighting, ...]:
    with CaptureReader(path) as reader:
        return tuple(one for batch in reader.batches() for one in batch)


def read(folder: Path, *recordings: Sequence[Sighting], **how: Any) -> tuple[list[OperationView], list[CallView]]:
    """All operations that have a request id, and what they caused."""
    with open_store(str(folder / f"{len(recordings)}.sqlite"), create=True) as store:
        keep(store, *recordings, **how)
        return everything(store)


def everything(store: Store) -> tuple[list[OperationView], list[CallView]]:
    reader = store.reader()
    found = list(Operations(reader).find(OperationFilter()))
    calls = Calls(reader)
    return found, [one for view in found for one in calls.of_operation(view.ids) if one.call.cause_id in view.ids]


def parents(views: Sequence[CallView]) -> dict[str, str]:
    return {view.call.unique_id: view.call.parent_unique_id for view in views}


def facts(views: Sequence[OperationView]) -> dict[str, tuple[Any, ...]]:
    """What is said of each operation."""
    return {
        view.whole.request_id: (
            view.status, view.whole.kind, view.whole.error, view.whole.by_request, view.whole.by_cause,
            view.whole.source_host, view.whole.dest_host, set(view.whole.instances),
        )
        for view in views
    }  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_recording_split_as_nova_splits_its_cells_reads_like_the_whole(path: Path, tmp_path: Path) -> None:
    given = sightings_of(path)
    api, cell = split(given, as_nova_does(given))
    whole, calls = read(tmp_path, given, use_traceparent=False)
    joined, joined_calls = read(tmp_path, api, cell, use_traceparent=False)
    assert parents(joined_calls) == parents(calls)
    assert facts(joined) == facts(whole)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_split_by_topic_where_nearly_every_parent_is_elsewhere_99_of_100_are_found(path: Path, tmp_path: Path) -> None:
    given = sightings_of(path)
    whole = parents(read(tmp_path, given, use_traceparent=False)[1])
    joined = parents(read(tmp_path, *split(given, by_topic), use_traceparent=False)[1])
    assert set(joined) == set(whole)
    wrong = [unique_id for unique_id, parent in whole.items() if joined[unique_id] != parent]
    # Five servers of one request on one compute are told apart by what no store keeps.
    assert len(wrong) <= (3 if "min_count_5" in path.name else 0)
    assert not [unique_id for unique_id, parent in whole.items() if not parent and joined[unique_id]]


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name == "nova34-parents"], ids=name_of)
def test_the_parents_of_two_halves_are_the_true_ones(path: Path, tmp_path: Path) -> None:
    truth = json.loads(Path(str(path).replace(".jsonl.zst", ".parents.json")).read_text("utf-8"))
    given = sightings_of(path)
    found = parents(read(tmp_path, *split(given, as_nova_does(given)), use_traceparent=False)[1])
    assert {unique_id: found[unique_id] for unique_id in truth} == {key: value or "" for key, value in truth.items()}


# ------------------------------------------------------------------ a boot, with something wrong


def boot() -> tuple[Nova, str]:
    """A boot of one server on one compute."""
    nova = Nova(Bus(), computes=1)
    request_id = nova.bus.request_id()
    nova.boot(request_id, [nova.bus.uuid()])
    return nova, request_id


def halves(nova: Nova, cell_clock_s: float = 0.0) -> tuple[list[Sighting], list[Sighting]]:
    """What the recorder of the API's broker saw, and that of the cell's, whose clock is off."""
    given: list[Sighting] = [nova.bus.topology(), *nova.bus.events]
    api, cell = split(given, as_nova_does(given))
    return api, [moved(one, cell_clock_s) for one in cell]


def moved(one: Sighting, seconds: float) -> Sighting:
    if isinstance(one, (Observation, Topology)) and one.at_ns:
        return replace(one, at_ns=one.at_ns + round(seconds * SECOND))
    return one


def roots(views: list[CallView]) -> list[str]:
    return [node.view.call.method for node in grow(views)]


@pytest.mark.parametrize("clock_s", [-3.0, 0.0, 3.0, 60.0])
def test_clocks_that_differ_by_seconds_neither_cut_the_tree_nor_change_the_end(clock_s: float, tmp_path: Path) -> None:
    nova, request_id = boot()
    (view,), calls = read(tmp_path, *halves(nova, clock_s))
    assert roots(calls) == ["schedule_and_build_instances"]
    assert (view.whole.request_id, view.status) == (request_id, Status.DONE)


def test_a_cell_whose_clock_is_a_minute_behind_has_a_tree_of_its_own_and_nothing_is_guessed(tmp_path: Path) -> None:
    nova, _ = boot()
    (view,), calls = read(tmp_path, *halves(nova, -60.0))
    assert sorted(roots(calls)) == ["build_and_run_instance", "schedule_and_build_instances"]
    assert view.status is Status.DONE


def test_a_parent_found_across_brokers_says_so(tmp_path: Path) -> None:
    nova, _ = boot()
    _, calls = read(tmp_path, *halves(nova))
    told = {view.call.method: view.as_dict() for view in calls if view.repaired}
    (build,) = told.values()
    assert (build["method"], build["parent_source"], build["parent_repaired"]) == (
        "build_and_run_instance", "inferred", "across brokers",
    )  # fmt: skip
    others = [view.as_dict()["parent_repaired"] for view in calls if view.call.method != "build_and_run_instance"]
    assert others
    assert not any(others)


def test_a_list_of_calls_tells_the_same_parents_as_the_tree(tmp_path: Path) -> None:
    nova, _ = boot()
    with open_store(str(tmp_path / "both.sqlite"), create=True) as store:
        keep(store, *halves(nova))
        _, calls = everything(store)
        listed = list(Calls(store.reader()).rpcs(background=None))
    assert parents(listed) == parents(calls)
    assert [view.repaired for view in listed if view.repaired] == ["across brokers"]


def test_without_names_of_processes_nothing_is_joined(tmp_path: Path) -> None:
    nova, _ = boot()
    api, cell = ([one for one in half if not isinstance(one, Topology)] for half in halves(nova))
    _, calls = read(tmp_path, api, cell)
    assert "build_and_run_instance" in roots(calls)
    assert not any(view.repaired for view in calls)


def test_a_conductor_that_died_before_it_cast_on_is_not_taken_for_done(tmp_path: Path) -> None:
    nova = Nova(Bus(), computes=2)
    request_id = nova.bus.request_id()
    nova.bus.cast(nova.api, nova.conductor, "live_migrate_instance", {}, request_id=request_id)
    there: dict[str, Any] = {"request_id": request_id, "server": "compute-2"}
    nova.ask(nova.conductor, nova.computes["compute-2"], "check_can_live_migrate_destination", {}, **there)
    nova.bus.wait(120)
    nova.report_state(nova.computes["compute-1"])
    nova.ask(nova.api, nova.conductor, "ping", request_id=nova.bus.request_id())
    whole, _ = read(tmp_path, [nova.bus.topology(), *nova.bus.events])
    joined, _ = read(tmp_path, *halves(nova))
    states = [{view.whole.request_id: view.status for view in views}[request_id] for views in (whole, joined)]
    assert states == [Status.STUCK, Status.STUCK]


# ------------------------------------------------------------------ who is who


def process(number: int, *, pid: int = 7, peer: str = "10.0.0.1", host: str = "", role: str = "") -> Process:
    key = f"{peer}:nova-conductor:{pid}"
    return Process(
        id=number, key=key, program="nova-conductor", pid=pid, peer=peer, host=host, role=role, seen_ns=1, gone_ns=None
    )


Maker = Callable[..., Process]
HERE = process(RECORDING | 1)


@pytest.mark.parametrize(
    ("others", "same"),
    [
        ((process(2 * RECORDING | 1),), {2 * RECORDING | 1}),
        ((process(RECORDING | 2),), set()),  # of its own recording
        ((process(2 * RECORDING | 1, pid=8),), set()),
        ((process(2 * RECORDING | 1, peer="10.1.0.1"),), {2 * RECORDING | 1}),  # another network
        ((process(2 * RECORDING | 1, peer="10.1.0.1"), process(2 * RECORDING | 2)), {2 * RECORDING | 2}),
    ],
)
def test_a_process_is_known_by_its_name_and_address(others: tuple[Process, ...], same: set[int]) -> None:
    known = {one.id: one for one in (HERE, *others)}
    assert Identities(known).elsewhere(HERE.id) == same


def test_containers_that_number_their_processes_alike_are_told_apart_by_what_they_serve() -> None:
    cell = process(RECORDING | 1, host="cell1", role="conductor")
    api = process(2 * RECORDING | 1, peer="10.1.0.1", host="ctl", role="conductor")
    assert not Identities({one.id: one for one in (cell, api)}).elsewhere(cell.id)


def test_a_call_is_never_put_below_itself(tmp_path: Path) -> None:
    nova, _ = boot()
    api, cell = halves(nova)
    _, calls = read(tmp_path, cell, api)
    known = parents(calls)
    for unique_id in known:
        path = [unique_id]
        while (above := known.get(path[-1], "")) in known:
            assert above not in path
            path.append(above)
    assert ParentSource.INFERRED in {view.call.parent_source for view in calls}
