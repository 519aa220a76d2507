"""Who takes part, without the names of hosts: a page that is published tells nothing about the cloud it is from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from rpcscope.query.calls import CallView, End
from rpcscope.query.trace import Trace
from rpcscope.query.tree import grow

_Who = tuple[str, str]


def without_hosts(trace: Trace) -> Trace:
    """The same with programs instead of processes: nova-compute 1, nova-compute 2 where they are on two hosts."""
    views = sorted(trace.calls, key=lambda view: (view.since_ns, view.call.id))
    names = _names(views)
    renamed = [
        replace(
            view, sender=End(process=names[_sender(view)], host=""), worker=End(process=names[_worker(view)], host="")
        )
        for view in views
    ]
    return replace(trace, roots=tuple(grow(renamed)))


def _names(views: Sequence[CallView]) -> dict[_Who, str]:
    hosts: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for view in views:
        for program, host in (_sender(view), _worker(view)):
            hosts[program].setdefault(host, len(hosts[program]) + 1)
    return {
        (program, host): f"{program} {place}" if len(places) > 1 and program else program
        for program, places in hosts.items()
        for host, place in places.items()
    }


def _sender(view: CallView) -> _Who:
    """Of whom no more is known than the queue that it is answered in: a caller."""
    program = _program(view.sender)
    return (program, view.sender.host) if program or not view.sender.process else ("caller", view.sender.process)


def _worker(view: CallView) -> _Who:
    return _program(view.worker) or view.call.topic.partition(".")[0], view.worker.host


def _program(end: End) -> str:
    program, colon, _ = end.process.partition(":")
    return program if colon and "->" not in end.process else ""
