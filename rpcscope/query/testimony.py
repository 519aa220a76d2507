"""What processes told of calls, one account for each side."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from rpcscope.model import Account, Call, Outcome, Process, Side
from rpcscope.store.protocol import Reader

_WHO = frozenset({"call_id", "side", "process", "source", "host", "at_ns"})
_FILLED = tuple(field.name for field in fields(Account) if field.name not in _WHO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Of one call. Sources are put together: what the driver tells goes before what spans tell."""

    client: Account | None = None
    servers: tuple[Account, ...] = ()  # of a fanout several, who had it first before others
    accounts: tuple[Account, ...] = ()  # as they are stored

    @property
    def server(self) -> Account | None:
        """Who worked on it: of several the first."""
        return self.servers[0] if self.servers else None


NOTHING = Told()


def told_of(accounts: Iterable[Account]) -> Told:
    """What some accounts of one call tell."""
    known = tuple(accounts)
    servers: dict[int, list[Account]] = {}
    for one in known:
        if one.side is Side.SERVER:
            servers.setdefault(one.process, []).append(one)
    clients = [one for one in known if one.side is Side.CLIENT]
    return Told(
        client=_together(clients) if clients else None,
        servers=tuple(sorted(map(_together, servers.values()), key=_took_ns)),
        accounts=known,
    )


class Testimonies:
    """Reads what was told of calls."""

    def __init__(self, reader: Reader, processes: Mapping[int, Process]) -> None:
        self._reader = reader
        self.are_there = bool(reader.newest_accounts(1))
        # Who tells of itself may be found on the bus later: both numbers are then of one key.
        ids: dict[str, int] = {}
        self._one = {number: ids.setdefault(process.key, number) for number, process in sorted(processes.items())}

    def of(self, parts: Collection[Call]) -> dict[str, Told]:
        """By unique id. `parts`: calls as they are stored, before they are added up."""
        if not self.are_there:
            return {}
        unique_ids = {part.id: part.unique_id for part in parts}
        found: dict[str, list[Account]] = {}
        for number, accounts in self._reader.accounts(unique_ids.keys()).items():
            found.setdefault(unique_ids[number], []).extend(accounts)
        return {unique_id: told_of(self._latest(accounts)) for unique_id, accounts in found.items()}

    def _latest(self, accounts: Iterable[Account]) -> list[Account]:
        """One account of each process, side and source."""
        known: dict[tuple[Side, int, str], Account] = {}
        for one in sorted(accounts, key=lambda one: one.at_ns):
            process = self._one.get(one.process, one.process)
            known[one.side, process, one.source] = replace(one, process=process)
        return sorted(known.values(), key=lambda one: (one.side, one.process, one.source))


def _together(accounts: list[Account]) -> Account:
    """One account of all that one side told, by the order of their sources."""
    first, *others = sorted(accounts, key=lambda one: one.source)
    for other in others:
        known: dict[str, Any] = {name: _known(getattr(first, name), getattr(other, name)) for name in _FILLED}
        first = replace(first, **known)
    return first


def _known(one: object, other: object) -> object:
    return other if one in (None, "", 0) or one is Outcome.NONE else one


def _took_ns(server: Account) -> int:
    return server.received_ns or server.started_ns or server.at_ns
