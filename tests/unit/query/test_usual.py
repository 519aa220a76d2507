"""What is usual for a step is learned from other operations of its kind."""

from __future__ import annotations

from rpcscope.query.trace import traces
from rpcscope.query.usual import Band, steps, usual
from rpcscope.store import Store
from rpcscope.store.protocol import OperationFilter
from tests.unit.query.one import MS, call, cast, stored, uid


def boots(store: Store) -> list[str]:
    found = store.reader().operations(OperationFilter(kind="create", background=False))
    return list(dict.fromkeys(part.request_id for part in found))


def test_a_step_is_its_method_its_parents_method_and_its_place_among_its_like() -> None:
    calls = [
        cast(1, 0, 1, method="build"),
        call(2, 2, 2, 3, parent=1, method="save"),
        call(3, 4, 4, 5, parent=1, method="save"),
        call(4, 6, 6, 7, method="save"),
    ]
    assert steps(calls) == {
        uid(1): ("build", "", 1),
        uid(2): ("save", "build", 1),
        uid(3): ("save", "build", 2),
        uid(4): ("save", "", 1),
    }


def test_every_step_of_a_boot_is_known_from_the_other_boots(captures: Store) -> None:
    names = boots(captures)
    (trace,) = traces(captures.reader(), names[0])
    found = usual(captures.reader(), trace)
    assert found.operations == len(names) - 2  # itself is left out, and the one that failed
    mine = steps([view.call for view in trace.calls])
    assert len(mine) == 16  # the 15 that carry its request id, and ComputeNode.save with an old one
    for step in mine.values():
        assert found.steps[step].operations == found.operations, step
    fifth = found.steps["object_action(Instance.save)", "build_and_run_instance", 5].whole
    assert fifth is not None
    assert 0 < fifth.p5 < fifth.p50 < fifth.p95 < 1_000 * MS


def test_a_cast_has_a_usual_wait_and_no_usual_whole(captures: Store) -> None:
    (trace,) = traces(captures.reader(), boots(captures)[0])
    step = usual(captures.reader(), trace).steps["build_and_run_instance", "schedule_and_build_instances", 1]
    assert (step.whole, step.execution) == (None, None)
    assert step.wait is not None


def test_of_two_others_nothing_is_called_usual() -> None:
    assert Band.of([1, 2]) is None
    assert Band.of([10, 30, 20]) == Band(11, 20, 29)


def test_the_only_one_of_its_kind_has_nothing_beside_it(empty_store: Store) -> None:
    trace = stored(empty_store, [call(1, 0, 1, 2)])
    assert usual(empty_store.reader(), trace).operations == 0
