"""Nova's control plane on the `Bus`: who talks to whom in a boot, a migration, an evacuation, a timer.

The arguments hold what the rules look at, in the shape nova gives it. Source of the sequences: recordings of nova 34.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.support.bus import Bus, Inner, Rpc, Service

BUILD = "compute__do_build_and_run_instance"


def instance(uuid: str, host: str | None = None, flavor: str = "m1") -> Inner:
    """A server as an Instance object."""
    data = {"uuid": uuid, "host": host, "flavor": nova_object("Flavor", flavorid=flavor)}
    return {"nova_object.name": "Instance", "nova_object.data": data}


def nova_object(name: str, **data: Any) -> Inner:
    """Any object as it is on the wire."""
    return {"nova_object.name": name, "nova_object.data": data, "nova_object.changes": list(data)}


class Nova:
    """An API, a conductor, a scheduler and computes called compute-1, compute-2, ..."""

    def __init__(self, bus: Bus | None = None, computes: int = 3) -> None:
        self.bus = bus or Bus()
        self.api = self.bus.service("gunicorn")
        self.conductor = self.bus.service("nova-conductor", "conductor", "ctl")
        self.scheduler = self.bus.service("nova-scheduler", "scheduler", "ctl")
        self.computes = {
            f"compute-{n}": self.bus.service("nova-compute", "compute", f"compute-{n}") for n in range(1, computes + 1)
        }

    # ------------------------------------------------------------ single steps

    def ask(self, sender: Service, to: Service, method: str, args: Inner | None = None, **more: Any) -> Rpc:
        """A call with its reply."""
        failure = more.pop("failure", "")
        rpc = self.bus.call(sender, to, method, args, **more)
        self.bus.reply(rpc, failure=failure)
        return rpc

    def action(self, sender: Service, name: str, request_id: str, positional: Sequence[Any] = (), **more: Any) -> Rpc:
        """A class action of an object by way of the conductor: `Service.get_by_compute_host`."""
        owner, _, method = name.partition(".")
        kwargs = more.pop("kwargs", {})
        args = {"objname": owner, "objmethod": method, "args": list(positional), "kwargs": kwargs}
        return self.ask(sender, self.conductor, "object_class_action_versions", args, request_id=request_id, **more)

    def save(self, sender: Service, owner: str, request_id: str, server: str = "", **more: Any) -> Rpc:
        """`object_action(OWNER.save)`. Further words are the object's data."""
        failure = more.pop("failure", "")
        one = instance(server) if owner == "Instance" else nova_object(owner, instance_uuid=server or None, **more)
        args = {"objinst": one, "objmethod": "save", "args": [], "kwargs": {}}
        return self.ask(sender, self.conductor, "object_action", args, request_id=request_id, failure=failure)

    def event_start(self, sender: Service, event: str, request_id: str, server: str) -> Rpc:
        return self.action(sender, "InstanceActionEvent.event_start", request_id, [server, event])

    def event_finish(self, sender: Service, event: str, request_id: str, server: str, error: str = "") -> Rpc:
        more: Inner = {"kwargs": {"exc_val": error, "exc_tb": "PS7q"}} if error else {"kwargs": {"exc_val": None}}
        name = "InstanceActionEvent.event_finish_with_failure"
        return self.action(sender, name, request_id, [server, event], **more)

    @contextmanager
    def event(self, sender: Service, event: str, request_id: str, server: str, error: str = "") -> Iterator[None]:
        """What happens between the start and the finish of an action event."""
        self.event_start(sender, event, request_id, server)
        yield
        self.event_finish(sender, event, request_id, server, error)

    def select(self, request_id: str, servers: Sequence[str], failure: str = "") -> Rpc:
        args = {"instance_uuids": list(servers)}
        more: Inner = {"request_id": request_id, "timeout_ms": 1_800_000, "monitor_s": 60}
        return self.ask(self.conductor, self.scheduler, "select_destinations", args, failure=failure, **more)

    def track(self, compute: Service, request_id: str, stale: str = "") -> Rpc:
        """The resource tracker saves its ComputeNode, with the context that first loaded it."""
        self.action(compute, "Service.get_by_compute_host", request_id, [compute.host])
        return self.save(compute, "ComputeNode", stale or request_id)

    # ------------------------------------------------------------ operations

    def schedule(self, request_id: str, servers: Sequence[str]) -> Rpc:
        """The API hands new servers to the conductor."""
        requests = [nova_object("BuildRequest", instance_uuid=server) for server in servers]
        args = {"build_requests": requests}
        return self.bus.cast(self.api, self.conductor, "schedule_and_build_instances", args, request_id=request_id)

    def build(self, request_id: str, server: str, host: str, *, taken: bool = True) -> Rpc:
        """The conductor gives a server to a compute."""
        args = {"instance": instance(server)}
        more: Inner = {"request_id": request_id, "server": host, "taken": taken}
        return self.bus.cast(self.conductor, self.computes[host], "build_and_run_instance", args, **more)

    def spawn(self, request_id: str, server: str, host: str, error: str = "") -> None:
        """The compute builds it."""
        compute = self.computes[host]
        with self.event(compute, BUILD, request_id, server, error):
            self.save(compute, "Instance", request_id, server)
            self.track(compute, request_id)
            self.save(compute, "Instance", request_id, server)
            self.bus.fanout(compute, [self.scheduler], "scheduler", "update_instance_info", request_id=request_id)

    def boot(self, request_id: str, servers: Sequence[str], host: str = "compute-1") -> None:
        self.schedule(request_id, servers)
        self.select(request_id, servers)
        for server in servers:
            self.build(request_id, server, host)
        for server in servers:
            self.spawn(request_id, server, host)

    def move(self, request_id: str, server: str, *, same_flavor: bool, flavor: str = "m1") -> Rpc:
        """The API asks for a cold migration or a resize."""
        new = nova_object("Flavor", flavorid=flavor if same_flavor else f"{flavor}.large")
        args = {"instance": instance(server, "compute-1", flavor), "flavor": new}
        return self.bus.cast(self.api, self.conductor, "migrate_server", args, request_id=request_id)

    def rebuild(self, request_id: str, server: str, *, recreate: bool, source: str = "compute-1") -> Rpc:
        """The API asks for a rebuild, or with `recreate` for an evacuation."""
        args = {"instance": instance(server, source), "recreate": recreate}
        return self.bus.cast(self.api, self.conductor, "rebuild_instance", args, request_id=request_id)

    def evacuate(self, request_id: str, server: str, source: str, dest: str) -> None:
        self.rebuild(request_id, server, recreate=True, source=source)
        self.select(request_id, [server])
        args = {"instance": instance(server, source), "recreate": True}
        compute = self.computes[dest]
        self.bus.cast(self.conductor, compute, "rebuild_instance", args, request_id=request_id, server=dest)
        with self.event(compute, "compute_rebuild_instance", request_id, server):
            self.save(compute, "Instance", request_id, server)

    def live_migrate(self, request_id: str, server: str, source: str, dest: str, status: str = "completed") -> None:
        one = {"instance": instance(server, source)}
        a, b = self.computes[source], self.computes[dest]
        self.bus.cast(self.api, self.conductor, "live_migrate_instance", one, request_id=request_id)
        self.select(request_id, [server])
        check = self.bus.call(
            self.conductor, b, "check_can_live_migrate_destination", one, request_id=request_id, server=dest
        )
        self.ask(b, a, "check_can_live_migrate_source", one, request_id=request_id, server=source)
        self.bus.reply(check)
        self.bus.cast(self.conductor, a, "live_migration", one, request_id=request_id, server=source)
        self.ask(a, b, "pre_live_migration", one, request_id=request_id, server=dest)
        self.save(a, "Migration", request_id, server, status="running")
        if status == "completed":
            self.ask(a, b, "post_live_migration_at_destination", one, request_id=request_id, server=dest)
        self.save(a, "Migration", request_id, server, status=status)

    def on_compute(self, request_id: str, method: str, server: str, host: str = "compute-1") -> Rpc:
        """The API casts one of the simple actions to the server's compute."""
        args = {"instance": instance(server, host)}
        return self.bus.cast(self.api, self.computes[host], method, args, request_id=request_id, server=host)

    def report_state(self, compute: Service) -> str:
        """A compute's timer says that it is alive; its request id."""
        request_id = self.bus.request_id()
        self.save(compute, "Service", request_id)
        return request_id
