"""rpcscope: what the RPCs of an OpenStack control plane cost, recorded, stored, replayed."""

__version__ = "0.1.0"
