"""Methods as pamqp knows them: for all that is rare."""

from __future__ import annotations

import struct

from pamqp import frame
from pamqp.base import Frame
from pamqp.commands import INDEX_MAPPING
from pamqp.exceptions import PAMQPException

from rpcscope.amqp.garbage import Garbage
from rpcscope.errors import BrokerError

NO_FORM = (ValueError, TypeError, LookupError, OverflowError, OSError, RecursionError, AttributeError, struct.error)
"""What pamqp raises for bytes it can not read, and for values it can not write."""


def encode(method: Frame, channel: int) -> bytes:
    """The frame of a method. Raises BrokerError for names and arguments that AMQP 0-9-1 has no form for."""
    try:
        return frame.marshal(method, channel)
    except (PAMQPException, *NO_FORM) as error:
        raise BrokerError(
            f"{method.name} has a name or an argument that AMQP 0-9-1 has no form for: "
            "names have at most 255 bytes, letters, digits and -_.:@#,/+ or a space."
        ) from error


def decode(index: int, arguments: bytes) -> Frame:
    """The method of that index (class and method number in one). Raises Garbage."""
    try:
        method: Frame = INDEX_MAPPING[index]()
        method.unmarshal(arguments)
    except (PAMQPException, *NO_FORM) as error:
        raise Garbage("a method that can not be read") from error
    return method
