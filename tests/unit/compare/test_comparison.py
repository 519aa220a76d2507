"""What was planted is found and named, what is equal is not, and what nobody can tell is said."""

from __future__ import annotations

from dataclasses import replace
from math import comb
from pathlib import Path
from random import Random

import pytest

from rpcscope.compare.comparison import Comparison, compare
from rpcscope.compare.finding import STRUCTURE, Change
from rpcscope.compare.newest import Reading
from rpcscope.compare.population import KindSide, Population, population
from rpcscope.compare.sample import Method, Sample, Used
from rpcscope.compare.selection import Selection, select
from rpcscope.compare.thresholds import Thresholds
from rpcscope.compare.words import confidence, headline, sentence
from rpcscope.errors import UsageError
from rpcscope.model import Batch, Gap, GapCause
from rpcscope.store import open_store
from tests.support.dashboard import import_captures
from tests.unit.compare.conftest import BOOTS
from tests.unit.compare.planted import NEW, SAVE, with_a_new_call, with_a_slow_method

MS = 1_000_000
SAVES = Method("call", "conductor", SAVE)
PLANTED = Method("call", "conductor", NEW)
LIMITS = Thresholds()


def read(path: Path, selection: Selection | None = None, **reading: int | str | bool) -> Population:
    with open_store(str(path)) as store:
        return population(store.reader(), selection or Selection(), path.name, Reading(**reading))  # type: ignore[arg-type]


def made(samples: list[Sample], kind: str = "create") -> Population:
    return Population(name="made", kinds={kind: KindSide(done=tuple(samples))}, gaps=(), conditions=(), labels=())


def boot(number: int, *, saves: int = 6, took_ms: float = 20.0, more: dict[Method, Used] | None = None) -> Sample:
    used = Used(count=saves, took_ns=took_ms * MS, bytes=5_000.0, failed=0)
    return Sample(
        request_id=f"req-{number}", failed=False, rpcs=saves, messages=2 * saves, bytes=5_000 * saves,
        duration_ns=int(10 * took_ms * MS), methods={SAVES: used, **(more or {})},
    )  # fmt: skip


def changes(found: Comparison) -> list[tuple[str, str, str]]:
    return [(str(one.method or ""), one.measure, one.change.value) for one in found.findings]


def test_a_recording_is_equal_to_itself(boots: Path) -> None:
    found = compare(read(boots), read(boots), LIMITS)
    assert found.is_equal
    assert found.kinds[0].kind == "create"
    assert len(found.kinds[0].samples[0]) == 10
    assert found.tests > 20


def test_the_first_boots_of_a_recording_are_equal_to_the_last(boots: Path) -> None:
    with open_store(str(boots)) as store:
        middle = sorted(o.started_ns for o in store.reader().operations() if o.kind == "create")[5]
    first, last = read(boots, Selection(to_ns=middle)), read(boots, Selection(from_ns=middle))
    found = compare(first, last, LIMITS)
    assert [len(side.kinds["create"].done) for side in (first, last)] == [5, 5]
    assert found.is_equal


def test_one_rpc_more_in_every_boot_is_named_without_a_test(boots: Path, tmp_path: Path) -> None:
    found = compare(read(boots), read(with_a_new_call(boots, tmp_path / "b.sqlite")), LIMITS)
    assert changes(found) == [
        ("", "rpcs", "more"),
        ("", "messages", "more"),
        (f"conductor {NEW}", "count", "added"),
    ]
    added = found.findings[-1]
    assert (added.test, added.p, added.a.most, added.b.least) == (STRUCTURE, None, 0, 1)
    assert len(added.examples_b) == 3
    assert headline(found.findings) == (f"in all 10 of A 15 RPCs, in all 10 of B 16: conductor {NEW} is new")
    assert confidence(added) == "without exception, no test"


def test_what_is_gone_is_what_was_added_looked_at_from_the_other_side(boots: Path, tmp_path: Path) -> None:
    found = compare(read(with_a_new_call(boots, tmp_path / "a.sqlite")), read(boots), LIMITS)
    assert changes(found)[-1] == (f"conductor {NEW}", "count", "gone")


def test_an_rpc_of_some_boots_is_found_by_fishers_test(boots: Path, tmp_path: Path) -> None:
    found = compare(
        read(boots), read(with_a_new_call(boots, tmp_path / "b.sqlite", every=1)), replace(LIMITS, operations=50)
    )
    assert {one.test for one in found.findings if one.measure != "bytes"} == {"Fisher's exact test"}
    some = compare(read(boots), read(with_a_new_call(boots, tmp_path / "c.sqlite", every=3)), LIMITS)
    assert some.is_equal  # 4 of 10 may well be chance


def test_a_slow_method_is_found_and_the_others_are_not(boots: Path, tmp_path: Path) -> None:
    slow = with_a_slow_method(boots, tmp_path / "b.sqlite", SAVE, 80 * MS)
    found = compare(read(boots), read(slow), LIMITS)
    assert changes(found) == [(f"conductor {SAVE}", "duration", "slower")]
    (slower,) = found.findings
    assert "Mann-Whitney" in slower.test
    assert slower.corrected_p is not None
    assert slower.p is not None
    assert slower.p < slower.corrected_p <= 0.05
    assert slower.b.p50 - slower.a.p50 == pytest.approx(80 * MS, rel=0.2)
    assert "one of B is slower than one of A with a chance of 100%" in sentence(slower)


def test_one_per_cent_slower_is_no_finding_however_many_operations() -> None:
    chance = Random(1)
    a, b = ([boot(n, took_ms=chance.gauss(mean, 0.1)) for n in range(400)] for mean in (20.0, 20.2))
    assert compare(made(a), made(b), LIMITS).is_equal
    strict = replace(LIMITS, slower=0.001, slower_ms=0.0)
    assert changes(compare(made(a), made(b), strict))[0] == ("", "duration", "slower")


def test_too_few_operations_are_said_with_what_was_seen(boots: Path, tmp_path: Path) -> None:
    planted = with_a_new_call(boots, tmp_path / "b.sqlite")
    found = compare(read(boots), read(planted, most=2), LIMITS)
    assert found.is_equal
    (untold,) = found.untold
    assert untold.why == "too few operations to be sure: 10 in A, 2 in B; 5 on each side are wanted"
    assert [(str(hint.method), hint.change) for hint in untold.hints if hint.method] == [
        (f"conductor {NEW}", Change.ADDED)
    ]
    assert not compare(read(boots), read(planted, most=2), replace(LIMITS, operations=2)).is_equal


def test_a_kind_of_one_side_is_said_and_no_finding(boots: Path) -> None:
    found = compare(read(boots), made([boot(1)], "delete"), LIMITS)
    assert {(one.kind, one.why, one.is_whole) for one in found.untold} == {
        ("create", "only in A", True),
        ("delete", "only in B", True),
    }
    assert found.is_equal


def test_operations_that_fail_more_often_are_found() -> None:
    bad = made([])
    failed = tuple(replace(boot(n), failed=True) for n in range(20))
    bad.kinds["create"] = KindSide(done=tuple(boot(n) for n in range(20, 30)), failed=failed)
    found = compare(made([boot(n) for n in range(30)]), bad, LIMITS)
    assert changes(found) == [("", "failed", "failing")]
    assert sentence(found.findings[0]) == "0 of 30 in 30 operations of A, 20 of 30 in 30 operations of B"


def test_operations_that_a_gap_touches_are_left_out_and_counted(boots: Path, tmp_path: Path) -> None:
    path = with_a_new_call(boots, tmp_path / "b.sqlite")
    with open_store(str(path)) as store:
        (info,) = store.reader().recordings()
        boots_of = sorted(o.started_ns for o in store.reader().operations() if o.kind == "create")
        gap = Gap(from_ns=boots_of[2], to_ns=boots_of[3], cause=GapCause.DROPPED)
        store.writer().write(
            Batch(recording_id=info.recording.id, gaps=(gap,), counters=info.counters, last_ns=info.last_ns, ended=True)
        )
    side = read(path)
    assert (len(side.kinds["create"].done), side.kinds["create"].touched) == (8, 2)
    assert len(side.gaps) == 1


def test_sides_are_chosen_by_labels_and_unknown_ones_say_which_there_are(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "both.sqlite"), create=True) as store:
        import_captures(store, BOOTS, BOOTS.with_name("05_delete_1.jsonl.zst"))
        first, second = (info.recording.id for info in store.reader().recordings())
        store.writer().label(first, {"release": "2026.1", "site": "x"})
        store.writer().label(second, {"release": "2026.2", "site": "x"})
        reader = store.reader()
        assert select(reader, {"site": "x"}).recordings == {first, second}
        chosen = select(reader, {"release": "2026.1", "site": "x"})
        side = population(reader, chosen, "one", Reading())
        assert (chosen.recordings, set(side.kinds)) == ({first}, {"create"})
        assert side.labels == ("release=2026.1", "site=x")
        with pytest.raises(UsageError, match=r"no recording has the label release=9; choose one of release=2026.1, "):
            select(reader, {"release": "9"})


def test_fewer_calls_are_read_when_they_must_not_be_many(boots: Path) -> None:
    side = read(boots, most_calls=40).kinds["create"]
    assert (len(side.done), side.is_all) == (2, False)
    assert (len(read(boots, most=3).kinds["create"].done), read(boots, most=3).kinds["create"].is_all) == (3, False)


@pytest.mark.parametrize(("sizes", "seed"), [((8, 8), 11), ((20, 30), 12)])
def test_equal_populations_find_something_no_more_often_than_promised(sizes: tuple[int, int], seed: int) -> None:
    """The whole comparison, with what is told without a test, and thresholds that leave out nothing."""
    chance, pairs = Random(seed), 150
    limits = replace(LIMITS, count=0, slower=0, slower_ms=0, probability=0, larger=0, larger_bytes=0, failing=0)
    alarms = 0
    for _ in range(pairs):
        a, b = (made([_varied(chance, n) for n in range(size)]) for size in sizes)
        alarms += not compare(a, b, limits).is_equal
    assert alarms <= _most(pairs, limits.false_alarms)


def test_what_is_planted_in_some_operations_or_moderately_slower_is_found_nearly_always() -> None:
    chance, pairs = Random(21), 60
    method, shifted = Method("call", "conductor", "planted"), 0
    used = Used(count=1, took_ns=MS, bytes=900.0, failed=0)
    planted = 0
    for _ in range(pairs):
        a = [_varied(chance, n) for n in range(30)]
        b = [_varied(chance, n) for n in range(30)]
        some = [replace(one, methods={**one.methods, method: used}) if n % 2 else one for n, one in enumerate(b)]
        planted += (str(method), "count", "added") in changes(compare(made(a), made(some), LIMITS))
        slow = [replace(one, duration_ns=int(1.6 * (one.duration_ns or 0))) for one in b]
        shifted += ("", "duration", "slower") in changes(compare(made(a), made(slow), LIMITS))
    assert planted == pairs
    assert shifted >= 0.9 * pairs


def _varied(chance: Random, number: int) -> Sample:
    """A boot with rare and frequent extras, and times that vary."""
    extras = {
        Method("call", "conductor", f"extra-{share}"): Used(
            count=1 + (chance.random() < 0.3), took_ns=chance.lognormvariate(2, 0.5) * MS,
            bytes=float(chance.choice((900, 1_000))), failed=int(chance.random() < 0.1),
        )
        for share in (0.1, 0.5, 0.9)
        if chance.random() < share
    }  # fmt: skip
    return boot(number, took_ms=chance.lognormvariate(3, 0.3), more=extras)


def _most(pairs: int, share: float) -> int:
    """Alarms that one of 10,000 such simulations exceeds."""
    above, alarms = 1.0, -1
    while above > 1e-4:
        alarms += 1
        above -= comb(pairs, alarms) * share**alarms * (1 - share) ** (pairs - alarms)
    return alarms
