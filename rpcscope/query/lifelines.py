"""One operation as messages between processes: what a sequence diagram draws."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rpcscope.model import RPCS, MessageKind
from rpcscope.query.calls import CallView, End
from rpcscope.query.stages import begin


@dataclass(frozen=True, slots=True)
class Arrow:
    """One message between two lifelines."""

    at_ns: int
    source: str
    target: str
    view: CallView
    is_reply: bool

    @property
    def words(self) -> str:
        """The method, or how the call ended."""
        if not self.is_reply:
            return short(self.view.call.method)
        return self.view.call.failure or "reply"


@dataclass(frozen=True, slots=True)
class Lifelines:
    """Processes by their first appearance, messages by time."""

    names: tuple[str, ...]
    arrows: tuple[Arrow, ...]
    left_out: int  # messages after these


def lifelines(views: Iterable[CallView], most: int) -> Lifelines:
    """The first messages of some calls, at most so many."""
    arrows = sorted((arrow for view in views for arrow in _arrows(view)), key=lambda arrow: arrow.at_ns)
    shown = arrows[:most]
    names = dict.fromkeys(name for arrow in shown for name in (arrow.source, arrow.target))
    return Lifelines(tuple(names), tuple(shown), len(arrows) - len(shown))


def short(method: str) -> str:
    """object_action(Instance.save) as Instance.save."""
    return method.partition("(")[2].rstrip(")") or method


def _arrows(view: CallView) -> list[Arrow]:
    call = view.call
    if call.kind not in RPCS:
        return []
    source, target = _name(view.sender, "?"), _target(view)
    found = [Arrow(begin(call), source, target, view, False)]
    if call.replied_ns is not None:
        found.append(Arrow(call.replied_ns, target, source, view, True))
    return found


def _target(view: CallView) -> str:
    if view.call.kind is MessageKind.FANOUT:
        return f"all {view.call.topic}"
    return _name(view.worker, f"queue {view.call.topic}")


def _name(end: End, otherwise: str) -> str:
    return str(end) if end.process or end.host else otherwise
