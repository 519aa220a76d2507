"""What an operation spent adds up, and what is not known is not zero."""

from __future__ import annotations

from rpcscope.model import Flag, Outcome
from rpcscope.query.breakdown import by_host, by_method, by_service
from rpcscope.query.trace import traces
from rpcscope.store import Store
from rpcscope.store.protocol import OperationFilter
from tests.unit.query.one import MS, call, cast, stored


def test_a_method_has_its_rpcs_by_kind_their_times_and_bytes(empty_store: Store) -> None:
    trace = stored(
        empty_store,
        [call(1, 0, 10, 40, 41, method="save"), call(2, 50, 51, 60, 62, method="save"), cast(3, 70, 75, method="go")],
    )
    save, go = by_method(trace.calls)
    assert (save.name, save.rpcs, save.bytes) == ("save", {"call": 2}, 2 * 1_100)
    assert (save.total_ns, save.wait_ns, save.execution_ns, save.reply_wait_ns) == (50 * MS, 11 * MS, 39 * MS, 3 * MS)
    assert (go.rpcs, go.wait_ns, go.total_ns, go.execution_ns) == ({"cast": 1}, 5 * MS, None, None)


def test_an_expected_failure_is_none(empty_store: Store) -> None:
    trace = stored(
        empty_store,
        [
            call(1, 0, 1, 2, outcome=Outcome.FAILED, flags=int(Flag.EXPECTED_FAILURE), failure="Normal"),
            call(2, 3, 4, 5, outcome=Outcome.FAILED, failure="Bad"),
            call(3, 6, 7, outcome=Outcome.TIMED_OUT),
        ],
    )
    assert sum(row.failed for row in by_method(trace.calls)) == 2


def test_a_boot_is_shared_by_three_services_on_two_hosts(captures: Store) -> None:
    reader = captures.reader()
    newest = next(iter(reader.operations(OperationFilter(kind="evacuate"))))
    (trace,) = traces(reader, newest.request_id)
    services = {row.name: row.rpcs for row in by_service(trace.calls)}
    assert sum(sum(kinds.values()) for kinds in services.values()) == 22  # by cause one more than its 21 by request id
    assert set(services) == {"nova-conductor", "nova-compute", "nova-scheduler"}
    assert newest.dest_host in {row.name for row in by_host(trace.calls)}
