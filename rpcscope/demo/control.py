"""What the player and its services tell each other: JSON, one message a line, on stdin and stdout of the service.

player                      service
  Setup      ->                          first line: who to be
                 <-  Ready               its queues are declared
  Rehearse   ->                          a scene that will be played
                 <-  Rehearsed
  Begin      ->                          send one root of the scene
                 <-  Handled             once for every message taken from a queue
                 <-  Returned            that root's call was answered, or its cast sent
  Forget     ->                          the play is over
"""

from __future__ import annotations

import msgspec

from rpcscope.demo.scenes import Scene


class Setup(msgspec.Struct, tag=True, frozen=True):
    """Who the service is. It is not an argument of the process, because the URL holds a password."""

    transport_url: str
    role: str
    host: str
    topics: tuple[str, ...]
    first: bool  # it alone of its topic goes on from a fanout


class Casting(msgspec.Struct, frozen=True):
    """Who plays the recording's parts this time."""

    request_id: str
    instances: tuple[str, ...]
    hosts: dict[str, str]  # from a step's host to a host here
    speed: float  # 2.0: twice as fast as recorded


class Rehearse(msgspec.Struct, tag=True, frozen=True):
    """Learn a scene."""

    play: int
    scene: Scene
    casting: Casting


class Begin(msgspec.Struct, tag=True, frozen=True):
    """Send this step."""

    play: int
    step: int


class Forget(msgspec.Struct, tag=True, frozen=True):
    """The play is over."""

    play: int


class Ready(msgspec.Struct, tag=True, frozen=True):
    """The service consumes."""


class Rehearsed(msgspec.Struct, tag=True, frozen=True):
    """The service knows the scene."""

    play: int


class Handled(msgspec.Struct, tag=True, frozen=True):
    """The service took a step from its queue and is through with it."""

    play: int
    step: int


class Returned(msgspec.Struct, tag=True, frozen=True):
    """A root is sent and, when it is a call, answered. `problem` says what was not as recorded."""

    play: int
    step: int
    problem: str = ""


Order = Rehearse | Begin | Forget
Report = Ready | Rehearsed | Handled | Returned
