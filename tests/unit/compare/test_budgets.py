"""A budget that is kept holds, one that is not names what is new, and a file that says something else is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rpcscope.compare.budgets import budgets_of
from rpcscope.compare.checks import Check, check
from rpcscope.compare.first_budget import first_budget
from rpcscope.compare.newest import Reading
from rpcscope.compare.population import KindSide, Population, population
from rpcscope.compare.selection import Selection
from rpcscope.errors import UsageError
from rpcscope.store import open_store
from tests.unit.compare.planted import NEW, SAVE, with_a_new_call


def read(path: Path) -> Population:
    with open_store(str(path)) as store:
        return population(store.reader(), Selection(), path.name, Reading())


def checked(recorded: Population, baseline: Population | None = None, **budget: Any) -> list[Check]:
    return check(budgets_of({"budgets": {"create": budget}}, "b.yaml"), recorded, baseline)


@pytest.fixture
def planted(boots: Path, tmp_path: Path) -> Population:
    return read(with_a_new_call(boots, tmp_path / "planted.sqlite"))


def test_a_first_budget_holds_for_the_recording_that_it_was_written_from(boots: Path) -> None:
    recorded = read(boots)
    found = check(budgets_of(first_budget(recorded), "first"), recorded)
    assert [one.failure for one in found] == [""] * 6
    assert (found[2].what, found[2].saw) == ("rpcs at most 15", "15")


def test_one_rpc_too_many_names_the_one_that_is_not_usual(boots: Path, planted: Population) -> None:
    first = first_budget(read(boots))["budgets"]["create"]
    broken = [one for one in checked(planted, **first) if one.failure]
    assert [one.what for one in broken] == ["rpcs at most 15", "messages at most 27"]
    assert broken[0].failure == (f"create: rpcs at most 15, but 16 in 10 of 10 operations: conductor {NEW} (1) is new")
    assert len(broken[0].examples) == 3


def test_a_baseline_recording_tells_what_is_new_and_what_is_more(boots: Path, planted: Population) -> None:
    (_, rpcs) = checked(planted, read(boots), rpcs={"at_most": 15})
    assert f"conductor {NEW} (1) is new" in rpcs.failure
    (_, calls) = checked(planted, planted, calls={"at_most": 1})
    assert calls.failure.endswith("but 13 in 10 of 10 operations; no RPC is new")
    (_, blind) = checked(planted, rpcs={"at_most": 15})
    assert blind.failure.endswith("`usual:` or --baseline would tell which RPC is new")


def test_more_of_a_usual_rpc_is_told_with_what_is_usual(boots: Path) -> None:
    recorded = read(boots)
    boot = recorded.kinds["create"].done[0]
    saves = next(method for method in boot.methods if method.name == SAVE)
    fewer = replace(boot, methods={**boot.methods, saves: replace(boot.methods[saves], count=2)})
    baseline = replace(recorded, kinds={"create": replace(recorded.kinds["create"], done=(fewer,))})
    (_, rpcs) = checked(recorded, baseline, rpcs={"at_most": 11})
    assert rpcs.failure.endswith(f": conductor {SAVE} is used 6 times instead of 2")


def test_any_new_rpc_can_be_forbidden(boots: Path, planted: Population) -> None:
    (_, new) = checked(planted, read(boots), new_rpcs={"at_most": 0})
    assert new.failure == f"create: new_rpcs at most 0, but 1 in 10 of 10 operations: conductor {NEW} (1) is new"
    assert [one.failure for one in checked(read(boots), read(boots), new_rpcs={"at_most": 0})] == ["", ""]
    (_, unknown) = checked(planted, new_rpcs={"at_most": 0})
    assert unknown.failure == "create: nobody knows what is new: give `usual:` or --baseline"


def test_methods_have_budgets_of_their_own(boots: Path) -> None:
    methods = {
        f"conductor {SAVE}": {"count": {"at_most": 5}, "duration_p95_s": {"at_most": 30}, "bytes": {"at_most": 100}},
        "select_destinations": {"count": {"at_most": 1, "at_least": 1}},
        "unheard_of": {"count": {"at_least": 1}},
    }
    found = checked(read(boots), methods=methods)[1:]
    assert [bool(one.failure) for one in found] == [True, True, False, False, True]
    assert found[0].failure.startswith(f"create: conductor {SAVE} count at most 5, but 6 in 10 of 10 operations")


def test_a_recording_without_the_operation_proves_nothing(boots: Path) -> None:
    budgets = budgets_of({"budgets": {"live-migration": {"rpcs": {"at_most": 50}}}}, "b.yaml")
    (one,) = check(budgets, read(boots))
    assert one.failure == "live-migration: 0 operations, at least 1 are wanted: record more of them"


def test_boots_that_failed_early_are_not_cheap(boots: Path) -> None:
    recorded = read(boots)
    failed = tuple(replace(one, failed=True, rpcs=2) for one in recorded.kinds["create"].done)
    broken = replace(recorded, kinds={"create": KindSide(failed=failed, touched=1)})
    (one,) = checked(broken, rpcs={"at_most": 15})
    assert one.failure == (
        "create: 0 operations, 10 failed, 1 left out because a tap was blind during them, at least 1 are wanted:"
        " record more of them"
    )
    assert [bool(one.failure) for one in checked(broken, failed={"at_most": 9})] == [True, True]


def test_what_was_not_recorded_can_not_be_kept(boots: Path) -> None:
    found = checked(read(boots), methods={"build_and_run_instance": {"duration_p95_s": {"at_most": 1}}})
    assert found[1].failure.endswith("can not be checked: it was not recorded")


@pytest.mark.parametrize(
    ("plain", "sentence"),
    [
        (None, "b.yaml wants a table `budgets:` of kinds of operation, such as create, and nothing beside it"),
        ({"budgets": {}}, "b.yaml wants a table `budgets:`"),
        ({"budgets": {"create": {}}, "more": 1}, "b.yaml wants a table `budgets:`"),
        ({"budgets": {"create": 15}}, "b.yaml is wrong at budgets.create: expected `object`, got `int`; correct it"),
        ({"budgets": {"create": {"rpc": 1}}}, "b.yaml is wrong at budgets.create: there is no word `rpc`; correct it"),
        (
            {"budgets": {"create": {"rpcs": {"at_mots": 15}}}},
            "b.yaml is wrong at budgets.create.rpcs: there is no word `at_mots`; correct it there",
        ),
        ({"budgets": {"create": {"rpcs": {}}}}, "b.yaml is wrong at budgets.create.rpcs: write at_most or at_least"),
        ({"budgets": {"create": {"rpcs": {"at_most": -1}}}}, "b.yaml is wrong at budgets.create.rpcs.at_most: "),
        ({"budgets": {"create": {"rpcs": {"at_most": 1, "at_least": 2}}}}, "b.yaml is wrong at budgets.create.rpcs: "),
        (
            {"budgets": {"create": {"methods": {"conductor ping": {"counts": {}}}}}},
            "b.yaml is wrong at budgets.create.methods.conductor ping: there is no word `counts`",
        ),
    ],
)  # fmt: skip
def test_a_file_that_says_something_else_is_refused_with_the_place(plain: Any, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        budgets_of(plain, "b.yaml")
    assert str(caught.value).startswith(sentence)
