"""What timers start is cut into runs of their tasks."""

from __future__ import annotations

from collections.abc import Sequence

from rpcscope.model import Process
from rpcscope.templates.background import interval_s, runs
from rpcscope.templates.known import inner, known
from rpcscope.templates.model import Provenance
from rpcscope.templates.seen import Seen
from rpcscope.templates.startup import joined
from rpcscope.templates.tree import Node, grow
from rpcscope.templates.variants import template
from tests.support.emitted import MS, a_call, an_operation, seen

SECOND = 1_000 * MS
REPORT = "periodic:report_state"


def roots(*methods: str, every_ns: int = MS * 20, process: int = 7) -> tuple[Node, ...]:
    """Calls of one request id, one after the other."""
    calls = [
        a_call(number, f"object_class_action_versions({method})", SECOND + number * every_ns, from_process=process)
        for number, method in enumerate(methods, 1)
    ]
    return grow(an_operation(background=True), calls, {})


def cut(given: Sequence[Node]) -> list[tuple[str, list[str]]]:
    return [(kind, [inner(root.call.method) for root in mine]) for kind, mine in runs(given, known())]


def test_one_tick_of_the_timers_is_as_many_runs_as_tasks_were_due() -> None:
    tick = roots(
        "InstanceList.get_by_filters", "Instance.save", "Instance.save", "MigrationList.get_by_filters",
        "ConsoleAuthToken.clean_expired_console_auths",
    )  # fmt: skip
    assert cut(tick) == [
        ("periodic:run_pending_deletes", ["InstanceList.get_by_filters", "Instance.save", "Instance.save"]),
        ("periodic:cleanup_incomplete_migrations", ["MigrationList.get_by_filters"]),
        ("periodic:cleanup_expired_console_auth_tokens", ["ConsoleAuthToken.clean_expired_console_auths"]),
    ]


def test_the_task_that_explains_most_is_taken() -> None:
    assert [kind for kind, _ in cut(roots("InstanceList.get_by_host", "sync_instance_info"))] == [
        "periodic:sync_scheduler_instance_info"
    ]
    assert cut(roots("InstanceList.get_by_host", "Instance.refresh", "Instance.refresh"))[0][0] == (
        "periodic:sync_power_states"
    )


def test_a_service_that_keeps_its_request_id_reports_once_in_each_run() -> None:
    assert cut(roots(*["Service.save"] * 4)) == [(REPORT, ["Service.save"])] * 4


def test_what_no_task_explains_is_left_out() -> None:
    assert cut(roots("Secret.read", "Service.save", "Secret.read")) == [(REPORT, ["Service.save"])]
    assert cut(roots("Secret.read")) == []


def test_the_interval_is_the_median_of_what_one_process_did_in_one_recording() -> None:
    steady = [mine[0] for _, mine in runs(roots(*["Service.save"] * 9, every_ns=15 * SECOND), known())]
    assert interval_s(REPORT, steady, known()) == 15.0


def test_too_few_runs_tell_nothing_so_nova_s_interval_is_taken() -> None:
    few = [mine[0] for _, mine in runs(roots(*["Service.save"] * 4, every_ns=15 * SECOND), known())]
    assert interval_s(REPORT, few, known()) == 10
    of_two = [*few, *(mine[0] for _, mine in runs(roots(*["Service.save"] * 2, process=8), known()))]
    assert interval_s(REPORT, of_two, known()) == 10
    assert interval_s("startup:ping", few, known()) is None


def test_what_a_service_does_under_several_request_ids_is_one_start() -> None:
    people = {
        number: Process(
            id=number, key="", program="", pid=number, peer="", host=f"host-{number}", role="compute", seen_ns=0,
            gone_ns=None,
        )
        for number in (7, 8)
    }  # fmt: skip

    def part(kind: str, method: str, at_s: int, process: int) -> Seen:
        call = a_call(at_s, method, at_s * SECOND, from_process=process)
        return seen([call], people, kind=kind, background=True, instances=(), source_host="", dest_host="")

    parts = [
        part("startup:init_host", "get_all", 11, 7),
        part("startup:ping", "ping", 10, 7),
        part("startup:ping", "ping", 12, 8),
        part("startup:ping", "ping", 100, 7),
        part("create", "build", 13, 7),
    ]
    found = joined(parts)
    methods = [(one.kind, [root.call.method for root in one.roots]) for one in found]
    assert methods == [
        ("create", ["build"]),
        ("startup:compute", ["ping", "get_all"]),
        ("startup:compute", ["ping"]),
        ("startup:compute", ["ping"]),
    ]
    made, _ = template(found[1:2], known(), Provenance())
    (ping, get_all) = made.variants[0].roots
    assert (ping.sender, ping.sender_host, get_all.after) == ("compute", "source", 0)
    assert (made.background, made.interval_s, made.instances) == (True, None, 0)
