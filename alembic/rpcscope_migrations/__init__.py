"""Alembic migrations of the rpcscope store."""
