"""Who switched tracing on: small files in a state folder, which outlive a recorder that was killed."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rpcscope.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """One recorder's word on the tracing of one vhost. No user, no password."""

    owner_host: str
    owner_pid: int
    owner_start: str  # boot and start of the process: a pid alone is used again
    vhost: str
    cluster: str
    urls: tuple[str, ...]  # of the management APIs
    nodes: tuple[str, ...]  # which it needs traced
    switched_on: tuple[str, ...]  # which it, or one it took over from, switched on
    name: str  # of the file

    @property
    def owner(self) -> str:
        """For people: pid and host."""
        return f"process {self.owner_pid} on {self.owner_host}"

    def is_held(self) -> bool:
        """Its owner lives. An owner on another host is taken for alive: from here nobody knows."""
        return self.owner_host != socket.gethostname() or _started(self.owner_pid) == self.owner_start

    def is_about(self, vhost: str, cluster: str) -> bool:
        """It speaks of this vhost of this broker."""
        return (self.vhost, self.cluster) == (vhost, cluster)

    def with_on(self, *nodes: str) -> Lease:
        """The same with these nodes as switched on."""
        return replace(self, switched_on=tuple(dict.fromkeys((*self.switched_on, *nodes))))

    def without(self, *nodes: str) -> Lease:
        """The same without these nodes as switched on."""
        return replace(self, switched_on=tuple(node for node in self.switched_on if node not in nodes))


def new_lease(vhost: str, cluster: str, urls: tuple[str, ...], nodes: tuple[str, ...]) -> Lease:
    """A lease of this process that has switched nothing on yet."""
    return Lease(
        owner_host=socket.gethostname(),
        owner_pid=os.getpid(),
        owner_start=_started(os.getpid()),
        vhost=vhost,
        cluster=cluster,
        urls=urls,
        nodes=nodes,
        switched_on=(),
        name=f"tracing-{os.getpid()}-{secrets.token_hex(4)}.json",
    )


class Leases:
    """The leases in one state folder. Use it inside `locked`."""

    def __init__(self, state_dir: Path | str) -> None:
        """The folder is made when it is first needed."""
        self._folder = Path(state_dir)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else changes leases meanwhile. Raises UsageError when the folder can not be used."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._folder / "tracing.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UsageError(
                f"The state folder {self._folder} can not be used ({error.strerror}): give another."
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def all(self) -> tuple[Lease, ...]:
        """Every lease, the oldest name first."""
        found = (self._read(path) for path in sorted(self._folder.glob("tracing-*.json")))
        return tuple(lease for lease in found if lease is not None)

    def get(self, name: str) -> Lease | None:
        """The lease as it is on disk now."""
        return self._read(self._folder / name)

    def write(self, lease: Lease) -> None:
        """Put it on disk; it is there as a whole or not at all, also after a crash of the machine."""
        path = self._folder / lease.name
        fresh = path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(lease), file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    def remove(self, lease: Lease) -> None:
        """Forget it."""
        (self._folder / lease.name).unlink(missing_ok=True)

    def _read(self, path: Path) -> Lease | None:
        try:
            content = json.loads(path.read_text())
            lists = {key: tuple(map(str, content[key])) for key in ("urls", "nodes", "switched_on")}
            return Lease(**{**content, **lists, "name": path.name})
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise UsageError(f"{path} is not a lease of rpcscope: look who wrote it, and move it away.") from error


def _started(pid: int) -> str:
    """Boot and start time of a process; "" when there is none. Source: proc(5), field 22 of stat."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if fields[0] in "ZX":
            return ""
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}:{fields[19]}"
    except OSError:
        return ""
