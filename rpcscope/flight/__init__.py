"""The flight recorder's decisions: when a tap sees more, when less, when nothing. Pure: time is an argument.

    batches -> Signs -> reasons \\
    what people ask, duty cycle  > Pilot -> Wish (mode, why)
    what the broker bears       /
"""

from rpcscope.flight.pilot import Pilot, Wish
from rpcscope.flight.plan import Duty, FlightPlan, Limits
from rpcscope.flight.reasons import Reason
from rpcscope.flight.signs import Signs

__all__ = ["Duty", "FlightPlan", "Limits", "Pilot", "Reason", "Signs", "Wish"]
