"""The sender of an endpoint."""

from __future__ import annotations

from rpcscope.export.traces.courier import Sender
from rpcscope.export.traces.endpoint import HTTP, Endpoint


def sender_to(endpoint: Endpoint) -> Sender:
    """By its protocol. Raises UsageError when its file of certificates can not be used."""
    if endpoint.protocol == HTTP:
        from rpcscope.export.traces.http import HttpSender

        return HttpSender(endpoint)
    from rpcscope.export.traces.grpc import GrpcSender  # a big library, slow to load

    return GrpcSender(endpoint)
