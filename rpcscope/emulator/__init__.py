"""The emulated cloud: recorded operations, played by emulated services on a vhost that was made for them.

with OwnVhost(management, "boot-storm", host=..., port=..., username=..., password=...) as own:
    async with BusWorld(own, hosts, templates, control=control, speed=1.0, seed=1) as world:
        answer = await world.operate(Asked(kind="create", instances=[uuid], dest="compute-0001"))
    print(world.tally.as_dict())

`vhost` makes the vhost, `bus_world` is the World of rpcscope.flows.world; docs/emulator.md tells the rest.
"""
