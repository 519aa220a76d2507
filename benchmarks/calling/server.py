"""The process that answers calls: a real oslo.messaging server with the threading executor."""

from __future__ import annotations

from typing import Any

from benchmarks.calling.bus import HOST, oslo_messaging, target, transport
from benchmarks.children.worker import obey


class Endpoint:
    """What it answers."""

    target = oslo_messaging.Target(version="1.0")

    def measured(self, _context: dict[str, Any], text: str) -> int:
        return len(text)


def begin(setup: dict[str, Any]) -> Any:
    """Serves until the process ends; there are no orders."""
    # The executor is the threading one unless told otherwise.
    server = oslo_messaging.get_rpc_server(transport(setup["url"]), target(server=HOST), [Endpoint()])
    server.start()
    return lambda _: {}


if __name__ == "__main__":
    obey(begin)
