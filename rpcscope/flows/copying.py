"""The memory copy of one live migration, over links that it shares with others."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from rpcscope.flows.traffic import Traffic
from rpcscope.flows.world import Refused, World
from rpcscope.physics.guest import Guest
from rpcscope.physics.policy import Policy
from rpcscope.physics.precopy import Phase, Precopy, Round

_LOOK_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What a migration copies, and over what."""

    guest: Guest
    links: tuple[str, ...]
    cap: float = inf  # bytes a second that it may take
    disk_speed: float = inf  # bytes a second of the slower disk
    steal: float = 0.0  # of the source: the copying thread, and the guest, have less CPU by this share
    abort_after_s: float = inf  # from the start: somebody gives it up


class MemoryCopy:
    """One of them; `copy` is what a step that waits for "memory-copy" is given."""

    def __init__(self, world: World, traffic: Traffic, way: Way, policy: Policy) -> None:
        self._world, self._traffic, self._way, self._policy = world, traffic, way, policy
        self.state: Precopy | None = None
        self.hopeless = False  # at some time it could not have ended by itself
        self.began_s = world.now_s()
        self._before = 0  # bytes of the piece before

    @property
    def never_converged(self) -> bool:
        """It was given up or forced, and would not have ended by itself; who only had to share for a while would."""
        state = self.state
        ended = state is not None and (state.phase is Phase.ABORTED or self._world.now_s() >= state.deadline_s)
        return self.hopeless and ended

    async def copy(self) -> None:
        """Copy until the guest runs on the destination. Raises Refused when it is given up."""
        await self._world.sleep(self._policy.setup_s)
        self.began_s = self._world.now_s()
        self.state = state = Precopy(self._way.guest, self._policy, now_s=self.began_s, disk_speed=self._way.disk_speed)
        bandwidth = self._traffic.widest(self._way.links, self._cap(self._policy.bandwidth))
        while (piece := state.next_round(bandwidth=bandwidth, now_s=self._world.now_s())) is not None:
            moved, seconds = await self._send(state, piece, bandwidth)
            state.sent(moved, seconds, dirty=self._way.guest.dirty * (1 - self._way.steal))
            bandwidth = moved / seconds if seconds > 0 and moved else bandwidth
            self._give_up(state, bandwidth)
        if state.phase is Phase.ABORTED:
            raise Refused("aborted")
        await self._world.sleep(self._policy.resume_s)

    async def _send(self, state: Precopy, piece: Round, bandwidth: float) -> tuple[int, float]:
        now, size = self._world.now_s(), piece.bytes
        looks = [state.deadline_s, self.began_s + self._way.abort_after_s]
        if size == self._before and not piece.paused and not self._may_slow(state):
            # Every round is like the one before until nova allows more: many of them are one piece.
            size = max(size, int(bandwidth * _LOOK_S))
            looks += [self.began_s + at for at, _ in self._policy.downtimes(state.data_gib)]
        self._before = piece.bytes
        until = min((at for at in looks if at > now), default=inf)
        return await self._traffic.send(self._way.links, size, cap=self._cap(piece.cap), until_s=until)

    def _give_up(self, state: Precopy, bandwidth: float) -> None:
        stuck = self._is_stuck(state, bandwidth)
        self.hopeless = self.hopeless or stuck
        settled = state.phase is Phase.DISK or (state.rounds > 1 and not self._may_slow(state))
        never = stuck and settled and state.deadline_s == inf
        if never or self._world.now_s() >= self.began_s + self._way.abort_after_s:
            state.abort()

    def _may_slow(self, state: Precopy) -> bool:
        """Whether auto-converge may still take CPU from the guest."""
        return self._policy.auto_converge and state.throttle < 0.99

    def _is_stuck(self, state: Precopy, bandwidth: float) -> bool:
        return state.hopeless(bandwidth, dirty=self._way.guest.dirty * (1 - self._way.steal))

    def _cap(self, cap: float) -> float:
        """A thread that is robbed of CPU sends less."""
        return min(cap, self._way.cap, self._traffic.widest(self._way.links) * (1 - self._way.steal))
