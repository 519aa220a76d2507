"""What a rules file may hold, checked before it is read: a typing error must not pass for a rule."""

from __future__ import annotations

from typing import Any

from rpcscope.rules.notices import TELLS

_NEEDED = {
    "kind": ("name",),
    "fact": ("name", "methods"),
    "cast": ("method",),
    "expected": ("method", "failures"),
    "notification": ("event",),
    "progress": ("methods", "path"),
}
_TEXT, _FLAG, _LIST, _ANY = "a text", "true or false", "a list of texts", "a value"
_FIELDS = {
    "kind": {
        "name": _TEXT,
        "title": _TEXT,
        "background": _FLAG,
        "start": _LIST,
        "step": _LIST,
        "timer": _LIST,
        "source": _LIST,
        "dest": _LIST,
        "notified": _LIST,
    },
    "fact": {
        "name": _TEXT,
        "methods": _LIST,
        "path": _TEXT,
        "equals": _ANY,
        "same_as": _TEXT,
        "present": _TEXT,
        "value": _TEXT,
    },
    "cast": {"method": _TEXT, "event": _TEXT, "steps": _LIST, "end": _TEXT},
    "expected": {"method": _TEXT, "failures": _LIST},
    "notification": {"event": _TEXT, "fails": _LIST, **dict.fromkeys(TELLS, _LIST)},
    "progress": {"methods": _LIST, "path": _TEXT},
}
_METHODS = {"leaves": _LIST, "relays": _LIST, "no_evidence": _LIST}
FACT_TESTS = ("equals", "same_as", "present", "value")


def check(table: dict[str, Any]) -> None:
    """Look at a whole file.

    Raises:
        ValueError: it has a table, a field or a value of another shape; says which.
    """
    for name, value in table.items():
        if name in _FIELDS:
            if not isinstance(value, list):
                raise ValueError(f"{name} must be written [[{name}]]")
            for entry in value:
                _check_entry(name, entry)
        elif name == "methods":
            _check_fields(name, value, _METHODS)
        elif name == "follows":
            _check_fields(name, value, dict.fromkeys(value, _TEXT) if isinstance(value, dict) else {})
        else:
            raise ValueError(f"it has an unknown table {name!r}")


def _check_entry(name: str, entry: object) -> None:
    if isinstance(entry, dict) and entry.get("source") == "instance":
        entry = {key: value for key, value in entry.items() if key != "source"}
    _check_fields(name, entry, _FIELDS[name])
    assert isinstance(entry, dict)  # noqa: S101 - checked just before
    for key in _NEEDED[name]:
        if key not in entry:
            raise ValueError(f"a {name} lacks its {key}")
    if name == "cast" and entry.get("end", "unseen") != "unseen":
        raise ValueError("the end of a cast can only be 'unseen'")
    if name == "fact":
        _check_fact(entry)


def _check_fact(entry: dict[str, Any]) -> None:
    tests = [key for key in FACT_TESTS if key in entry]
    if len(tests) != 1:
        raise ValueError(f"fact {entry['name']!r} needs one of {', '.join(FACT_TESTS)}")
    if tests[0] in ("equals", "same_as") and "path" not in entry:
        raise ValueError(f"fact {entry['name']!r} lacks its path")


def _check_fields(name: str, entry: object, fields: dict[str, str]) -> None:
    if not isinstance(entry, dict):
        raise ValueError(f"{name} must be a table")
    for key, value in entry.items():
        if key not in fields:
            raise ValueError(f"{name} has an unknown field {key!r}")
        if not _fits(value, fields[key]):
            raise ValueError(f"{key} of {name} must be {fields[key]}")


def _fits(value: object, wanted: str) -> bool:
    if wanted == _LIST:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    return wanted == _ANY or isinstance(value, bool if wanted == _FLAG else str)
