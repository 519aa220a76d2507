"""A ceiling is broken by what is known, never by what is not."""

from __future__ import annotations

import pytest

from rpcscope_collectors.load import Ceiling, Load, NodeLoad
from rpcscope_collectors.node_metrics import NodeMetrics, node_metrics

EXPOSITION = b"""# TYPE rabbitmq_identity_info untyped
rabbitmq_identity_info{rabbitmq_node="rabbit@a",rabbitmq_cluster="cell1",rabbitmq_cluster_permanent_id="x"} 1
rabbitmq_alarms_file_descriptor_limit 0
rabbitmq_alarms_free_disk_space_watermark 1
rabbitmq_alarms_memory_used_watermark 0
erlang_vm_statistics_runtime_milliseconds 9000
erlang_vm_statistics_wallclock_time_milliseconds 10000
erlang_vm_logical_processors_available 4
erlang_vm_schedulers_online 2
erlang_vm_statistics_run_queues_length 3
rabbitmq_queue_messages{queue="erlang_vm_schedulers_online 9"} 7
"""


def load(*nodes: NodeLoad, blocked: bool | None = None) -> Load:
    return Load(at_ns=1, nodes=nodes, blocked=blocked)


def test_a_busy_node_breaks_the_ceiling_and_is_named() -> None:
    busy = load(NodeLoad(node="rabbit@a", cpu_share=0.91), NodeLoad(node="rabbit@b", cpu_share=0.2))
    assert Ceiling().broken_by(busy) == "node rabbit@a uses at least 91% of its CPU, the ceiling is 80%"
    assert busy.cpu_share == 0.91


@pytest.mark.parametrize("share", [None, 0.0, 0.8])
def test_what_is_unknown_or_below_does_not_break_it(share: float | None) -> None:
    assert Ceiling(cpu_share=0.8).broken_by(load(NodeLoad(node="rabbit@a", cpu_share=share))) == ""
    assert Ceiling().broken_by(load()) == ""


def test_a_node_with_more_work_than_cpu_breaks_it_though_its_share_is_not_known() -> None:
    overworked = load(NodeLoad(node="rabbit@a", is_overworked=False), NodeLoad(node="rabbit@b", is_overworked=True))
    assert Ceiling().broken_by(overworked) == "node rabbit@b has more work than CPU, the ceiling is 80%"
    assert Ceiling(cpu_share=0).broken_by(overworked) == ""


def test_without_a_share_alarms_still_count() -> None:
    busy = NodeLoad(node="rabbit@a", cpu_share=1.0)
    assert Ceiling(cpu_share=0).broken_by(load(busy)) == ""
    alarmed = load(busy, NodeLoad(node="rabbit@b", alarms=("memory", "disk")))
    assert Ceiling(cpu_share=0).broken_by(alarmed) == (
        "the broker raises an alarm: memory on rabbit@b, disk on rabbit@b"
    )


@pytest.mark.parametrize(("blocked", "sentence"), [(True, "the broker blocks publishers"), (False, ""), (None, "")])
def test_blocked_publishers_break_it(blocked: bool | None, sentence: str) -> None:
    assert Ceiling().broken_by(load(blocked=blocked)) == sentence


def test_a_node_is_read_from_its_exposition() -> None:
    assert node_metrics(EXPOSITION) == NodeMetrics(
        node="rabbit@a", busy_ms=9000, wall_ms=10000, cores=2, waiting=3, alarms=("disk",)
    )


def test_an_exposition_that_tells_nothing_is_unknown_and_not_zero() -> None:
    nothing = node_metrics(b"# TYPE rabbitmq_x gauge\nerlang_vm_schedulers_online unknown\n")
    assert nothing == NodeMetrics(node="", busy_ms=None, wall_ms=None, cores=None)
    assert nothing.cpu_share(nothing) is None


def metrics(busy_ms: float, wall_ms: float, node: str = "rabbit@a") -> NodeMetrics:
    return NodeMetrics(node=node, busy_ms=busy_ms, wall_ms=wall_ms, cores=2)


def test_the_share_is_of_all_cores_between_two_readings() -> None:
    assert metrics(5000, 14_000).cpu_share(metrics(1000, 10_000)) == 0.5
    assert metrics(99_000, 14_000).cpu_share(metrics(1000, 10_000)) == 1.0


def test_the_first_reading_a_restart_and_another_node_tell_no_share() -> None:
    assert metrics(1, 2).cpu_share(None) is None
    assert metrics(1, 2).cpu_share(metrics(5000, 14_000)) is None
    assert metrics(5000, 14_000).cpu_share(metrics(1, 2, "rabbit@b")) is None
