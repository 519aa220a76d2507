"""Bytes become Messages. Pure: no clock, no socket, no SQL, and no wire text in a log."""

from rpcscope.decode.message import Decoder

__all__ = ["Decoder"]
