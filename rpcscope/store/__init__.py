"""The store: what was recorded, as rows in SQLite, PostgreSQL or MariaDB.

`open_store` gives a `Store`; its `writer()` takes batches, its `reader()` answers. `protocol` says in words what
both promise.
"""

from rpcscope.store.failures import TransientStoreError
from rpcscope.store.protocol import MethodTotal, OperationFilter, Reader, RecordingInfo, StoreStatus, Writer
from rpcscope.store.store import Store, open_store

__all__ = [
    "MethodTotal",
    "OperationFilter",
    "Reader",
    "RecordingInfo",
    "Store",
    "StoreStatus",
    "TransientStoreError",
    "Writer",
    "open_store",
]
