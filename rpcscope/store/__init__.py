"""The store: what was recorded, as rows in SQLite, PostgreSQL or MariaDB.

`open_store` gives a `Store`; its `writer()` takes batches, its `reader()` answers. `protocol` says in words what
both promise.
"""

from rpcscope.store.failures import TransientStoreError
from rpcscope.store.protocol import (
    HEALTH_EVERY_S,
    GapTotal,
    MethodTotal,
    OperationFilter,
    Reader,
    RecorderHealth,
    RecordingInfo,
    StoreStatus,
    Trigger,
    Writer,
)
from rpcscope.store.store import Store, open_store

__all__ = [
    "HEALTH_EVERY_S",
    "GapTotal",
    "MethodTotal",
    "OperationFilter",
    "Reader",
    "RecorderHealth",
    "RecordingInfo",
    "Store",
    "StoreStatus",
    "TransientStoreError",
    "Trigger",
    "Writer",
    "open_store",
]
