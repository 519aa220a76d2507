"""Which messages lie in a queue: its name against the topic and the server that a call was sent to."""

from __future__ import annotations

from rpcscope import safe
from rpcscope.families import family
from rpcscope.model import Call, MessageKind

QUEUED = (MessageKind.REQUEST, MessageKind.CAST, MessageKind.NOTIFICATION)
"""What goes to one queue by its topic. Fanouts go to many, replies by the name of their queue."""
_ALL = ".*"


class Address:
    """A queue such as conductor or compute.host-1, or a family such as compute.*, as calls name it.

    oslo.messaging calls a queue as its topic, or as topic and server with a dot between. Where the dot is can not be
    told from the name alone (hosts have dots, and so have neutron's topics), so every place is tried.
    """

    def __init__(self, name: str) -> None:
        """Any text may be given; a name that is no name matches nothing."""
        self.name = name
        self._family = name if name.endswith(_ALL) else ""
        self._pairs = {(safe.name(name), ""), *((safe.name(a), safe.name(b)) for a, b in _cuts(name))}

    @property
    def topics(self) -> frozenset[str]:
        """Topics that its messages may have."""
        if self._family:
            return frozenset({self._family.removesuffix(_ALL)})
        return frozenset(topic for topic, _ in self._pairs)

    @property
    def unknown(self) -> str:
        """Why nothing can be told of what is in it, whatever the tap sees; "" when something can."""
        if self.name.startswith("reply_"):
            return "replies are followed with their calls, not by queue: `rpcscope calls` has those without a reply"
        if "_fanout" in self.name:
            return "which copy of a fanout was taken from which queue is not followed"
        if self._family.startswith("neutron-vo-"):
            return "the messages of neutron's versioned objects are known by queue, not by family: name one queue"
        if self.name.startswith("~"):
            return "its name is not stored, only a digest of it"
        return ""

    def holds(self, call: Call) -> bool:
        """The call's request was sent to this queue, or to one of this family."""
        if call.kind not in QUEUED:
            return False
        if self._family:
            return bool(call.server) and family(queue_of(call)) == self._family
        return (call.topic, call.server) in self._pairs


def queue_of(call: Call) -> str:
    """The queue that a request, cast or notification goes to."""
    return ".".join(filter(None, (call.topic, call.server)))


def _cuts(name: str) -> list[tuple[str, str]]:
    places = [place for place, letter in enumerate(name) if letter == "." and 0 < place < len(name) - 1]
    return [(name[:place], name[place + 1 :]) for place in places]
