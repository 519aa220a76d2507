"""Plays on a vhost of its own, recorded by a process beside it, and keeps the run in the store.

vhost -> services up -> recorder records -> run begins -> play -> settle -> recorder stores -> run ends -> vhost gone
"""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rpcscope.cli.beside import RecorderBeside
from rpcscope.cli.ending import ENDS
from rpcscope.errors import BrokerError, RpcscopeError
from rpcscope.store.run_rows import Run, RunState

if TYPE_CHECKING:
    from rpcscope.cli.ground import Ground
    from rpcscope.cli.performance import Performance
    from rpcscope.cli.progress import Board
    from rpcscope.emulator import BusWorld, OwnVhost
    from rpcscope.store.store import Store

SETTLE_S = 2.0
"""What an operation leaves to be handled after its end: casts and fanouts without an answer."""
_TELL_S = 5.0
_LOOK_S = 0.5


class Playing:
    """One run. Ctrl-C ends the play and keeps what was recorded; a second one waits for nothing."""

    def __init__(self, performance: Performance, store: Store, db: str, board: Board, label: str) -> None:
        """Nothing is begun yet; `db` is the store's URL, for the recorder."""
        self._performance, self._store, self._db = performance, store, db
        self._board, self._label = board, label
        self._writer = store.writer()
        self.is_interrupted = False
        self._acting: asyncio.Task[Any] | None = None  # what the first Ctrl-C ends
        self._over_ns = 0
        self._recorder: RecorderBeside | None = None
        self.failure: RpcscopeError | None = None
        self.warnings: list[str] = []
        self.run_id = 0

    def on(self, ground: Ground, folder: Path) -> Run:
        """Play it there. Raises BrokerError when the services or the recorder do not come up.

        What goes wrong later is `failure`, and the run in the store says so.
        """
        performance = self._performance
        with ground.own(performance.what) as own:
            conditions = f"emulated on this machine: {performance.what}, templates of {_drivers(performance)}"
            self._recorder = RecorderBeside(
                ground, own.name, self._db, folder, label=self._label, conditions=conditions
            )
            before = {number: signal.getsignal(number) for number in ENDS}
            try:
                asyncio.run(self._main(own))
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)
                self._recorder.kill()
        run = self._store.reader().run(self.run_id)
        if run is None:
            raise KeyboardInterrupt  # ended before it began
        return run

    async def _main(self, own: OwnVhost) -> None:
        from rpcscope.emulator import BusWorld

        loop = asyncio.get_running_loop()
        for number in ENDS:
            loop.add_signal_handler(number, self._interrupt)
        self._acting = asyncio.current_task()
        performance, recorder = self._performance, self._recorder
        world = BusWorld(
            own, performance.hosts, performance.templates, control=performance.control,
            speed=performance.speed, seed=performance.seed, progress=self._board.starting,
        )  # fmt: skip
        try:
            async with world:
                self._board.say("starting the recorder")
                await asyncio.to_thread(recorder.start)  # type: ignore[union-attr]
                await self._run(world)
        except asyncio.CancelledError:
            if not self.is_interrupted:
                raise

    async def _run(self, world: BusWorld) -> None:
        self._begin(world)
        self._board.begun(self._performance.what, world.vhost)
        self._acting = acting = asyncio.create_task(self._performance.part.play(world))
        watching = asyncio.create_task(self._watch(world))
        try:
            await asyncio.wait({acting, watching}, return_when=asyncio.FIRST_COMPLETED)
            self._acting = None
            await self._judge(acting, watching)
            if not self.is_interrupted and self.failure is None:
                await asyncio.sleep(SETTLE_S)
        finally:
            watching.cancel()
            self._over_ns = time.time_ns()
            self._board.say("storing what was recorded")
            await self._store_rest()
            self._end(world)
            self._board.close()

    async def _judge(self, acting: asyncio.Task[None], watching: asyncio.Task[None]) -> None:
        for task in (acting, watching):
            if not task.done():
                task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
            except RpcscopeError as error:
                self.failure = self.failure or error

    async def _watch(self, world: BusWorld) -> None:
        """Show and store how it fares, until it is cancelled. Raises BrokerError once nobody records any more."""
        told = time.monotonic()
        while True:
            await asyncio.sleep(_LOOK_S)
            if self._recorder is not None and self._recorder.failure:
                raise BrokerError(f"the recorder beside the emulation ended: {self._recorder.failure}")
            self._board.show(world, self._performance.part.told())
            if time.monotonic() - told >= _TELL_S:
                told = time.monotonic()
                await asyncio.to_thread(self._tell, self._outcome(world))
                await asyncio.to_thread(self._board.look_at_depth, self._store.reader(), world.vhost)

    async def _store_rest(self) -> None:
        if self._recorder is not None:
            problem = await asyncio.to_thread(self._recorder.stop)
            if problem:
                self.warnings.append(problem)

    def _begin(self, world: BusWorld) -> None:
        now_ns = time.time_ns()
        run = Run(
            label=self._label, what=self._performance.what, vhost=world.vhost, started_ns=now_ns, heard_ns=now_ns,
            asked=self._performance.asked, expected=self._performance.expected, outcome=self._outcome(world),
        )  # fmt: skip
        self.run_id = self._writer.begin_run(run)

    def _end(self, world: BusWorld) -> None:
        state = RunState.FAILED if self.failure else RunState.INTERRUPTED if self.is_interrupted else RunState.DONE
        self._writer.tell_run(self.run_id, state=state, at_ns=self._over_ns, outcome=self._outcome(world), ended=True)

    def _tell(self, outcome: dict[str, Any]) -> None:
        self._writer.tell_run(self.run_id, state=RunState.RUNNING, at_ns=time.time_ns(), outcome=outcome)

    def _outcome(self, world: BusWorld) -> dict[str, Any]:
        inside = world.tally.as_dict()
        for name in ("sent", "answered"):  # by method the recording tells
            inside[name] = sum(inside[name].values())
        return {
            **inside,
            "connections": world.connections,
            "world_s": round(world.now_s(), 3),
            "part": self._performance.part.told(),
            "error": str(self.failure) if self.failure else "",
        }

    def _interrupt(self) -> None:
        if self._acting is not None and not self.is_interrupted:
            self.is_interrupted = True
            self._acting.cancel()
        elif self._recorder is not None:
            self._recorder.kill()


def _drivers(performance: Performance) -> str:
    found = {one.provenance.driver or "unknown" for one in performance.templates}
    return " and ".join(f"a {driver} driver" for driver in sorted(found))
