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
from functools import partial
from typing import IO, Any

import msgspec

from rpcscope.demo import bodies
from rpcscope.demo.control import (
    Begin,
    Forget,
    Handled,
    Order,
    Ready,
    Rehearse,
    Rehearsed,
    Report,
    Returned,
    Setup,
)
from rpcscope.demo.failures import failure
from rpcscope.demo.scenes import Step
from rpcscope.demo.script import Script
from rpcscope.model import MessageKind


class Endpoint:
    """Every method of one namespace and major version; oslo.messaging looks methods up by name."""

    def __init__(self, target: Any, handle: Callable[..., object]) -> None:
        """`target` tells the library what this endpoint is for; `handle` gets every message."""
        self.target = target
        self._handle = handle

    def __getattr__(self, method: str) -> Callable[..., object]:
        """The one handler, whatever the method."""
        if method.startswith(("_", "oslo_")):
            raise AttributeError(method)
        return self._handle


class Service:
    """Serves its topics until `close`."""

    def __init__(self, setup: Setup, report: Callable[[Report], None]) -> None:
        """`report` takes what the player has to know, from any thread."""
        import oslo_messaging
        from oslo_config import cfg

        self._oslo = oslo_messaging
        self._setup = setup
        self._report = report
        self._scripts: dict[int, Script] = {}
        self._endpoints: list[Endpoint] = []
        self._versions: set[tuple[str, str]] = set()
        # A nova-compute's resource tracker goes on using the request id of its start.
        self._started_as = f"req-{uuid.uuid4()}"
        # The library registers some of its options on the global configuration only.
        cfg.CONF([], project="nova", default_config_files=[], default_config_dirs=[])
        oslo_messaging.set_transport_defaults("nova")
        self._transport = oslo_messaging.get_rpc_transport(
            cfg.CONF, url=setup.transport_url, allowed_remote_exmods=["rpcscope.demo.failures"]
        )
        self._servers = [self._server(topic) for topic in setup.topics]

    def _server(self, topic: str) -> Any:
        target = self._oslo.Target(topic=topic, server=self._setup.host)
        return self._oslo.get_rpc_server(self._transport, target, self._endpoints, executor="threading")

    def start(self) -> None:
        """Declare the queues and consume."""
        for server in self._servers:
            server.start()

    def close(self) -> None:
        """Stop consuming and close the connections."""
        for server in self._servers:
            server.stop()
        for server in self._servers:
            server.wait()
        self._transport.cleanup()

    def obey(self, order: Order) -> None:
        """Do what the player asks; sending takes its time on a thread of its own."""
        match order:
            case Rehearse():
                self._rehearse(order)
            case Begin():
                threading.Thread(target=self._begin, args=(order,), daemon=True).start()
            case Forget():
                self._scripts.pop(order.play, None)

    def _rehearse(self, order: Rehearse) -> None:
        script = self._scripts[order.play] = Script(order.scene, order.casting)
        for namespace, version in script.versions(self._setup.topics) - self._versions:
            self._versions.add((namespace, version))
            target = self._oslo.Target(namespace=namespace or None, version=version)
            self._endpoints.append(Endpoint(target, self._handle))
        self._report(Rehearsed(order.play))

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

    def _fail(self, step: Step) -> None:
        try:
            self._raise(step, "")
        except Exception:
            text = bodies.failure_text(step, traceback.format_exception(*sys.exc_info()))
        try:
            self._raise(step, text)
        except Exception as error:
            # So the library answers with it and logs nothing: it is part of the play.
            raise self._oslo.ExpectedException from error

    @staticmethod
    def _raise(step: Step, text: str) -> None:
        raise failure(step.failure)(text)

    def _send(self, script: Script, play: int, number: int) -> None:
        step = script.steps[number]
        casting = script.casting
        ctxt = bodies.context(self._started_as if step.stale else casting.request_id)
        args = bodies.request(step, casting, (play, number), ctxt)
        target = self._oslo.Target(
            topic=step.topic,
            server=casting.hosts.get(step.host_to),
            namespace=step.namespace or None,
            version=step.version or None,
            fanout=step.kind is MessageKind.FANOUT,
        )
        client = self._oslo.get_rpc_client(
            self._transport, target, timeout=step.timeout_ms / 1000, call_monitor_timeout=bodies.monitor_s(step)
        )
        method = bodies.wire_method(step)
        if step.kind is MessageKind.REQUEST:
            self._call(partial(client.call, ctxt, method, **args), step)
        else:
            client.cast(ctxt, method, **args)

    @staticmethod
    def _call(call: Callable[[], object], step: Step) -> None:
        """Recorded failures are part of the play; every other exception is not."""
        try:
            call()
        except Exception as error:
            if not step.failure or type(error).__name__.removesuffix("_Remote") != failure(step.failure).__name__:
                raise


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


def main(program: str) -> None:
    """Serve until stdin ends. `program` is how the broker's connections are named."""
    sys.argv = [program]
    logging.basicConfig(level=logging.ERROR)
    with _own_stdout() as out:
        report = _reporter(out)
        service = Service(msgspec.json.decode(sys.stdin.buffer.readline(), type=Setup), report)
        service.start()
        report(Ready())
        for line in sys.stdin.buffer:
            service.obey(msgspec.json.decode(line, type=Order))
        service.close()


if __name__ == "__main__":
    main(sys.argv[1])
