"""Processes as OpenTelemetry's resources."""

from __future__ import annotations

from collections.abc import Mapping

from rpcscope.export.traces.span import Resource
from rpcscope.families import ODD
from rpcscope.model import Process
from rpcscope.query.service_names import UNKNOWN, ServiceNames

NOBODY = Resource(UNKNOWN)
"""Whoever it was: it was not seen."""
_ODD = ODD.removesuffix("*")


class Resources:
    """The resource of each process of a store."""

    def __init__(self, processes: Mapping[int, Process]) -> None:
        self._names = ServiceNames(processes.values())
        self._known = {number: self._of(process) for number, process in processes.items()}

    def knows(self, process: int) -> bool:
        """Whether anything is known of a process."""
        return process in self._known

    def of(self, process: int) -> Resource:
        """By Process.id."""
        return self._known.get(process, NOBODY)

    def worker(self, process: int, topic: str, server: str) -> Resource:
        """Who took a message; where that is not known, who its topic and its host are of."""
        known = self._known.get(process)
        if known is None or known.service == UNKNOWN:
            return Resource(self._service(topic), server)
        return known if known.host or not server else known._replace(host=server)

    def _of(self, process: Process) -> Resource:
        service = process.program or self._service(process.role)
        return Resource(service, process.host, process.key, process.pid)

    def _service(self, topic: str) -> str:
        return UNKNOWN if topic.startswith(_ODD) else self._names.by_topic(topic)
