"""Who plays the recording's parts this time."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence

from rpcscope.demo.control import Casting
from rpcscope.demo.scenes import DEST, SOURCE, Scene, walk
from rpcscope.errors import UsageError


def cast(scene: Scene, hosts: Sequence[str], instances: Sequence[str], source: str, dest: str, speed: float) -> Casting:
    """A new request id, servers and hosts for a scene.

    `hosts` are those there are; `instances`, `source` and `dest` are chosen here where they are empty.
    Raises UsageError for a choice that can not be.
    """
    wanted = len(scene.instances)
    if instances and len(instances) != wanted:
        raise UsageError(f"This scene is about {wanted} servers: give as many instances, or none for new ones.")
    if unknown := sorted({source, dest} - {"", *hosts}):
        raise UsageError(f"There is no host {unknown[0]}: choose among {', '.join(hosts)}.")
    if speed <= 0:
        raise UsageError("Give a speed above 0: 1 is as recorded, 10 is ten times faster.")
    return Casting(
        request_id=f"req-{uuid.uuid4()}",
        instances=tuple(instances) or tuple(str(uuid.uuid4()) for _ in range(wanted)),
        hosts=_places(scene, hosts, {SOURCE: source, DEST: dest}),
        speed=speed,
    )


def _places(scene: Scene, hosts: Sequence[str], given: dict[str, str]) -> dict[str, str]:
    """A host for each place of the scene; source and dest first, others in turn."""
    named = {host for step in walk(scene.roots) for host in (step.host_from, step.host_to) if host}
    # The source of an evacuation is down and gets nothing, but its server's record names it.
    named |= {place for place, host in ((SOURCE, scene.source), (DEST, scene.dest)) if host}
    places = {place: host for place, host in given.items() if host and place in named}
    free = itertools.cycle([host for host in hosts if host not in places.values()] or hosts)
    for place in sorted(named - places.keys(), key=lambda host: (host != SOURCE, host != DEST, host)):
        places[place] = next(free)
    return places
