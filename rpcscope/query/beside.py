"""What an operation is told beside its RPCs: notifications, and how far its migrations are."""

from __future__ import annotations

from dataclasses import dataclass

from rpcscope.model import Noted
from rpcscope.query.notices import notice_dict, notices_of
from rpcscope.query.operations import OperationView
from rpcscope.query.progress import Migration, migrations_of
from rpcscope.store.protocol import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Of one operation."""

    notices: tuple[Noted, ...] = ()
    migrations: tuple[Migration, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "notices": [notice_dict(one) for one in self.notices],
            "migrations": [one.as_dict() for one in self.migrations],
        }


def beside(reader: Reader, operation: OperationView) -> Beside:
    """What is stored of an operation, over all recordings."""
    return Beside(notices=notices_of(reader, operation.ids), migrations=migrations_of(reader, operation.ids))
