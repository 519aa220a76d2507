"""All that ever touched one server."""

from __future__ import annotations

from typing import Any

from rpcscope.model import Batch, Gap, GapCause
from rpcscope.query.instance import instance_view
from rpcscope.query.operations import Operations
from rpcscope.query.times import SECOND
from rpcscope.store import OperationFilter, Store
from tests.contract.records import START, begun, make_operation

FOREVER = 2**62


def lived(store: Store) -> None:
    """A boot; neutron's work for it; an attach by cinder's api whose global id nova shares; another server."""
    writer, base = begun(store)
    rows: tuple[dict[str, Any], ...] = (
        {"request_id": "req-boot", "global_request_id": "", "instances": ("vm",)},
        {"request_id": "req-port", "global_request_id": "req-boot", "instances": (), "kind": ""},
        {"request_id": "req-attach", "global_request_id": "req-asked", "instances": ("vm",)},
        {"request_id": "req-volume", "global_request_id": "req-asked", "instances": ()},
        {"request_id": "req-delete", "global_request_id": "", "instances": ("vm",)},
        {"request_id": "req-else", "global_request_id": "", "instances": ("other",)},
    )
    operations = tuple(
        make_operation(base + n, started_ns=START + n * 100 * SECOND, last_ns=START + n * 100 * SECOND + SECOND, **row)
        for n, row in enumerate(rows, 1)
    )
    gap = Gap(from_ns=START + 300 * SECOND, to_ns=START + 301 * SECOND, cause=GapCause.DROPPED)
    last = START + 700 * SECOND
    writer.write(Batch(recording_id=base >> 40, operations=operations, gaps=(gap,), last_ns=last))


def test_what_neutron_and_cinder_did_is_linked_by_request_ids(empty_store: Store) -> None:
    lived(empty_store)
    found = instance_view(empty_store.reader(), "vm", 0, FOREVER)
    told = [(deed.operation.whole.request_id, deed.names_it, deed.link) for deed in found.deeds]
    assert told == [
        ("req-boot", True, "req-boot"),
        ("req-port", False, "req-boot"),
        ("req-attach", True, "req-asked"),
        ("req-volume", False, "req-asked"),
        ("req-delete", True, ""),
    ]
    assert found.hosts == ("host-1", "host-2")
    assert not found.is_cut


def test_gaps_that_touch_any_of_them_are_told(empty_store: Store) -> None:
    lived(empty_store)
    (gap,) = instance_view(empty_store.reader(), "vm", 0, FOREVER).gaps
    assert (gap.from_ns, gap.cause) == (START + 300 * SECOND, "dropped")


def test_the_newest_are_shown_where_there_are_too_many(empty_store: Store) -> None:
    lived(empty_store)
    found = instance_view(empty_store.reader(), "vm", 0, FOREVER, most=2)
    assert found.is_cut
    assert [deed.operation.whole.request_id for deed in found.deeds if deed.names_it] == ["req-attach", "req-delete"]


def test_a_server_of_the_captures_has_its_boot_and_its_migration(captures: Store) -> None:
    reader = captures.reader()
    moved = next(iter(Operations(reader).find(OperationFilter(kind="live-migration"))))
    found = instance_view(reader, moved.whole.instances[0], 0, FOREVER)
    assert [deed.operation.whole.kind for deed in found.deeds] == ["create", "live-migration"]
