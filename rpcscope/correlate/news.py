"""What messages tell beside being messages, on its way to the store: notices of servers, progress of migrations."""

from __future__ import annotations

from rpcscope.correlate.calls import CallState
from rpcscope.model import Message, Noted, ProgressSample


class News:
    """What came since the last flush."""

    def __init__(self) -> None:
        self._notices: list[Noted] = []
        self._progress: list[ProgressSample] = []

    def take(self, call: CallState, m: Message) -> None:
        """The first sighting of a message."""
        if m.notice is None and m.progress is None:
            return
        operation = call.operation.id if call.operation is not None else 0
        instance = m.instances[0] if m.instances else ""
        if m.notice is not None:
            noted = Noted(
                call_id=call.id, operation_id=operation, unique_id=call.unique_id, at_ns=m.at_ns, event=m.method,
                instance=instance, failure=m.failure, notice=m.notice,
            )  # fmt: skip
            self._notices.append(noted)
        if m.progress is not None:
            sample = ProgressSample(
                call_id=call.id, operation_id=operation, unique_id=call.unique_id, at_ns=m.at_ns, instance=instance,
                progress=m.progress,
            )  # fmt: skip
            self._progress.append(sample)

    def take_notices(self) -> tuple[Noted, ...]:
        """Those since the last call."""
        new, self._notices = tuple(self._notices), []
        return new

    def take_progress(self) -> tuple[ProgressSample, ...]:
        """Those since the last call."""
        new, self._progress = tuple(self._progress), []
        return new
