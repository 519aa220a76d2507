"""What rpcscope knows, for what its users already run: traces, metrics, files. It asks the queries and the store."""
