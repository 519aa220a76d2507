"""What types can not say about a fleet file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from rpcscope.fleet.convergence import never_ends
from rpcscope.fleet.model import Flavor, FleetFile, Hosts
from rpcscope.fleet.names import host_names, wrong_name

MOST_HOSTS = 1_000_000
MOST_SERVERS = 5_000_000
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
_METHOD = re.compile(r"\*|[A-Za-z_][A-Za-z0-9_.]{0,127}(\([A-Za-z0-9_.]{1,255}\))?", re.ASCII)


class Wrong(Exception):
    """A fleet that can not be: where in the file, and what is wrong there, in a few words."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(where, what)
        self.where, self.what = where, what


def check(file: FleetFile) -> None:
    """Raises Wrong for the first thing that is wrong."""
    for examine in (_words, _amounts, _names, _flavors, _hosts, _migrations):
        for where, what in examine(file):
            raise Wrong(where, what)


def _words(file: FleetFile) -> Iterator[tuple[str, str]]:
    words = [("name", file.name), *((f"flavors.{name}", name) for name in file.flavors)]
    words += [(f"flavors.{name}.role", flavor.role) for name, flavor in file.flavors.items() if flavor.role]
    for n, group in enumerate(file.hosts):
        words += [(f"hosts[{n}].zone", group.zone), (f"hosts[{n}].rack", group.rack or "none")]
    for where, word in words:
        if not _WORD.fullmatch(word):
            yield where, "a name has letters, digits, dots, hyphens and underscores, at most 63 characters"
    for method in file.control.service_times:
        if not _METHOD.fullmatch(method):
            yield (
                f"control.service_times.{method}",
                "that is no method; write it as `rpcscope calls` does, or * for all",
            )


def _amounts(file: FleetFile) -> Iterator[tuple[str, str]]:
    hosts = sum(group.count for group in file.hosts)
    if hosts > MOST_HOSTS:
        yield "hosts", f"{hosts:,} hosts are more than the {MOST_HOSTS:,} that a fleet may have"
    servers = sum(group.count * sum(group.servers.values()) for group in file.hosts)
    if servers > MOST_SERVERS:
        yield "hosts", f"{servers:,} servers are more than the {MOST_SERVERS:,} that a fleet may have"


def _names(file: FleetFile) -> Iterator[tuple[str, str]]:
    last = 0
    for n, group in enumerate(file.hosts):
        last += group.count
        if (what := wrong_name(group, last)) is not None:
            yield f"hosts[{n}].name", what
    counted = Counter(name for name, _ in host_names(file.hosts))
    if len(counted) < last:
        name, times = counted.most_common(1)[0]
        yield "hosts", f"{times} hosts are called {name}; give each group of hosts another name"


def _flavors(file: FleetFile) -> Iterator[tuple[str, str]]:
    for name, one in file.flavors.items():
        if one.working_set_gib is not None and one.working_set_gib > one.memory_gib:
            yield f"flavors.{name}.working_set_gib", f"it is more than the memory, {one.memory_gib:g} GiB"
        if one.disk_write_mb_s and not one.disk_gb:
            yield f"flavors.{name}.disk_write_mb_s", "it is of a local disk, and disk_gb is 0"


def _hosts(file: FleetFile) -> Iterator[tuple[str, str]]:
    for n, group in enumerate(file.hosts):
        for flavor, count in group.servers.items():
            where = f"hosts[{n}].servers.{flavor}"
            if flavor not in file.flavors:
                yield where, f"there is no such flavor; flavors has {', '.join(file.flavors) or 'none'}"
            elif (what := _misplaced(file.flavors[flavor], count, group)) is not None:
                yield where, what
        yield from _crowded(file, group, f"hosts[{n}].servers")


def _misplaced(flavor: Flavor, count: int, group: Hosts) -> str | None:
    if flavor.role and count > 1:
        return f"{count} of the role {flavor.role} are on one host, and servers of one role are kept apart"
    if count and flavor.disk_gb and group.diskless:
        return "it has a local disk, and the hosts are diskless"
    return None


def _crowded(file: FleetFile, group: Hosts, where: str) -> Iterator[tuple[str, str]]:
    roles = Counter(file.flavors[name].role for name, count in group.servers.items() if count)
    del roles[""]
    for role, count in roles.items():
        if count > 1:
            yield where, f"{count} flavors of the role {role} are on one host, and servers of one role are kept apart"
    used = sum(count * file.flavors[name].memory_gib for name, count in group.servers.items())
    if used > group.memory_gib:
        share = used / group.memory_gib
        yield where, f"they need {used:g} GiB of memory, {share:.2f} times the {group.memory_gib:g} GiB that a host has"


def _migrations(file: FleetFile) -> Iterator[tuple[str, str]]:
    for one in never_ends(file):
        what = f"0 means that nothing ends the migration of a {one.flavor}, which {one.why}"
        yield "migration.completion_timeout_s", what
