"""What the tap tells of a request's arguments is what the recorder would read in its bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcscope.decode import args as arguments
from rpcscope.rules import load_rules
from rpcscope_oslo_tap.args import described

RULES = load_rules()
UUID = "00000000-0000-4000-8000-00000000000a"
INSTANCE = {"nova_object.name": "Instance", "nova_object.data": {"uuid": UUID, "flavor": {"flavorid": "1"}}}
START = "object_class_action_versions"


def as_read(method: str, args: Any) -> tuple[str, tuple[str, ...], frozenset[str]]:
    shown = arguments.display_method(method, args)
    return shown, arguments.instances(args), RULES.facts(shown, args)


def as_told(method: str, args: Any) -> tuple[str, tuple[str, ...], frozenset[str]]:
    shown, instances, facts = described(method, args)
    return shown, instances, frozenset(facts)


@pytest.mark.parametrize(
    ("method", "args"),
    [
        ("build_and_run_instance", {"instance": INSTANCE}),
        ("schedule_and_build_instances", {"build_requests": [{"nova_object.data": {"instance_uuid": UUID}}]}),
        ("rebuild_instance", {"instance": INSTANCE, "recreate": True}),
        ("rebuild_instance", {"instance": INSTANCE, "recreate": False}),
        ("migrate_server", {"instance": INSTANCE, "flavor": {"nova_object.data": {"flavorid": "1"}}}),
        ("migrate_server", {"instance": INSTANCE, "flavor": {"flavorid": "2"}}),
        ("object_action", {"objinst": INSTANCE, "objmethod": "save"}),
        ("object_action", {"objinst": {"nova_object.name": "Migration", "nova_object.data": {"status": "completed"}},
                           "objmethod": "save"}),
        (START, {"objname": "InstanceActionEvent", "objmethod": "event_start",
                 "args": [UUID, "compute_terminate_instance"], "kwargs": {}}),
        (START, {"objname": "InstanceActionEvent", "objmethod": "event_finish_with_failure",
                 "args": [UUID, "compute_terminate_instance"], "kwargs": {"exc_val": "no", "exc_tb": None}}),
        (START, {"objname": "InstanceActionEvent", "objmethod": "event_finish_with_failure",
                 "args": [UUID, "compute_terminate_instance", "no"], "kwargs": {}}),
        (START, {"objname": "BlockDeviceMappingList", "objmethod": "get_by_instance_uuid", "args": [UUID]}),
        (START, {"objname": "Service", "objmethod": "get_by_compute_host", "args": ["compute-1"], "kwargs": {}}),
        ("ping", {"arg": "x"}),
        ("ping", None),
    ],
)  # fmt: skip
def test_nova_s_requests_are_told_as_they_are_read(method: str, args: Any) -> None:
    assert as_told(method, args) == as_read(method, args)


_KEYS = ("instance", "instances", "objinst", "objname", "objmethod", "args", "kwargs", "uuid", "instance_uuid",
         "nova_object.name", "nova_object.data", "objects", "recreate", "flavor", "flavorid", "status")  # fmt: skip
_VALUES = st.sampled_from((UUID, "Instance", "InstanceActionEvent", "event_start", "save", None, True, 5, "x y", ""))
_ARGS = st.recursive(
    _VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=5),
    max_leaves=12,
)


@given(st.sampled_from(("object_action", START, "rebuild_instance", "prep_resize", "ping")), _ARGS)
def test_whatever_is_in_the_arguments_the_same_servers_are_told_that_would_be_read(method: str, args: Any) -> None:
    shown, instances, _ = described(method, args)
    assert instances == arguments.instances(args)
    if isinstance(args, dict) and all(isinstance(args.get(key), str) for key in ("objname", "objmethod")):
        assert shown.partition("(")[0] == arguments.display_method(method, args).partition("(")[0]


def test_no_more_servers_are_told_than_fit_into_a_datagram() -> None:
    many = [f"00000000-0000-4000-8000-{number:012d}" for number in range(2000)]
    _, instances, _ = described("confirm", {"instances": many})
    assert len(json.dumps(instances)) < 50_000


def test_the_tap_imports_nothing_but_the_standard_library_and_parses_on_python_3_8() -> None:
    import ast
    import sys

    import rpcscope_oslo_tap

    for file in Path(rpcscope_oslo_tap.__file__).parent.glob("*.py"):
        tree = ast.parse(file.read_text(), feature_version=(3, 8))
        imported = {
            name.partition(".")[0]
            for node in ast.walk(tree)
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert imported <= {*sys.stdlib_module_names, "rpcscope_oslo_tap"}, file.name
