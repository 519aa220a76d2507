"""Two recordings compared, and one held against a budget. Pure: it asks the store by way of `rpcscope.query`."""
