"""The dashboard (the store is read through rpcscope.query)."""
