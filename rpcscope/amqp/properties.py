"""A message's property list, between its bytes and pamqp's BasicProperties."""

from __future__ import annotations

import struct

from pamqp.commands import Basic

from rpcscope.errors import BrokerError

_MORE_FLAGS = 1


def decode_properties(raw: bytes) -> Basic.Properties:
    """The properties of a delivery, headers included; costs ten times what receiving it does.

    Raises BrokerError for bytes that are no property list: other clients may send any.
    """
    found = Basic.Properties()
    try:
        flags = int.from_bytes(raw[:2], "big")
        if len(raw) < 2 or flags & _MORE_FLAGS:
            raise ValueError("flags")
        found.unmarshal(flags, raw[2:])
    except (ValueError, TypeError, IndexError, KeyError, OverflowError, OSError, RecursionError, struct.error) as error:
        raise BrokerError("A message's properties can not be read: look at the program that published it.") from error
    return found


def encode_properties(properties: Basic.Properties | bytes | None) -> bytes:
    """The property list as it is on the wire, flags first; bytes are taken as they are, None is an empty list.

    Raises BrokerError for values that AMQP has no form for.
    """
    if isinstance(properties, bytes):
        return properties
    try:
        return b"\x00\x00" if properties is None else properties.marshal()
    except (ValueError, TypeError, OverflowError, struct.error) as error:
        raise BrokerError(
            f"The properties have no form in AMQP 0-9-1 ({error.__class__.__name__}): mend them."
        ) from error
