"""What takes time in a fleet, as arithmetic: live migration, links that are shared, CPU steal.

Pure: time is an argument, nothing is drawn by chance.

    Guest, Policy -> Precopy: round by round ----> Fabric: max-min fair links
                  -> foresee: in closed form       at_least_s, at_most_s: bounds of a drain
"""

from rpcscope.physics.bounds import at_least_s, at_most_s, in_order_s
from rpcscope.physics.cpu import slowed, steal
from rpcscope.physics.fabric import Fabric, Finished
from rpcscope.physics.forecast import Forecast, foresee, rounds_needed
from rpcscope.physics.guest import GIB, MIB, Guest
from rpcscope.physics.policy import Policy, data_gib
from rpcscope.physics.precopy import Phase, Precopy, Round
from rpcscope.physics.sharing import Sharing, Transfer

__all__ = [
    "GIB",
    "MIB",
    "Fabric",
    "Finished",
    "Forecast",
    "Guest",
    "Phase",
    "Policy",
    "Precopy",
    "Round",
    "Sharing",
    "Transfer",
    "at_least_s",
    "at_most_s",
    "data_gib",
    "foresee",
    "in_order_s",
    "rounds_needed",
    "slowed",
    "steal",
]
