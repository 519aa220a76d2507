"""Runs the migrations on the connection that `rpcscope.store.migrate` hands over, in its transaction."""

from alembic import context

from rpcscope.errors import StoreError
from rpcscope.store.schema import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise StoreError("the migrations have no database: run `rpcscope db upgrade`")
context.configure(connection=connection, target_metadata=metadata)
context.run_migrations()
