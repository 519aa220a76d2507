"""The process of an emulated cloud whose computes call a conductor, each with its next call as soon as the last was
answered. Orders: `{"do": "call", "seconds": 3}`; reports how many calls were answered, in how long, with how much CPU.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

from benchmarks.children.worker import obey
from rpcscope.emulator.bus_world import BusWorld
from rpcscope.emulator.management import Management
from rpcscope.emulator.vhost import OwnVhost
from rpcscope.fleet.model import Control
from rpcscope.flows.world import Asked
from rpcscope.templates.model import Sizes, Step, Template, Variant

CALLS = 12  # of an operation, as many as a boot has
SAVE = "object_action(Instance.save)"
BYTES = Sizes(quantiles=(2600,)), Sizes(quantiles=(700,))


class Cloud:
    """A cloud of some computes, each of which has one operation after the other."""

    def __init__(self, setup: dict[str, Any]) -> None:
        """`setup`: where the broker is, and how many computes call at once."""
        management = Management(setup["management_url"], setup["user"], setup["password"])
        self._own = OwnVhost(
            management,
            "bench",
            host="127.0.0.1",
            port=setup["port"],
            username=setup["user"],
            password=setup["password"],
        ).__enter__()
        self._hosts = [f"compute-{number:04}" for number in range(setup["hosts"])]
        self._runner = asyncio.Runner()
        control = Control(api=1, conductor=2, scheduler=1, background=False)
        self._world = self._runner.run(BusWorld(self._own, self._hosts, [_chain()], control=control).__aenter__())

    def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """One order; the last one ends the cloud."""
        if order["do"] == "end":
            self._runner.run(self._world.__aexit__(None, None, None))
            self._runner.close()
            self._own.__exit__(None, None, None)
            return {}
        return self._runner.run(self._window(order["seconds"]))

    async def _window(self, seconds: float) -> dict[str, Any]:
        before, cpu, began = self._answered(), time.process_time(), time.monotonic()
        await asyncio.gather(*(self._keep_on(host, began + seconds) for host in self._hosts))
        took, cpu = time.monotonic() - began, time.process_time() - cpu
        return {"calls": self._answered() - before, "took_s": took, "cpu_s": cpu}

    async def _keep_on(self, host: str, until: float) -> None:
        while time.monotonic() < until:
            await self._world.operate(Asked(kind="chain", instances=[str(uuid.uuid4())], dest=host))

    def _answered(self) -> int:
        return self._world.tally.answered[SAVE]


def _chain() -> Template:
    request, reply = BYTES
    steps = tuple(
        Step(method=SAVE, kind="call", topic="conductor", exchange="nova", version="3.0", instance=0,
             after=number - 1, request=request, reply=reply)
        for number in range(CALLS)
    )  # fmt: skip
    build = Step(
        method="build", kind="cast", topic="compute", host="dest", sender="conductor", request=request, steps=steps
    )
    return Template(kind="chain", variants=(Variant(operations=1, share=1.0, roots=(build,)),))


if __name__ == "__main__":
    obey(lambda setup: Cloud(setup).obey)
