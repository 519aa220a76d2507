"""What the arguments of a request tell: nova's object methods, the servers it is about, and some facts.

Of the arguments themselves nothing is kept. The recorder's rules (rpcscope/rules/nova.toml) name the same facts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

MAX_INSTANCES = 500  # a line must fit into one datagram

_ABOUT = (
    "instance",
    "instance_uuid",
    "instance_uuids",
    "instances",
    "instance_info",
    "build_requests",
    "events",
    "uuid",
)
_KNOWN = frozenset(_ABOUT)
_is_uuid = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}").fullmatch
_EVENT = "InstanceActionEvent.event_"


def described(method: str, args: Any) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Method as rpcscope shows it, uuids of the servers it is about, and its facts."""
    if not isinstance(args, dict):
        return method, (), ()
    if not method.startswith("object_"):
        return method, _instances(args, ""), _facts(method, args)
    target = _object_method(args)
    facts = _object_facts(target, args)
    return (f"{method}({target})" if target else method), _instances(args, target), facts


def _object_method(args: dict[str, Any]) -> str:
    owner, what = args.get("objname"), args.get("objmethod")
    if owner is None:
        owner = _get(args.get("objinst"), "nova_object.name")
    return f"{owner}.{what}" if isinstance(owner, str) and isinstance(what, str) else ""


def _instances(args: dict[str, Any], target: str) -> tuple[str, ...]:
    if not target and _KNOWN.isdisjoint(args) and "objinst" not in args:
        return ()
    found: dict[str, None] = {}
    for uuid in _candidates(args, target):
        found[uuid] = None
        if len(found) >= MAX_INSTANCES:
            break
    return tuple(found)


def _candidates(args: dict[str, Any], target: str) -> Iterator[str]:
    if not _KNOWN.isdisjoint(args):
        for key in _ABOUT:
            if key in args:
                yield from _about(args[key])
    if "objinst" in args:
        yield from _of_object(args["objinst"])
    elif target.startswith("Instance") or "instance" in target.partition(".")[2]:
        positional, keywords = args.get("args"), args.get("kwargs")
        if isinstance(positional, (list, tuple)):
            yield from _about(positional)
        if isinstance(keywords, dict):
            for key in _ABOUT:
                if key in keywords:
                    yield from _about(keywords[key])


def _about(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if _is_uuid(value):
            yield value
    elif isinstance(value, dict):
        yield from _of_object(value)
    elif isinstance(value, (list, tuple)):
        for one in value[:MAX_INSTANCES]:
            if isinstance(one, (str, dict)):
                yield from _about(one)


def _of_object(value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    data = value.get("nova_object.data")
    if not isinstance(data, dict):
        data = value
    objects = data.get("objects")
    if value.get("nova_object.name") == "Instance":
        yield from _about(data.get("uuid"))
    elif isinstance(objects, (list, tuple)):
        for one in objects[:MAX_INSTANCES]:
            yield from _of_object(one)
    elif isinstance(data.get("instance_uuid"), str):
        yield from _about(data["instance_uuid"])


def _facts(method: str, args: dict[str, Any]) -> tuple[str, ...]:
    if method == "rebuild_instance":
        return ("recreate",) if args.get("recreate") is True else ()
    if method in ("migrate_server", "prep_resize", "resize_instance"):
        wanted = _get(args.get("flavor"), "flavorid")
        has = _get(_get(args.get("instance"), "flavor"), "flavorid")
        return ("same_flavor",) if wanted is not None and wanted == has else ()
    return ()


def _object_facts(target: str, args: dict[str, Any]) -> tuple[str, ...]:
    if target == "Migration.save":
        status = _get(args.get("objinst"), "status")
        return ("status:" + status,) if isinstance(status, str) else ()
    if not target.startswith(_EVENT):
        return ()
    positional = args.get("args")
    given = positional if isinstance(positional, (list, tuple)) else ()
    facts: list[str] = []
    if len(given) > 1 and isinstance(given[1], str):
        facts.append("event:" + given[1])
    if target.endswith("event_finish_with_failure"):
        error = _get(args.get("kwargs"), "exc_val")
        if error is not None or (len(given) > 2 and given[2] is not None):
            facts.append("error")
    return tuple(facts)


def _get(value: Any, key: str) -> Any:
    """A field of a dictionary or of a nova object."""
    if not isinstance(value, dict):
        return None
    data = value.get("nova_object.data")
    return data.get(key) if isinstance(data, dict) and key not in value else value.get(key)
