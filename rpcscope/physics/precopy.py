"""A live migration, round by round: what to send next, given what the links gave and what the guest wrote.

The flow that drives it owns time and links:

    copy = Precopy(guest, policy, now_s=world.now_s())
    while (piece := copy.next_round(bandwidth=measured, now_s=world.now_s())) is not None:
        moved, seconds = await send(piece.bytes, cap=piece.cap, until=copy.deadline_s)
        copy.sent(moved, seconds)
        copy.check(world.now_s())

DISK -> MEMORY -> (paused) -> DONE            usual
             \\-> POST_COPY -> DONE            forced, where permitted
any but POST_COPY and DONE -> ABORTED
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil, inf

from rpcscope.physics.disks import DiskCopy
from rpcscope.physics.forecast import rounds_needed
from rpcscope.physics.guest import Guest
from rpcscope.physics.policy import Policy, data_gib
from rpcscope.physics.throttle import Throttle


class Phase(StrEnum):
    """Where a migration stands."""

    DISK = "disk"
    MEMORY = "memory"
    POST_COPY = "post-copy"  # the guest runs on the destination and waits for pages
    DONE = "done"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What to send next."""

    phase: Phase
    number: int  # rounds of memory that were sent whole before it
    bytes: int
    cap: float  # bytes a second that it may take at most
    paused: bool  # the guest stands still meanwhile


class Precopy:
    """One migration. Times are the caller's seconds; sizes bytes."""

    def __init__(self, guest: Guest, policy: Policy, *, now_s: float, disk_speed: float = inf) -> None:
        """Begins at `now_s`, after its setting up; `disk_speed` is of the slower one of both hosts' disks."""
        self.phase = Phase.DISK if guest.disk else Phase.MEMORY
        self.paused = False
        self.rounds = 0  # of memory that were sent whole
        self.data = 0  # bytes sent
        self.paused_s = 0.0
        self.data_gib = data_gib(guest.memory, [guest.disk] if guest.disk else [])
        self.deadline_s = now_s + policy.deadline_s(self.data_gib)
        self._guest, self._policy, self._started_s, self._disk_speed = guest, policy, now_s, disk_speed
        self._throttle = Throttle()
        self._disks = DiskCopy(guest.disk)
        self._left = ceil(guest.memory)  # of this round
        self._written = 0.0  # during it
        self._round_s = 0.0
        self._round_sent = 0
        self._post_copy_next = False

    @property
    def over(self) -> bool:
        """Nothing more is sent."""
        return self.phase in (Phase.DONE, Phase.ABORTED)

    @property
    def throttle(self) -> float:
        """Share of CPU that auto-converge took from the guest."""
        return self._throttle.share

    @property
    def downtime_s(self) -> float:
        """How long nobody ran the guest: the pause, and its resuming once it is done."""
        return self.paused_s + (self._policy.resume_s if self.phase is Phase.DONE else 0.0)

    def hopeless(self, bandwidth: float, *, dirty: float | None = None) -> bool:
        """Whether it would never end by itself at this bandwidth and the whole downtime, throttled as it is now."""
        if self.over or self.paused or self.phase is Phase.POST_COPY:
            return False
        guest, mirrored = self._guest, self._guest.disk_write if self._guest.disk else 0.0
        if mirrored >= bandwidth:
            return True
        dirty = (guest.dirty if dirty is None else dirty) * (1 - self.throttle)
        slower = Guest(memory=guest.memory, dirty=dirty, working_set=guest.working_set)
        whole_s = self._policy.downtime_ms / 1000
        return rounds_needed(slower, bandwidth=bandwidth - mirrored, downtime_s=whole_s) is None

    def next_round(self, *, bandwidth: float, now_s: float) -> Round | None:
        """What to send now; None when it is over.

        Args:
            bandwidth: bytes a second, as last measured, or as expected of the first round.
            now_s: the time.
        """
        self.check(now_s)
        if self.phase is Phase.DISK and self._disks.ready:
            self.phase = Phase.MEMORY
        if self.phase is Phase.DISK:
            return self._round(self._disks.behind, min(self._policy.bandwidth, self._disk_speed))
        if self.phase is Phase.MEMORY and not self.paused:
            allowed_s = self._policy.downtime_s(self.data_gib, now_s - self._started_s)
            self.paused = not self._round_sent and self._left <= bandwidth * allowed_s
        if self.phase in (Phase.MEMORY, Phase.POST_COPY) and not self._left:
            self.phase = Phase.DONE
        return None if self.over else self._round(self._with_mirror(bandwidth), self._policy.bandwidth)

    def sent(self, moved: int, seconds: float, *, dirty: float | None = None, write: float | None = None) -> None:
        """So many bytes of the round went over in that time, also when it was cut short.

        Args:
            moved: bytes.
            seconds: that it took.
            dirty: bytes of memory a second that the guest would write unthrottled; None: as it always does.
            write: bytes a second to its disk; None: as it always does.
        """
        still = self.paused or self.phase is Phase.POST_COPY
        dirty = 0.0 if still else (self._guest.dirty if dirty is None else dirty) * (1 - self.throttle)
        write = 0.0 if still else self._guest.disk_write if write is None else write
        self.data += moved
        self.paused_s += seconds if self.paused else 0.0
        if self.phase is Phase.DISK:
            self._disks.sent(moved, seconds, write=write)
        elif not self.over:
            self._sent_memory(moved, seconds, dirty, write if self._guest.disk else 0.0)

    def check(self, now_s: float) -> bool:
        """Do what nova does when its patience ends. Whether it did something."""
        if now_s < self.deadline_s or self.over or self.paused or self._post_copy_next or self._is_post_copy:
            return False
        return self.force() if self._policy.force else self.abort()

    def force(self) -> bool:
        """Complete it: post-copy where that is permitted, after the first round at the earliest; else a pause.

        Disks have no post-copy, and their writes can hold up the first round for ever: it is a pause then, too.
        """
        if self.over or self.paused or self._is_post_copy:
            return False
        if self._policy.post_copy and self.rounds:
            self._switch()
        elif not self._policy.post_copy or self._guest.disk:
            self._pause()
        else:
            self._post_copy_next = True
        return True

    def abort(self) -> bool:
        """The guest stays where it is. False: too late, as it is over or runs on the destination already."""
        if self.over or self._is_post_copy:
            return False
        self.phase, self.paused = Phase.ABORTED, False
        return True

    @property
    def _is_post_copy(self) -> bool:
        return self.phase is Phase.POST_COPY

    def _round(self, size: int, cap: float) -> Round:
        return Round(phase=self.phase, number=self.rounds, bytes=size, cap=cap, paused=self.paused)

    def _with_mirror(self, bandwidth: float) -> int:
        """Bytes to send so that the round is through, the disk's writes beside it included."""
        write = self._guest.disk_write if self._guest.disk and not self.paused and not self._is_post_copy else 0.0
        return ceil(self._left / (1 - write / bandwidth)) if write < bandwidth else self._left

    def _sent_memory(self, moved: int, seconds: float, dirty: float, write: float) -> None:
        memory = max(0, moved - int(write * seconds))
        self._left = max(0, self._left - memory)
        self._written = min(self._guest.writable, self._written + dirty * seconds)
        self._round_s += seconds
        self._round_sent += moved
        if self._left:
            return
        if self.paused or self._is_post_copy:
            self.phase = Phase.DONE
            return
        if self._policy.auto_converge:
            self._throttle.round_over(sent=self._round_sent, written=self._written, seconds=self._round_s)
        self.rounds += 1
        self._again()
        if self._post_copy_next:
            self._switch()

    def _again(self) -> None:
        """What is not over yet, and what was written since: the next round."""
        self._left = min(ceil(self._guest.memory), self._left + ceil(self._written))
        self._written, self._round_s, self._round_sent = 0.0, 0.0, 0

    def _pause(self) -> None:
        self._again()
        self.paused = True

    def _switch(self) -> None:
        self._again()
        self.phase, self._post_copy_next = Phase.POST_COPY, False
