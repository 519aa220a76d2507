"""The demonstration: recorded call trees, played by real oslo.messaging services on a private broker."""
