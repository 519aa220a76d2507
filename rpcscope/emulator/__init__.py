"""The emulated cloud: recorded operations, played by emulated services on a vhost that was made for them.

    management = Management("http://127.0.0.1:15672", "admin", password)
    with OwnVhost(management, "boot-storm", host="127.0.0.1", port=5672, username="admin", password=password) as own:
        asyncio.run(main(own))

    async def main(own: OwnVhost) -> None:
        async with BusWorld(own, hosts, templates, control=fleet.control, speed=1.0, seed=1) as world:
            answer = await world.operate(Asked(kind="create", instances=[uuid], dest="compute-0001"))
            print(world.tally.as_dict())

`clean` removes what killed runs left behind. docs/emulator.md tells what is emulated and what is not.
"""

from __future__ import annotations

from rpcscope.emulator.bus_world import BusWorld
from rpcscope.emulator.cloud import Progress
from rpcscope.emulator.management import Management
from rpcscope.emulator.tally import Sample, Service, Tally
from rpcscope.emulator.vhost import OwnVhost, clean

__all__ = ["BusWorld", "Management", "OwnVhost", "Progress", "Sample", "Service", "Tally", "clean"]
