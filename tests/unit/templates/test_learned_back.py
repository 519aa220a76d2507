"""A template that is played and learned again is the same template."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from rpcscope.templates.check import problems
from rpcscope.templates.known import known
from rpcscope.templates.measured import times
from rpcscope.templates.model import Provenance, Sizes, Step
from rpcscope.templates.variants import template
from tests.support.emitted import HOP_NS, MS, emit

COUNT = 4
TARGETS = (("conductor", ""), ("scheduler", ""), ("compute", "source"), ("compute-alt", "dest"), ("compute", "dest"))


@dataclass(frozen=True)
class Built:
    """A step and how long its sender waits for it, in the operation where all goes slowest."""

    step: Step
    took_ns: int


def spread(least_ns: int) -> list[int]:
    """Times of operations that are slower and slower."""
    return [least_ns + least_ns * rank // 10 for rank in range(COUNT)]


@st.composite
def built(draw: st.DrawFn, depth: int, delay_ms: int, after: int, alone: bool) -> Built:
    kind = draw(st.sampled_from(["call", "call", "cast", "fanout"] if alone else ["call"]))
    topic, host = draw(st.sampled_from(TARGETS))
    below, inner = draw(siblings(depth - 1)) if depth else ((), 0)
    work = draw(st.integers(10, 40)) * MS
    step = Step(
        method=draw(st.sampled_from(["get", "put", "object_action(Thing.save)"])),
        kind=kind,
        topic=topic,
        exchange="" if kind == "fanout" else "nova",
        namespace=draw(st.sampled_from(["", "compute_task"])),
        version=draw(st.sampled_from(["1.0", "6.2"])),
        host="" if kind == "fanout" else host,
        after=after,
        delay=times(spread(delay_ms * MS)),
        work=times(spread(work)) if kind == "call" else times([]),
        request=Sizes(quantiles=(draw(st.integers(200, 9_000)),)),
        reply=Sizes(quantiles=(draw(st.integers(200, 9_000)),)) if kind == "call" else Sizes(),
        timeout_s=draw(st.sampled_from([60.0, 1800.0])) if kind == "call" else 60.0,
        failure=draw(st.sampled_from(["", "", "NoValidHost"])) if kind == "call" else "",
        stale=draw(st.booleans()),
        steps=below,
    )
    return Built(step, HOP_NS + inner + spread(work)[-1] + HOP_NS if kind == "call" else 0)


@st.composite
def siblings(draw: st.DrawFn, depth: int) -> tuple[tuple[Step, ...], int]:
    """Stages after each other; the steps of a stage overlap, and the next waits for the one that ends last."""
    found: list[Step] = []
    after, at = -1, 0
    for _ in range(draw(st.integers(0 if depth < 2 else 1, 3))):
        width = draw(st.integers(1, 3))
        stage = [draw(built(depth, number, after, width == 1)) for number in range(1, width + 1)]
        ends = [spread(number * MS)[-1] + one.took_ns for number, one in enumerate(stage, 1)]
        slowest = max(range(width), key=lambda number: (ends[number], number))
        after = len(found) + slowest
        at += ends[slowest]
        found += [one.step for one in stage]
    return tuple(found), at


@st.composite
def trees(draw: st.DrawFn) -> tuple[Step, ...]:
    below, _ = draw(siblings(2))
    return (
        Step(
            method="begin", kind="cast", topic="conductor", exchange="nova", version="1.0", sender="api",
            request=Sizes(quantiles=(700,)), steps=below,
        ),
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(trees())
def test_what_is_played_is_learned_again(roots: tuple[Step, ...]) -> None:
    learned, rare = template(emit(roots, COUNT, kind="thing"), known(), Provenance())
    assert rare == 0
    assert learned.variants[0].roots == roots
    assert [variant.operations for variant in learned.variants] == [COUNT]
    assert list(problems(learned)) == []
