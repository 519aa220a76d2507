"""All that ever touched one server, in nova, neutron and cinder: its operations and those of their request ids.

Nova hands its request id on to neutron and cinder as their global request id, so what they did for an operation of the
server is found by it, also where no message of theirs names the server.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from rpcscope.query.gaps import Loss, together
from rpcscope.query.operations import STUCK_AFTER_S, Operations, OperationView
from rpcscope.store.protocol import OperationFilter, Reader

MOST = 500
"""Operations that name the server, the newest; as many again may be linked to them."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One operation that touched the server, and how it is known."""

    operation: OperationView
    names_it: bool  # a message of it names the server; else a request id links it to one that does
    link: str  # the request id that it shares with others of the list; "" of its own

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {"operation": self.operation.as_dict(), "names_it": self.names_it, "link": self.link or None}


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceView:
    """One server."""

    instance: str
    deeds: tuple[Deed, ...]  # the oldest first
    is_cut: bool  # there are older ones

    @property
    def gaps(self) -> tuple[Loss, ...]:
        """Times in which a tap was blind during any of them."""
        return together(deed.operation.gaps for deed in self.deeds)

    @property
    def from_ns(self) -> int:
        """When the first began; 0 without any."""
        return min((deed.operation.whole.started_ns for deed in self.deeds), default=0)

    @property
    def to_ns(self) -> int:
        """The last event of any."""
        return max((deed.operation.whole.last_ns for deed in self.deeds), default=0)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts that the operations name, in the order in which they were met."""
        sides = [(deed.operation.whole.source_host, deed.operation.whole.dest_host) for deed in self.deeds]
        return tuple(dict.fromkeys(host for pair in sides for host in pair if host))

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "instance": self.instance,
            "items": [deed.as_dict() for deed in self.deeds],
            "hosts": list(self.hosts),
            "gaps": [loss.as_dict() for loss in self.gaps],
            "cut": self.is_cut,
        }


def instance_view(
    reader: Reader, instance: str, since_ns: int, until_ns: int, *, most: int = MOST,
    stuck_after_s: float = STUCK_AFTER_S,
) -> InstanceView:  # fmt: skip
    """Operations of a server that began from one time up to another."""
    asked = Operations(reader, stuck_after_s=stuck_after_s)
    named = OperationFilter(instance=instance, since_ns=since_ns, until_ns=until_ns, limit=most + 1)
    own = list(asked.find(named))
    is_cut = len(own) > most
    own = own[:most]
    ids = {one for view in own for one in _ids(view)}
    known = {view.whole.request_id for view in own}
    related = OperationFilter(related=ids, since_ns=since_ns, until_ns=until_ns, limit=most + len(own))
    linked = [view for view in islice(asked.find(related), most + len(own)) if view.whole.request_id not in known]
    both = [(view, True) for view in own] + [(view, False) for view in linked]
    both.sort(key=lambda pair: (pair[0].whole.started_ns, pair[0].whole.request_id))
    links = _links([view for view, _ in both])
    deeds = tuple(Deed(view, names_it, links.get(view.whole.request_id, "")) for view, names_it in both)
    return InstanceView(instance=instance, deeds=deeds, is_cut=is_cut)


def _ids(view: OperationView) -> list[str]:
    return [one for one in (view.whole.request_id, view.whole.global_request_id) if one]


def _links(views: list[OperationView]) -> dict[str, str]:
    """The id that an operation shares with another: its global request id, or its own where it is another's global."""
    users: dict[str, set[str]] = {}
    for view in views:
        for one in _ids(view):
            users.setdefault(one, set()).add(view.whole.request_id)
    shared = {one for one, who in users.items() if len(who) > 1}
    found = {}
    for view in views:
        mine = [one for one in reversed(_ids(view)) if one in shared]
        if mine:
            found[view.whole.request_id] = mine[0]
    return found
