"""What rpcscope counts, for Prometheus and OTLP: from the batches that `record` stores, or from a store as it grows."""
