"""One service of a cloud with a cell, a process of its own: `python -m tests.support.cell_service PROGRAM`.

Real oslo.messaging on real brokers. Its setup comes on the first line of stdin; "ready" goes to stdout once it
consumes, then the request id of each server that it has built. It ends with its stdin.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

Context = dict[str, Any]


class Service:
    """What all services have: a transport for each of their brokers."""

    def __init__(self, setup: dict[str, str]) -> None:
        import oslo_messaging
        from oslo_config import cfg

        self._messaging = oslo_messaging
        cfg.CONF([], project="nova", default_config_files=[], default_config_dirs=[])
        oslo_messaging.set_transport_defaults("nova")
        self.host = setup["host"]
        self._notifies = setup.get("notifies", "")
        self.transports = {
            name: oslo_messaging.get_rpc_transport(cfg.CONF, url=setup[name])
            for name in ("api", "cell")
            if name in setup
        }
        if "spans" in setup:
            tracing = {"tracing_enabled": True, "tracing_service_name": setup["role"],
                       "otel_exporter_otlp_endpoint": setup["spans"]}  # fmt: skip
            for name, value in tracing.items():
                cfg.CONF.set_override(name, value, group="oslo_messaging_tracing")
        self._servers: list[Any] = []

    def serve(self, broker: str, topic: str) -> None:
        """Consume a topic of one broker."""
        target = self._messaging.Target(topic=topic, server=self.host)
        server = self._messaging.get_rpc_server(self.transports[broker], target, [self])
        server.start()
        self._servers.append(server)

    def to(self, broker: str, topic: str, server: str | None = None) -> Any:
        target = self._messaging.Target(topic=topic, server=server)
        return self._messaging.get_rpc_client(self.transports[broker], target, timeout=60)

    def notify(self, ctxt: Context, event_type: str, payload: dict[str, Any]) -> None:
        """Tell, where this service tells at all."""
        if self._notifies:
            from oslo_config import cfg
            from oslo_context.context import RequestContext

            class Plain(self._messaging.NoOpSerializer):  # type: ignore[misc, name-defined]
                def serialize_context(self, ctxt: RequestContext) -> Context:
                    return ctxt.to_dict()

            transport = self._messaging.get_notification_transport(cfg.CONF, url=self._notifies)
            who = {"publisher_id": f"compute.{self.host}", "driver": "messagingv2", "topics": ["notifications"]}
            notifier = self._messaging.Notifier(transport, serializer=Plain(), **who)
            # It lets nothing of another kind of context through.
            notifier.info(RequestContext(request_id=ctxt["request_id"]), event_type, payload)
            transport.cleanup()

    def close(self) -> None:
        for server in self._servers:
            server.stop()
        for server in self._servers:
            server.wait()
        for transport in self.transports.values():
            transport.cleanup()


class Conductor(Service):
    """The API's: takes boots from the API's broker, and gives them to computes over the cell's."""

    def schedule_and_build_instances(self, ctxt: Context, build_requests: list[Any]) -> None:
        uuids = [one["nova_object.data"]["instance_uuid"] for one in build_requests]
        self.to("api", "scheduler").call(ctxt, "select_destinations", instance_uuids=uuids)
        for uuid in uuids:
            self.to("cell", "compute", "compute-1").cast(ctxt, "build_and_run_instance", instance=_instance(uuid))


class Scheduler(Service):
    def select_destinations(self, ctxt: Context, instance_uuids: list[str]) -> list[str]:
        return ["compute-1"]


class CellConductor(Service):
    """The cell's: writes to its database for computes."""

    def object_class_action_versions(self, ctxt: Context, **args: Any) -> None:
        """An action event."""

    def object_action(self, ctxt: Context, **args: Any) -> None:
        """A save."""


class OneConductor(Conductor, CellConductor):
    """Both in one process, on one broker."""


class Compute(Service):
    def build_and_run_instance(self, ctxt: Context, instance: dict[str, Any]) -> None:
        conductor, uuid = self.to("cell", "conductor"), instance["nova_object.data"]["uuid"]
        about = {"objname": "InstanceActionEvent", "args": [uuid, "compute__do_build_and_run_instance"]}
        conductor.call(ctxt, "object_class_action_versions", objmethod="event_start", kwargs={}, **about)
        conductor.call(ctxt, "object_action", objinst=instance, objmethod="save", args=[], kwargs={})
        more = {"objmethod": "event_finish_with_failure", "kwargs": {"exc_val": None}}
        conductor.call(ctxt, "object_class_action_versions", **about, **more)
        self.notify(ctxt, "compute.instance.create.end", {"instance_id": uuid, "state": "active"})
        print(ctxt["request_id"], flush=True)


class Api(Service):
    """Asks for a boot for each line of its stdin: a request id and the uuid of a server."""

    def boot(self, request_id: str, uuid: str) -> None:
        asked = {"nova_object.name": "BuildRequest", "nova_object.data": {"instance_uuid": uuid}}
        client = self.to("api", "conductor")
        client.cast({"request_id": request_id}, "schedule_and_build_instances", build_requests=[asked])


def _instance(uuid: str) -> dict[str, Any]:
    return {"nova_object.name": "Instance", "nova_object.data": {"uuid": uuid, "host": "compute-1"}}


Made = tuple[Callable[[dict[str, str]], Service], tuple[tuple[str, str], ...]]
ROLES: dict[str, Made] = {
    "api": (Api, ()),
    "conductor": (Conductor, (("api", "conductor"),)),
    "scheduler": (Scheduler, (("api", "scheduler"),)),
    "cell-conductor": (CellConductor, (("cell", "conductor"),)),
    "one-conductor": (OneConductor, (("api", "conductor"),)),
    "compute": (Compute, (("cell", "compute"),)),
}


def main(program: str) -> None:
    """The library looks at argv[0] when it is imported: that is how connections are named."""
    sys.argv = [program]
    setup = json.loads(sys.stdin.readline())
    if "spans" in setup:
        import opentelemetry.exporter.otlp.proto.http.trace_exporter  # noqa: F401 - what 18.3.1 forgets
    make, topics = ROLES[setup["role"]]
    warnings.simplefilter("ignore")  # the library warns about eventlet, which is not in use here
    service = make(setup)
    for broker, topic in topics:
        service.serve(broker, topic)
    print("ready", flush=True)
    for line in sys.stdin:
        if isinstance(service, Api):
            service.boot(*line.split())
    service.close()


if __name__ == "__main__":
    main(sys.argv[1])
