"""Operations of a server as bars on a line of time; what overlaps is drawn below each other."""

from __future__ import annotations

from dataclasses import dataclass

from rpcscope.model import Status
from rpcscope.query.gaps import Loss
from rpcscope.query.instance import Deed, InstanceView

LANES = 12
_LEAST = 0.6  # per cent of the width: what is shorter is drawn as long
_ROW = 16
_LOOKS = {Status.DONE: "ok", Status.FAILED: "error", Status.STUCK: "error", Status.RUNNING: "warn"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One operation. Places are per cent of the width."""

    deed: Deed
    x: str
    width: str
    y: int
    look: str  # class: ok, error, warn, unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Shade:
    """A time in which a tap was blind."""

    loss: Loss
    x: str
    width: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The picture."""

    from_ns: int
    to_ns: int
    height: int
    bars: tuple[Bar, ...]
    shades: tuple[Shade, ...]

    @property
    def middle_ns(self) -> int:
        """Half-way."""
        return (self.from_ns + self.to_ns) // 2


def timeline(server: InstanceView) -> Timeline | None:
    """From the first event to the last; None of nothing."""
    if not server.deeds:
        return None
    scale = _Scale(server.from_ns, max(server.to_ns, server.from_ns + 1))
    ends: list[float] = []
    bars = tuple(_bar(deed, scale, ends) for deed in server.deeds)
    shades = tuple(
        Shade(loss=loss, x=f"{x:.2f}%", width=f"{width:.2f}%")
        for loss in server.gaps
        for x, width in [scale.span(loss.from_ns, loss.to_ns)]
    )
    height = _ROW * max(1, len(ends)) + 4
    return Timeline(from_ns=scale.from_ns, to_ns=scale.to_ns, height=height, bars=bars, shades=shades)


@dataclass(frozen=True, slots=True)
class _Scale:
    from_ns: int
    to_ns: int

    def span(self, start: int, end: int) -> tuple[float, float]:
        """Beginning and width in per cent, within the picture and wide enough to be seen."""
        whole = self.to_ns - self.from_ns
        left = 100 * (max(self.from_ns, min(start, self.to_ns)) - self.from_ns) / whole
        right = 100 * (max(self.from_ns, min(end, self.to_ns)) - self.from_ns) / whole
        width = max(_LEAST, right - left)
        return min(left, 100 - width), width


def _bar(deed: Deed, scale: _Scale, ends: list[float]) -> Bar:
    whole = deed.operation.whole
    x, width = scale.span(whole.started_ns, whole.finished_ns or whole.last_ns)
    lane = next((n for n, end in enumerate(ends) if end <= x), len(ends))
    if lane >= LANES:
        lane = LANES - 1
    if lane == len(ends):
        ends.append(0.0)
    ends[lane] = max(ends[lane], x + width)
    look = _LOOKS.get(deed.operation.status, "unknown")
    return Bar(deed=deed, x=f"{x:.2f}%", width=f"{width:.2f}%", y=lane * _ROW + 2, look=look)
