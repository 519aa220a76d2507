"""What people and timers do with a fleet: boot storms, drains, rolling updates, evacuations, rebalancing.

Flows are coroutines that know no clock and no broker: a `World` gives them both.
"""
