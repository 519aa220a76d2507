"""What a recording does not hold of a call's arguments, but who reads what is played looks for.

Names of action events: nova/compute/utils.py :: wrap_instance_event. Statuses of migrations: nova/compute/manager.py.
"""

from __future__ import annotations

from collections.abc import Iterable

from rpcscope.model import Call, Operation, Status

_EVENT = "object_class_action_versions(InstanceActionEvent."
_MIGRATION_SAVE = "object_action(Migration.save)"
_UNUSUAL = {"build_and_run_instance": "_do_build_and_run_instance"}
_STATUSES = {
    "live-migration": (("queued", "preparing", "running"), "completed"),
    "evacuate": (("pre-migrating",), "done"),
}


def details(operation: Operation, calls: Iterable[Call]) -> dict[int, str]:
    """By Call.id: the event's name of each action event, the status that each save of a migration brings,
    and whether a rebuild is one on another host."""
    ordered = sorted(calls, key=lambda call: call.published_ns or call.last_ns)
    rebuilds = {
        call.id: "recreate" for call in ordered if call.method == "rebuild_instance" and operation.kind == "evacuate"
    }
    return (
        rebuilds
        | _events(ordered)
        | _statuses(operation, [call.id for call in ordered if call.method == _MIGRATION_SAVE])
    )


def _events(calls: list[Call]) -> dict[int, str]:
    handled = {call.id: call for call in calls}
    found = {}
    for call in calls:
        parent = handled.get(call.parent_id)
        if call.method.startswith(_EVENT) and parent:
            found[call.id] = f"{parent.topic.removesuffix('-alt')}_{_UNUSUAL.get(parent.method, parent.method)}"
    return found


def _statuses(operation: Operation, saves: list[int]) -> dict[int, str]:
    """The last save tells how it ended, those before it how far it had come."""
    on_the_way, good = _STATUSES.get(operation.kind, (("accepted", "migrating", "post-migrating"), "finished"))
    found = {save: on_the_way[min(n, len(on_the_way) - 1)] for n, save in enumerate(saves)}
    if saves:
        found[saves[-1]] = "error" if operation.status is Status.FAILED else good
    return found
