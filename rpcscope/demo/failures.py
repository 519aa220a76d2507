"""Exceptions by the names that a recording has, so that a play's replies carry the same class.

oslo.messaging makes an exception of a reply again by looking its class up in its module: here.
"""

from __future__ import annotations

from functools import cache

_UNNAMED = "RecordedFailure"


@cache
def failure(name: str) -> type[Exception]:
    """The exception class of that name; names that are none in Python share one class."""
    return type(name if name.isidentifier() else _UNNAMED, (Exception,), {"__module__": __name__})


def __getattr__(name: str) -> type[Exception]:
    if name.startswith("__"):
        raise AttributeError(name)
    return failure(name)
