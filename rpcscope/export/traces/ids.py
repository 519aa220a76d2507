"""Ids of traces and spans: made from what is exported, so that the same operation sent twice is the same trace."""

from __future__ import annotations

from hashlib import blake2b

_TRACE, _SPAN = 16, 8
"""Bytes. Source: the W3C's trace context."""
ROOT = "operation"
"""The role of the span that stands for the operation itself."""


def trace_id(request_id: str) -> bytes:
    """The trace of an operation."""
    return blake2b(request_id.encode(), digest_size=_TRACE, person=b"rpcscope.trace").digest()


def span_id(role: str, unique_id: str) -> bytes:
    """The span of one side of a message, or of an operation by its request id.

    Args:
        role: ROOT, or the kind of span, with a number where a message has several of it.
    """
    return blake2b(f"{role} {unique_id}".encode(), digest_size=_SPAN, person=b"rpcscope.span").digest()


def root_id(request_id: str) -> bytes:
    """The span that stands for an operation."""
    return span_id(ROOT, request_id)
