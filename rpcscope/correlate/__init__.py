"""Messages become calls, calls become operations. Pure: no clock, no socket, no SQL; time is an argument."""

from rpcscope.correlate.correlator import Changes, Correlator
from rpcscope.correlate.limits import Limits

__all__ = ["Changes", "Correlator", "Limits"]
