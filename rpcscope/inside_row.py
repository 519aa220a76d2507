"""What a process told of an RPC, as a line of a capture and as it travels from a tap inside a service.

    {"inside": {"source": "driver", "side": "CLIENT", "kind": "REQUEST", "at_ns": ..., "program": ..., "pid": ..., ...}}

Fields are those of `model.Inside` that are not at their default, enums by name. Whoever sent it may lie: each value is
of its shape, is made safe, or is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any, Final

from rpcscope import safe
from rpcscope.model import Inside, MessageKind, Outcome, Side

MAX_LIST = 1000
name = safe.name
"""An exchange, a topic or a host that somebody tells, made safe."""

_LAST_NS = 4_102_444_800 * 1_000_000_000  # the year 2100: later times would overflow sums
_MAX_COUNT = 1 << 32
_SOURCES = frozenset({"driver", "otlp"})
_KINDS = {kind.name: kind for kind in (*tuple(MessageKind)[:3], MessageKind.NOTIFICATION)}
_hexadecimal = re.compile(r"[0-9a-f]{16}|[0-9a-f]{32}").fullmatch


def row(told: Inside) -> dict[str, Any]:
    """An Inside as the object that a line holds."""
    values: dict[str, Any] = {}
    for name, default in _DEFAULTS.items():
        value = getattr(told, name)
        if value != default:
            values[name] = _plain(value)
    return values


def inside(given: dict[str, Any], at_ns: int | None = None) -> Inside | None:
    """What a line's object says; None when it does not say who tells it of which side.

    Args:
        at_ns: when it came, by our clock; None: as the object says.
    """
    side, kind, source = given.get("side"), given.get("kind"), given.get("source")
    if not isinstance(side, str) or not isinstance(kind, str) or not isinstance(source, str):
        return None
    if side not in Side.__members__ or kind not in _KINDS or source not in _SOURCES:
        return None
    came = _moment(given.get("at_ns")) if at_ns is None else at_ns
    if came is None:
        return None
    outcome = given.get("outcome")
    values = {name: clean(given[name]) for name, clean in _CLEAN.items() if name in given}
    return Inside(
        source=source, side=Side[side], kind=_KINDS[kind], at_ns=came,
        outcome=Outcome[outcome] if isinstance(outcome, str) and outcome in Outcome.__members__ else Outcome.NONE,
        **{"program": "", "pid": 0, "host": "", **values},
    )  # fmt: skip


def who(given: dict[str, Any]) -> tuple[str, int, str]:
    """Program, process id and host of who tells, as `Inside` has them."""
    return name(given.get("program")), _count(given.get("pid")), name(given.get("host"))


def _plain(value: Any) -> Any:
    if isinstance(value, Side | MessageKind | Outcome):
        return value.name
    return sorted(value) if isinstance(value, frozenset) else value


def _method(value: object) -> str:
    """A method, with a nova object's behind it in brackets as decode shows it."""
    if type(value) is not str or not value.endswith(")"):
        return safe.method(value)
    name, _, owner = value[:-1].partition("(")
    return f"{safe.method(name)}({safe.object_method(owner)})"


def _id(value: object) -> str:
    return value if type(value) is str and _hexadecimal(value) else ""


def _moment(value: object) -> int | None:
    return value if type(value) is int and 0 < value < _LAST_NS else None


def _amount(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < _MAX_COUNT else None


def _long(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < _LAST_NS else None


def _count(value: object) -> int:
    return _amount(value) or 0


def _each(one: Callable[[object], str]) -> Callable[[object], tuple[str, ...]]:
    def each(value: object) -> tuple[str, ...]:
        return tuple(filter(None, map(one, value[:MAX_LIST]))) if isinstance(value, list | tuple) else ()

    return each


_MOMENTS = ("sent_ns", "confirmed_ns", "taken_ns", "received_ns", "started_ns", "ended_ns", "replied_ns")
_CLEAN: Final[dict[str, Callable[[object], Any]]] = {
    **dict.fromkeys(("program", "host", "instance", "exchange", "topic", "server"), safe.name),
    **dict.fromkeys(("unique_id", "msg_id"), safe.message_id),
    **dict.fromkeys(("request_id", "global_request_id"), safe.request_id),
    **dict.fromkeys(("namespace", "failure"), safe.method),
    **dict.fromkeys(_MOMENTS, _moment),
    **dict.fromkeys(("request_bytes", "reply_bytes", "timeout_ms"), _amount),
    **dict.fromkeys(("pid", "retries", "reconnects"), _count),
    **dict.fromkeys(("trace_id", "span_id", "parent_span_id"), _id),
    "pool_wait_ns": _long,
    "method": _method,
    "version": safe.version,
    "instances": _each(safe.uuid),
    "facts": lambda value: frozenset(_each(safe.fact)(value)),
}
_DEFAULTS: Final = {field.name: field.default for field in fields(Inside)}
