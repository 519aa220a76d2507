"""A message made ready to be published many times."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from pamqp.commands import Basic

from rpcscope.amqp.properties import encode_properties
from rpcscope.errors import BrokerError

CHANNEL = 1
"""The one channel of a connection."""

_METHOD, _HEADER, _BODY = 1, 2, 3
_END = b"\xce"
_AROUND = 8  # bytes of a frame that are not its payload: type, channel, size, end
_frame_head = struct.Struct(">BHI").pack
_publish_head = struct.Struct(">HHH").pack
_content_head = struct.Struct(">HHQ").pack


class Publish:
    """The frames of one basic.publish: method, header, body. `len` is that of its body in bytes.

    Bytes of the body can be replaced by as many others: the frames stay right. `frame_max` is what the connection
    agreed on; longer bodies are split. Raises BrokerError for names over 255 bytes and values without a form in AMQP.
    """

    __slots__ = ("_body_at", "_body_size", "_content", "_frames", "_mandatory", "_room")

    def __init__(
        self,
        exchange: str | bytes,
        routing_key: str | bytes,
        properties: Basic.Properties | bytes | None,
        body: bytes,
        mandatory: bool = False,
        frame_max: int = 131072,
    ) -> None:
        self._mandatory = mandatory
        self._room = frame_max - _AROUND
        self._body_size = len(body)
        header = frame(_HEADER, _content_head(60, 0, len(body)) + encode_properties(properties))
        if self._room < 1 or len(header) > frame_max:
            raise BrokerError(
                f"The properties do not fit into a frame of {frame_max} bytes: raise the broker's frame_max."
            )
        pieces = [body[at : at + self._room] for at in range(0, len(body), self._room)]
        self._content = b"".join((header, *(frame(_BODY, piece) for piece in pieces)))
        self._place(publish_method(exchange, routing_key, mandatory), len(header))

    def __len__(self) -> int:
        return self._body_size

    def frames(self) -> bytes:
        """The frames as they are."""
        return self._frames

    def patched(self, patches: Mapping[int, bytes]) -> bytearray:
        """A copy with bytes of the body replaced: offset in the body -> the new bytes, over frame splits too.

        Raises ValueError when a patch would reach over the body's end.
        """
        found = bytearray(self._frames)
        body_at, room = self._body_at, self._room
        for offset, value in patches.items():
            stop = offset + len(value)
            if offset < 0 or stop > self._body_size:
                raise ValueError("A patch reaches beyond the body: offsets count from its first byte.")
            if stop <= room:
                found[body_at + offset : body_at + stop] = value
            else:
                self._patch_split(found, offset, value)
        return found

    def to(self, exchange: str | bytes, routing_key: str | bytes) -> Publish:
        """The same content for another exchange and routing key, such as another caller's reply queue."""
        found = object.__new__(Publish)
        found._mandatory, found._room, found._body_size = self._mandatory, self._room, self._body_size
        found._content = self._content
        header_size = self._body_at - _AROUND + 1 - (len(self._frames) - len(self._content))
        found._place(publish_method(exchange, routing_key, self._mandatory), header_size)
        return found

    def _place(self, method: bytes, header_size: int) -> None:
        self._frames = method + self._content
        self._body_at = len(method) + header_size + _AROUND - 1

    def _patch_split(self, found: bytearray, offset: int, value: bytes) -> None:
        done = 0
        while done < len(value):
            before, inside = divmod(offset + done, self._room)
            part = value[done : done + self._room - inside]
            at = self._body_at + offset + done + before * _AROUND
            found[at : at + len(part)] = part
            done += len(part)


def frame(kind: int, payload: bytes) -> bytes:
    """A frame of the one channel."""
    return _frame_head(kind, CHANNEL, len(payload)) + payload + _END


def publish_method(exchange: str | bytes, routing_key: str | bytes, mandatory: bool) -> bytes:
    """The method frame of basic.publish."""
    names = short_string(exchange) + short_string(routing_key)
    return frame(_METHOD, _publish_head(60, 40, 0) + names + bytes((mandatory,)))


def short_string(text: str | bytes) -> bytes:
    """AMQP's short string: its length in one byte, then UTF-8. Raises BrokerError when it is too long."""
    encoded = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    if len(encoded) > 255:
        raise BrokerError("A name has more than the 255 bytes that AMQP 0-9-1 allows: choose a shorter one.")
    return bytes((len(encoded),)) + encoded
