"""One service of the demonstration, a process of its own: `python -m rpcscope.demo.service PROGRAM`.

It consumes like the nova service that it is named after, and plays its part of the scenes it was told.
Orders come on stdin and reports go to stdout (rpcscope.demo.control); it ends with its stdin.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
import uuid
from collections.abc import Callable
from typing import IO, Any

import msgspec

from rpcscope.demo import bodies
from rpcscope.demo.control import Begin, Forget, Handled, Order, Ready, Rehearse, Rehearsed, Report, Returned, Setup
from rpcscope.demo.failures import failure
from rpcscope.demo.scenes import Step
from rpcscope.demo.script import Script
from rpcscope.model import MessageKind

_END_S = 10.0


class Service:
    """Plays its part until `close`."""

    def __init__(self, setup: Setup, report: Callable[[Report], None]) -> None:
        """Declare its queues and consume. `report` takes what the player has to know, from any thread."""
        # The library looks at argv[0] when it is imported: that is how connections are named.
        from rpcscope.demo.bus import Bus, expected

        self._setup = setup
        self._report = report
        self._expected = expected
        self._scripts: dict[int, Script] = {}
        # A nova-compute's resource tracker goes on using the request id of its start.
        self._started_as = f"req-{uuid.uuid4()}"
        self._bus = Bus(setup.transport_url, setup.topics, setup.host, self._handle)
        self._bus.start()

    def close(self) -> None:
        """Stop consuming and close the connections."""
        self._bus.close()

    def obey(self, order: Order) -> None:
        """Do what the player asks; sending takes its time on a thread of its own."""
        match order:
            case Rehearse():
                script = self._scripts[order.play] = Script(order.scene, order.casting)
                self._bus.answer(script.versions(self._setup.topics))
                self._report(Rehearsed(order.play))
            case Begin():
                threading.Thread(target=self._begin, args=(order,), daemon=True).start()
            case Forget():
                self._scripts.pop(order.play, None)

    def _begin(self, order: Begin) -> None:
        try:
            self._send(self._scripts[order.play], order.play, order.step)
        except Exception as error:
            # The class says enough; a message may quote the broker's URL.
            self._report(Returned(order.play, order.step, type(error).__name__))
        else:
            self._report(Returned(order.play, order.step))

    def _handle(self, ctxt: dict[str, Any], /, **args: Any) -> str | None:
        play, number = args["play"]
        script = self._scripts[play]
        step = script.steps[number]
        if step.kind is not MessageKind.FANOUT or self._setup.first:
            for child in script.children[number]:
                script.wait(script.steps[child].delay_ns)
                self._send(script, play, child)
        script.wait(step.service_ns)
        self._report(Handled(play, number))
        if step.failure:
            self._fail(step)
        return bodies.result(step)

    def _send(self, script: Script, play: int, number: int) -> None:
        step, casting = script.steps[number], script.casting
        ctxt = bodies.context(self._started_as if step.stale else casting.request_id)
        args = bodies.request(step, casting, (play, number), ctxt)
        self._bus.send(step, casting.hosts.get(step.host_to), ctxt, args)

    def _fail(self, step: Step) -> None:
        """Answer with the recorded failure: once for the size of its traceback, then with a text of the right size."""
        try:
            _raise(step, "")
        except Exception:
            text = bodies.failure_text(step, traceback.format_exception(*sys.exc_info()))
        try:
            _raise(step, text)
        except Exception as error:
            raise self._expected(error) from error


def _raise(step: Step, text: str) -> None:
    raise failure(step.failure)(text)


def _reporter(out: IO[bytes]) -> Callable[[Report], None]:
    lock = threading.Lock()

    def report(what: Report) -> None:
        with lock:
            out.write(msgspec.json.encode(what) + b"\n")
            out.flush()

    return report


def _own_stdout() -> IO[bytes]:
    """The channel to the player; whatever a library prints goes to stderr instead."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return out


def _end_at_last() -> None:
    """Without a broker the library may try for ever to say goodbye; nobody may be there any more to end us."""
    timer = threading.Timer(_END_S, os._exit, [1])
    timer.daemon = True
    timer.start()


def main(program: str) -> None:
    """Serve until stdin ends. `program` is how the broker's connections are named."""
    sys.argv = [program]
    logging.basicConfig(level=logging.ERROR)
    with _own_stdout() as out:
        report = _reporter(out)
        service = Service(msgspec.json.decode(sys.stdin.buffer.readline(), type=Setup), report)
        report(Ready())
        for line in sys.stdin.buffer:
            service.obey(msgspec.json.decode(line, type=Order))
        _end_at_last()
        service.close()


if __name__ == "__main__":
    main(sys.argv[1])
