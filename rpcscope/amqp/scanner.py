"""Frames out of a stream of bytes, by hand: it is what is done for every message."""

from __future__ import annotations

import struct
from typing import Protocol

from rpcscope.amqp.garbage import Garbage

_METHOD, _HEADER, _BODY, _HEARTBEAT = 1, 2, 3, 8
_END = 0xCE
_HEAD = 7  # bytes of type, channel, size
_AROUND = 8  # with the end
_DELIVER, _ACK, _NACK, _RETURN = b"\x00\x3c\x00\x3c", b"\x00\x3c\x00\x50", b"\x00\x3c\x00\x78", b"\x00\x3c\x00\x32"
_LONGEST_BODY = 1 << 29  # RabbitMQ allows no longer one
_head_at = struct.Struct(">BHI").unpack_from
_number_at = struct.Struct(">Q").unpack_from
_delivery_at = struct.Struct(">QBB").unpack_from
_content_at = struct.Struct(">HHQ").unpack_from

Delivery = tuple[bytes, int, bool, bytes, bytes]
"""Consumer tag, delivery tag, redelivered, exchange, routing key."""
Returned = tuple[int, bytes]
"""Reply code, routing key."""


class Sink(Protocol):
    """Who is told what was found. It must not raise: but for BrokerError, which ends the scan."""

    def delivered(self, delivery: Delivery, properties: bytes, body: bytes) -> None:
        """A whole basic.deliver."""

    def returned(self, returned: Returned, body: bytes) -> None:
        """A whole basic.return."""

    def confirmed(self, tag: int, multiple: bool, ack: bool) -> None:
        """basic.ack or basic.nack."""

    def method(self, channel: int, index: int, arguments: bytes) -> None:
        """Any other method; `index` is class and method number in one."""


class Scanner:
    """What one stream has begun and not ended: part of a frame, part of a content."""

    __slots__ = ("_about", "_missing", "_need", "_parts", "_properties", "_rest", "frame_max")

    def __init__(self, frame_max: int) -> None:
        self.frame_max = frame_max
        """The longest frame that may come, in bytes; changes when it is agreed on."""
        self._rest: bytearray | None = None  # a frame without its end
        self._need = 0  # bytes that this frame has in all, as far as known
        self._about: Delivery | Returned | None = None  # a content's method, from then on until its last body frame
        self._properties: bytes | None = None
        self._missing = 0  # bytes of the body that did not come yet
        self._parts: list[bytes] | None = None

    def feed(self, data: bytes, sink: Sink) -> None:
        """Tell `sink` all that these bytes complete. Raises Garbage; then the stream can not be read on."""
        if self._rest is not None:
            self._rest += data
            if len(self._rest) < self._need:
                return
            data, self._rest = bytes(self._rest), None
        at, end = 0, len(data)
        while end - at >= _HEAD:
            kind, channel, size = _head_at(data, at)
            stop = at + _HEAD + size
            if size > self.frame_max - _AROUND:
                raise Garbage("a frame longer than agreed")
            if stop >= end:
                self._keep(data, at, stop + 1 - at)
                return
            if data[stop] != _END:
                raise Garbage("a frame without its end")
            if kind == _METHOD:
                self._method(data, at + _HEAD, stop, channel, sink)
            elif kind == _BODY:
                self._body(data, at + _HEAD, stop, channel, sink)
            elif kind == _HEADER:
                self._header(data, at + _HEAD, stop, channel, sink)
            elif kind != _HEARTBEAT or channel or size:
                raise Garbage("a frame of an unknown kind")
            at = stop + 1
        if at < end:
            self._keep(data, at, _HEAD)

    def _keep(self, data: bytes, at: int, need: int) -> None:
        self._rest, self._need = bytearray(data[at:]), need

    def _method(self, data: bytes, at: int, stop: int, channel: int, sink: Sink) -> None:
        index = data[at : at + 4]
        if channel == 0 or index not in (_DELIVER, _ACK, _NACK, _RETURN):
            if self._about is not None and channel:
                raise Garbage("a method inside a content")
            if stop - at < 4:
                raise Garbage("a method without its number")
            sink.method(channel, int.from_bytes(index, "big"), data[at + 4 : stop])
        elif channel != 1 or self._about is not None:
            raise Garbage("a method out of place")
        elif index == _DELIVER:
            self._about = _delivery(data, at + 4, stop)
        elif index == _RETURN:
            self._about = _return(data, at + 4, stop)
        elif stop - at != 13:
            raise Garbage("a confirm of a wrong length")
        else:
            flags = data[at + 12]
            sink.confirmed(_number_at(data, at + 4)[0], flags & 1 == 1, index == _ACK)

    def _header(self, data: bytes, at: int, stop: int, channel: int, sink: Sink) -> None:
        if channel != 1 or self._about is None or self._properties is not None or stop - at < 14:
            raise Garbage("a content header out of place")
        number, _, size = _content_at(data, at)
        if number != 60 or size > _LONGEST_BODY:
            raise Garbage("a content of an unknown kind or a size out of bounds")
        self._properties = data[at + 12 : stop]
        self._missing = size
        if not size:
            self._complete(b"", sink)

    def _body(self, data: bytes, at: int, stop: int, channel: int, sink: Sink) -> None:
        missing = self._missing - (stop - at)
        if channel != 1 or self._properties is None or missing < 0:
            raise Garbage("a body frame out of place")
        part = data[at:stop]
        if not missing and self._parts is None:
            self._complete(part, sink)
            return
        if self._parts is None:
            self._parts = []
        self._parts.append(part)
        self._missing = missing
        if not missing:
            self._complete(b"".join(self._parts), sink)

    def _complete(self, body: bytes, sink: Sink) -> None:
        about, properties = self._about, self._properties
        self._about = self._properties = self._parts = None
        if about is not None and properties is not None:
            if len(about) == 5:
                sink.delivered(about, properties, body)
            else:
                sink.returned(about, body)


def _delivery(data: bytes, at: int, stop: int) -> Delivery:
    try:
        tag_end = at + 1 + data[at]
        number, flags, exchange_size = _delivery_at(data, tag_end)
        exchange_at = tag_end + 10
        exchange_end = exchange_at + exchange_size
        key_end = exchange_end + 1 + data[exchange_end]
    except (IndexError, struct.error):
        raise Garbage("a delivery that can not be read") from None
    if key_end != stop:
        raise Garbage("a delivery of a wrong length")
    names = data[exchange_at:exchange_end], data[exchange_end + 1 : key_end]
    return data[at + 1 : tag_end], number, flags & 1 == 1, *names


def _return(data: bytes, at: int, stop: int) -> Returned:
    try:
        text_end = at + 3 + data[at + 2]
        exchange_end = text_end + 1 + data[text_end]
        key_end = exchange_end + 1 + data[exchange_end]
    except IndexError:
        raise Garbage("a return that can not be read") from None
    if key_end != stop:
        raise Garbage("a return of a wrong length")
    return int.from_bytes(data[at : at + 2], "big"), data[exchange_end + 1 : key_end]
