"""Fleet files: what is taken, and the sentence for what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpcscope.errors import UsageError
from rpcscope.fleet.checks import Wrong
from rpcscope.fleet.file import MOST_BYTES, fleet_of, read
from rpcscope.fleet.model import FleetFile
from rpcscope.fleet.names import host_names
from rpcscope.fleet.notes import notes
from rpcscope.fleet.schema import example
from rpcscope.fleet.state import Fleet
from rpcscope.plain_yaml import parse_yaml

WEB = {"memory_gib": 8, "vcpus": 4}
GOOD: dict[str, Any] = {"hosts": [{"count": 4, "servers": {"web": 2}}], "flavors": {"web": WEB}}


def changed(**parts: Any) -> dict[str, Any]:
    return {**GOOD, **parts}


def group(**fields: Any) -> dict[str, Any]:
    return changed(hosts=[{"count": 4, **fields}])


def flavor(**fields: Any) -> dict[str, Any]:
    return changed(flavors={"web": {**WEB, **fields}})


def test_the_example_can_be_and_becomes_a_fleet(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(example())
    fleet = Fleet.of(read(path))
    assert len(fleet.hosts) == 10
    assert list(fleet.hosts)[-1] == "compute-0010"


def test_yaml_and_json_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"
    path.write_text(json.dumps(GOOD, indent="\t"))
    assert read(path) == fleet_of(GOOD)


def test_what_is_read_is_written_and_read_again() -> None:
    file = fleet_of(parse_yaml(example().encode()))
    assert fleet_of(msgspec.to_builtins(file)) == file


@pytest.mark.parametrize(
    ("value", "where", "what"),
    [
        (None, "", "expected object, got null"),
        ([], "", "expected object, got array"),
        ({}, "", "missing required field hosts"),
        (changed(format=2), "format", "2 is newer than what this rpcscope reads (1)"),
        (changed(format="x"), "format", "expected int, got str"),
        (changed(hosts=[]), "hosts", "length >= 1"),
        (changed(hots=[]), "", "unknown field hots"),
        (changed(name="a\u202eb"), "name", "a name has letters, digits"),
        (changed(seed=-1), "seed", "expected int >= 0"),
        (group(count=0), "hosts[0].count", "expected int >= 1"),
        (group(count="six"), "hosts[0].count", "expected int, got str"),
        (group(count=True), "hosts[0].count", "expected int, got bool"),
        (group(count=10**9), "hosts", "1,000,000,000 hosts are more than the 1,000,000"),
        (group(nic_gbit_s=0), "hosts[0].nic_gbit_s", "> 0"),
        (group(memory_gib=1e300), "hosts[0].memory_gib", "<= 1000000000000"),
        (group(name="compute"), "hosts[0].name", "must hold {n}"),
        (group(name="c{n.__class__}"), "hosts[0].name", "no other braces"),
        (group(name="c{n}{n}"), "hosts[0].name", "no other braces"),
        (group(name="c{n:99999}"), "hosts[0].name", "no other braces"),
        (group(name="Compute{n}"), "hosts[0].name", "lower-case letters"),
        (group(name="-{n}"), "hosts[0].name", "lower-case letters"),
        (group(name="a" * 64 + "{n}"), "hosts[0].name", "lower-case letters"),
        (group(zone="<b>"), "hosts[0].zone", "a name has letters"),
        (group(servers={"wbe": 1}), "hosts[0].servers.wbe", "there is no such flavor; flavors has web"),
        (group(servers={"web": -1}), "hosts[0].servers.web", "expected int >= 0"),
        (group(servers={"web": 40}), "hosts[0].servers", "they need 320 GiB of memory, 1.25 times the 256 GiB"),
        (group(servers={"web": 10**9}, count=10), "hosts", "servers are more than the 5,000,000"),
        (
            changed(hosts=[{"count": 12, "name": "a{n}"}, {"count": 1, "name": "a1"}]),
            "hosts",
            "2 hosts are called a1;",
        ),
        (changed(hosts=[{"count": 2, "servers": {1: 2}}]), "hosts[0].servers", "expected str, got int"),
        (flavor(memory_gib="8"), "flavors.web.memory_gib", "expected float, got str"),
        (flavor(cpu=[]), "flavors.web.cpu", "length >= 1"),
        (flavor(cpu=[0.1, 1.5]), "flavors.web.cpu[1]", "<= 1"),
        (flavor(working_set_gib=9), "flavors.web.working_set_gib", "it is more than the memory, 8 GiB"),
        (flavor(disk_write_mb_s=9), "flavors.web.disk_write_mb_s", "it is of a local disk, and disk_gb is 0"),
        (flavor(role="no spaces"), "flavors.web.role", "a name has letters"),
        (flavor(role="web"), "hosts[0].servers.web", "2 of the role web are on one host"),
        (
            changed(
                flavors={"web": {**WEB, "role": "r"}, "app": {**WEB, "role": "r"}},
                hosts=[{"count": 2, "servers": {"web": 1, "app": 1}}],
            ),
            "hosts[0].servers",
            "2 flavors of the role r are on one host",
        ),
        (
            {**flavor(disk_gb=9), "hosts": [{"count": 2, "diskless": True, "servers": {"web": 1}}]},
            "hosts[0].servers.web",
            "the hosts are diskless",
        ),
        (changed(control={"service_times": {"*": 0}}), "control.service_times.*", "> 0"),
        (changed(control={"service_times": {"a b": 1}}), "control.service_times.a b", "that is no method"),
        (changed(control={"shape": "2024"}), "control.shape", "invalid enum value '2024'"),
        (changed(migration={"downtime_ms": 50}), "migration.downtime_ms", "expected int >= 100"),
        (
            {**flavor(dirty_mb_s=1250), "migration": {"completion_timeout_s": 0}},
            "migration.completion_timeout_s",
            "0 means that nothing ends the migration of a web, which writes 1.25 GB/s to its memory",
        ),
        (
            {**flavor(disk_gb=9, disk_write_mb_s=1000), "migration": {"completion_timeout_s": 0}},
            "migration.completion_timeout_s",
            "writes 1 GB/s to a disk that is copied no faster",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_can_not_be_is_told_with_its_place(value: Any, where: str, what: str) -> None:
    with pytest.raises(Wrong) as caught:
        fleet_of(value)
    assert (caught.value.where, what in caught.value.what) == (where, True), caught.value


def test_an_error_is_one_sentence_that_names_file_and_place(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text("hosts: [{count: 4, servers: {web: x}}]\nflavors: {web: {memory_gib: 8}}\n")
    with pytest.raises(UsageError) as caught:
        read(path)
    assert str(caught.value) == (
        "the fleet file fleet.yaml: hosts[0].servers.web: expected int, got str; "
        "correct it, docs/fleet.md explains the fields"
    )


@pytest.mark.parametrize(
    "text",
    ["a: &a [x]\nb: [*a, *a]\n", "[" * 100_000, "hosts: [", "hosts: [{count: .inf}]", "- \x00", "#" * (MOST_BYTES + 1)],
    ids=["bomb", "deep", "open", "infinite", "nul", "huge"],
)
def test_bombs_and_what_is_no_yaml_are_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"^the fleet file fleet.yaml can not be read: .*; correct it there$"):
        read(path)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
tables = [("hosts", 0), ("hosts", 0, "servers"), ("flavors",), ("flavors", "web"), ("control",), ("migration",), ()]
fields = ["count", "name", "web", "cpu", "role", "memory_gib", "service_times", "downtime_ms", "hosts", "flavors"]


@settings(deadline=None)
@given(st.sampled_from(tables), st.sampled_from(fields) | st.text(max_size=5), values)
def test_any_value_anywhere_is_a_fleet_or_wrong(table: tuple[str | int, ...], field: str, value: Any) -> None:
    whole = json.loads(json.dumps({**GOOD, "control": {}, "migration": {}}))
    part = whole
    for step in table:
        part = part[step]
    part[field] = value
    try:
        file = fleet_of(whole)
    except Wrong as error:
        said = error.what
    else:
        said = "fine"
        assert isinstance(file, FleetFile)
        if sum(one.count for one in file.hosts) < 100:
            Fleet.of(file)
            notes(file)
    assert said


def test_hosts_of_several_groups_are_numbered_on() -> None:
    file = fleet_of(changed(hosts=[{"count": 2, "name": "a-{n:03}.cell1"}, {"count": 1, "name": "b{n}"}]))
    assert [name for name, _ in host_names(file.hosts)] == ["a-001.cell1", "a-002.cell1", "b3"]


def test_what_may_surprise_is_noted() -> None:
    assert notes(fleet_of(GOOD)) == []
    (lonely,) = notes(fleet_of(group(count=1, servers={"web": 1})))
    assert lonely == "Zone nova has one host: no server of it can move within the zone."
    (full,) = notes(fleet_of(changed(hosts=[{"count": 2, "servers": {"web": 20}}])))
    assert full.startswith("hosts[0]: its servers have 160 GiB, and the other hosts of zone nova have 96 GiB free")
    (stubborn,) = notes(fleet_of(flavor(dirty_mb_s=1250)))
    assert "does not converge and is aborted after 800 s per GiB." in stubborn
    (forced,) = notes(fleet_of({**flavor(dirty_mb_s=1250), "migration": {"timeout_action": "force_complete"}}))
    assert "is paused after" in forced
    helped = {"timeout_action": "force_complete", "permit_post_copy": True, "permit_auto_converge": True}
    (switched,) = notes(fleet_of({**flavor(dirty_mb_s=1250), "migration": helped}))
    assert switched.endswith("is switched to post-copy after 800 s per GiB unless auto-converge slows it enough.")
    (disk,) = notes(fleet_of({**flavor(disk_gb=9, disk_write_mb_s=1000), "migration": helped}))
    assert disk.endswith("is paused after 800 s per GiB.")
    (busy,) = notes(fleet_of({**flavor(cpu=[0.1, 1]), "hosts": [{"count": 2, "cores": 4, "servers": {"web": 2}}]}))
    assert busy.endswith("want 8 of its 4 cores: 50% is stolen.")
    (reduced,) = notes(fleet_of(changed(control={"shape": "reduced"})))
    assert reduced.startswith("The shape is reduced")
