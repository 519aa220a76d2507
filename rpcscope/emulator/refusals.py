"""What a broker says when it will not have queues as oslo.messaging makes them by default."""

from __future__ import annotations

from rpcscope.amqp import Refused
from rpcscope.errors import BrokerError

_TRANSIENT = ("transient_nonexcl", "deprecated")


def explained(error: BrokerError) -> BrokerError:
    """The same error, or a better sentence for it.

    Source: RabbitMQ 4.3's release notes: deprecated_features.permit.transient_nonexcl_queues; read, not run.
    """
    if isinstance(error, Refused) and any(word in error.text for word in _TRANSIENT):
        return BrokerError(
            "This broker refuses transient queues, which oslo.messaging makes by default (RabbitMQ 4.3 and later): "
            "set control.profile to quorum+stream in the fleet file."
        )
    return error
