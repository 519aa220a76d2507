"""Switching RabbitMQ's tracing on, and off again when it was we who switched it on.

Tracing is per vhost and per node, lost when a node restarts, and needs the administrator tag. The management API
switches it on the node that serves the request, so each node is asked through its own API.
"""

from __future__ import annotations

import logging
import shlex
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from rpcscope.errors import BrokerError, UsageError
from rpcscope_collectors.lease import Lease, Leases, new_lease
from rpcscope_collectors.management import Management

_log = logging.getLogger(__name__)


class Tracing:
    """Tracing of one vhost for one recorder. What it switches on is on disk first, so that a crash leaves a trail."""

    def __init__(self, managements: Sequence[Management], vhost: str, state_dir: Path | str) -> None:
        """Nothing is switched yet. `managements` should reach every node of the cluster."""
        self._managements, self._vhost = tuple(managements), vhost
        self._leases = Leases(state_dir)
        self._lease = ""  # name of our file, as long as it is needed
        self.is_begun = False
        self._running: tuple[str, ...] = ()
        self._traced: tuple[str, ...] = ()
        self.since_ns = 0  # when a recorder last switched tracing on, be it one that was killed; 0: it was on before

    @property
    def nodes_traced(self) -> tuple[int, int]:
        """How many of the cluster's running nodes were seen tracing, of how many; as of the last look."""
        return len(self._traced), len(self._running)

    def advice(self) -> str:
        """What to run for the nodes that are not traced; "" when all are."""
        return _by_hand("on", self._vhost, [node for node in self._running if node not in self._traced])

    def begin(self) -> None:
        """Switch tracing on wherever it is off, on every node within reach; for any thread, again after each `end`.

        Takes over what a crashed recorder left on. Raises BrokerError when no node is within reach or one refuses.
        """
        with self._leases.locked():
            if self._leases.get(self._lease) is not None:  # begun already, or not ended everywhere
                self.is_begun = True
                self._look_again()
                return
            reached, cluster = self._reach()
            urls = tuple(management.url for management in self._managements)
            lease = new_lease(self._vhost, cluster, urls, tuple(reached))
            for left in self._leases.all():
                if left.is_about(self._vhost, cluster) and not left.is_held():
                    mine = [node for node in left.switched_on if node in reached and reached[node].tracing(self._vhost)]
                    lease = _inherited(lease, left, mine)
                    self._leases.write(lease)
                    _keep(left.without(*reached), self._leases)
            self._leases.write(lease)
            self._lease, self.is_begun = lease.name, True
            self._switch_on(lease, reached)
            ours = (one for one in self._leases.all() if one.is_about(self._vhost, cluster))
            self.since_ns = max(one.traced_ns or 0 for one in ours)

    def rearm(self) -> tuple[str, ...]:
        """Look at every node within reach again; names of those where tracing was off and is on again.

        A node that restarted has lost it. Raises BrokerError when no node is within reach or one refuses.
        """
        try:
            with self._leases.locked():
                return self._look_again()
        except BrokerError:
            self._traced = ()  # nobody knows now
            raise

    def _look_again(self) -> tuple[str, ...]:
        if not self.is_begun:  # another thread has ended it meanwhile
            return ()
        reached, _ = self._reach()
        lease = self._leases.get(self._lease)
        if lease is None:
            raise BrokerError("The tracing of this recorder was ended by somebody else: start the recorder again.")
        if set(reached) - set(lease.nodes):
            lease = replace(lease, nodes=tuple(dict.fromkeys((*lease.nodes, *reached))))
            self._leases.write(lease)
        return self._switch_on(lease, reached)

    def end(self) -> None:
        """Switch off what is ours, or leave it to another recorder that needs it.

        Raises BrokerError, with the command to run, for nodes out of reach; their lease stays for `untrace`, for
        another `end`, or for `begin`.
        """
        if not self._lease:
            return
        with self._leases.locked():
            lease = self._leases.get(self._lease)
            self.is_begun, self._traced = False, ()
            if lease is None:
                self._lease = ""
                return
            lease = _handed_over(lease, self._leases)
            done = _switch_off(lease, self._managements)
            left = lease.without(*done)
            _keep(left, self._leases)
            self._lease = left.name if left.switched_on else ""
        _complain(left)

    def _reach(self) -> tuple[dict[str, Management], str]:
        reached: dict[str, Management] = {}
        cluster, fault = "", BrokerError("No management URL is given.")
        for management in self._managements:
            try:
                overview = management.overview()
                cluster = cluster or management.cluster_id()
                reached.setdefault(overview.node, management)
            except BrokerError as error:
                fault = error
        if not reached:
            advice = _by_hand("on", self._vhost, self._running or ["NODE"])
            raise BrokerError(f"{str(fault).rstrip('.')}. {advice}")
        self._running = next(iter(reached.values())).nodes()
        return reached, cluster

    def _switch_on(self, lease: Lease, reached: dict[str, Management]) -> tuple[str, ...]:
        off = tuple(node for node, management in reached.items() if not management.tracing(self._vhost))
        if off:
            lease = lease.with_on(*off)
            self._leases.write(replace(lease, traced_ns=None))
        for node in off:
            reached[node].set_tracing(self._vhost, True)
            if not reached[node].tracing(self._vhost):
                raise BrokerError(f"Node {node} did not switch tracing on. {_by_hand('on', self._vhost, [node])}")
        if off:
            self._leases.write(replace(lease, traced_ns=time.time_ns()))
        self._traced = tuple(reached)
        return off


def leases(state_dir: Path | str) -> tuple[Lease, ...]:
    """What recorders on this machine have switched on, for those who want to end it."""
    store = Leases(state_dir)
    with store.locked():
        return store.all()


def untrace(
    managements: Sequence[Management], vhost: str, state_dir: Path | str, *, force: bool = False
) -> tuple[str, ...]:
    """End the tracing of a vhost that crashed recorders left on; names of the nodes where it was ended.

    What a recorder needs that lives passes to it; UsageError says so, unless `force`. Raises BrokerError with the
    command to run for nodes out of reach.
    """
    store, ended, left = Leases(state_dir), list[str](), list[Lease]()
    with store.locked():
        found = _meant([lease for lease in store.all() if lease.vhost == vhost], managements)
        held = [] if force else [lease for lease in found if lease.is_held()]
        for lease in (lease for lease in found if lease not in held):
            rest = _handed_over(lease, store) if held else lease
            done = _switch_off(rest, managements)
            ended += done
            left.append(rest.without(*done))
            _keep(left[-1], store)
    for lease in left:
        _complain(lease)
    if held:
        raise UsageError(f"{held[0].owner} records vhost {vhost}: end it first, or force the end of its tracing.")
    return tuple(dict.fromkeys(ended))


def _meant(found: Sequence[Lease], managements: Sequence[Management]) -> list[Lease]:
    """Those that are not of another broker; one whose API does not answer is known by its URL."""
    clusters = set[str]()
    for management in managements if found else ():
        try:
            clusters.add(management.cluster_id())
        except BrokerError as error:
            _log.info("%s", error)
    urls = {management.url for management in managements}
    return [one for one in found if not clusters or one.cluster in clusters or not urls.isdisjoint(one.urls)]


def _handed_over(lease: Lease, store: Leases) -> Lease:
    """The lease without the nodes that recorders of the same vhost need traced; they end it from now on."""
    for other in store.all():
        if other.name != lease.name and other.is_about(lease.vhost, lease.cluster) and other.is_held():
            theirs = [node for node in lease.switched_on if node in other.nodes]
            store.write(other.with_on(*theirs))
            lease = lease.without(*theirs)
    return lease


def _keep(lease: Lease, store: Leases) -> None:
    """On disk as long as there is something to switch off."""
    if lease.switched_on:
        store.write(lease)
    else:
        store.remove(lease)


def _inherited(lease: Lease, left: Lease, nodes: Sequence[str]) -> Lease:
    """The lease with these nodes of a dead one's; what that was about to do is done by now."""
    if not nodes:
        return lease
    traced_ns = time.time_ns() if left.traced_ns is None else left.traced_ns
    return replace(lease.with_on(*nodes), traced_ns=max(lease.traced_ns or 0, traced_ns))


def _switch_off(lease: Lease, managements: Iterable[Management]) -> tuple[str, ...]:
    """Nodes of the lease where tracing is off now."""
    done = []
    for management in managements if lease.switched_on else ():
        try:
            overview = management.overview()
            if overview.node not in lease.switched_on or management.cluster_id() != lease.cluster:
                continue
            if management.tracing(lease.vhost):
                management.set_tracing(lease.vhost, False)
            if not management.tracing(lease.vhost):
                done.append(overview.node)
        except BrokerError as error:
            _log.warning("%s", error)
    return tuple(done)


def _complain(lease: Lease) -> None:
    if lease.switched_on:
        raise BrokerError(f"Tracing may still be on. {_by_hand('off', lease.vhost, lease.switched_on)}")


def _by_hand(what: str, vhost: str, nodes: Sequence[str]) -> str:
    commands = (f"rabbitmqctl -n {shlex.quote(node)} trace_{what} -p {shlex.quote(vhost)}" for node in nodes)
    return f"Run on a host of the broker, as root: {'; '.join(commands)}" if nodes else ""
