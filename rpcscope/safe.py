"""What may leave a message: strings of a known shape. All else becomes a short digest.

The wire is hostile and full of secrets. Each function takes any object and gives a string that is
safe to store, log and show: of a fixed alphabet, bounded in length, without control or bidi
characters. A value of another shape becomes `~` and eight hex digits of its hash, so that joins by
it still work and its text is gone. What is safe stays as it is when it is made safe again.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b

MAX_NAME = 255

_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
_REQUEST_ID = re.compile(r"(?:req-)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}")
_is_hex32 = re.compile(r"[0-9a-f]{32}").fullmatch
# Topics, hosts and queues are lower case in practice; neutron's object topics are the exception.
_NAME = re.compile(r"(?:neutron-vo-[A-Za-z]{1,40}-[0-9.]{1,12}|[a-z0-9])[a-z0-9._:@#-]{0,254}")
_METHOD = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,127}")
_TOKEN = re.compile(r"[a-z_][a-z0-9_-]{0,63}")
_VERSION = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4}){0,2}")
_PEER = re.compile(r"[0-9a-f.:\[\]]{2,45}:[0-9]{1,5} -> [0-9a-f.:\[\]]{2,45}:[0-9]{1,5}")
_DIGEST = re.compile(r"~[0-9a-f]{8}")
_OBJECT_METHOD = re.compile(
    r"(?:[A-Za-z_][A-Za-z0-9_.]{0,127}|~[0-9a-f]{8})?\.(?:[A-Za-z_][A-Za-z0-9_.]{0,127}|~[0-9a-f]{8})?"
)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
NO_SPAN = "0" * 15 + "1"
"""The span id of captures that were made when it was not kept."""


def digest(value: object) -> str:
    """A stand-in for a value that may not be shown: `~` and 8 hex digits."""
    return "~" + blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()


def _shaped(pattern: re.Pattern[str], value: object) -> str:
    if type(value) is str:
        return _kept(pattern, value) if value else ""
    return ""


def _kept(pattern: re.Pattern[str], value: str) -> str:
    """The value or its digest. A digest is its own."""
    return value if pattern.fullmatch(value) or _DIGEST.fullmatch(value) else digest(value)


@lru_cache(65536)
def _cached_name(value: str) -> str:
    """Of `reply_<hex>`, `compute_fanout_<hex>` the underscore forms are names too."""
    folded = value.replace("_", "-")
    if len(value) <= MAX_NAME and (_NAME.fullmatch(folded) or _DIGEST.fullmatch(value)):
        return value
    return digest(value)


def name(value: object) -> str:
    """A topic, exchange, queue or host: lower-case letters, digits and `._:@#-`."""
    return _cached_name(value) if type(value) is str and value else ""


@lru_cache(65536)
def _cached_peer(value: str) -> str:
    return _kept(_PEER, value)


def peer(value: object) -> str:
    """The broker's name of a connection: `ip:port -> ip:port`."""
    return _cached_peer(value) if type(value) is str and value else ""


@lru_cache(16384)
def _cached_method(value: str) -> str:
    return _kept(_METHOD, value)


def method(value: object) -> str:
    """A method, class, event type or namespace: an identifier, dots allowed."""
    return _cached_method(value) if type(value) is str and value else ""


def object_method(value: object) -> str:
    """A nova object and its method, `Instance.save`; each part is what `method` gives."""
    return _shaped(_OBJECT_METHOD, value)


def token(value: object) -> str:
    """A word of a closed set, such as a status; "" when it is anything else."""
    return value if type(value) is str and _TOKEN.fullmatch(value) else ""


def fact(value: object) -> str:
    """A fact of the rules: a token, or two with a colon between; "" when it is anything else."""
    if type(value) is not str:
        return ""
    name, colon, detail = value.partition(":")
    return value if token(name) and (not colon or token(detail)) else ""


def version(value: object) -> str:
    """An RPC API version, such as 6.2."""
    return _shaped(_VERSION, value)


def uuid(value: object) -> str:
    """A uuid in its written form; "" when it is anything else."""
    return value if type(value) is str and len(value) == 36 and _UUID.fullmatch(value) else ""


def request_id(value: object) -> str:
    """`req-` and a uuid; a bare uuid or 32 hex digits are taken too."""
    return _shaped(_REQUEST_ID, value)


def project(value: object) -> str:
    """A project id: uuid or 32 hex digits; "" when it is anything else."""
    return value if type(value) is str and _UUID.fullmatch(value) else ""


def message_id(value: object) -> str:
    """32 hex digits; other ids are hashed to that shape so that they still join."""
    if type(value) is not str or not value:
        return ""
    if _is_hex32(value):
        return value
    return blake2b(value.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def trace_id(value: object) -> str:
    """The trace id of a W3C traceparent; "" when it is anything else."""
    found = _TRACEPARENT.fullmatch(value) if type(value) is str else None
    return found.group(1) if found else ""


def span_id(value: object) -> str:
    """The span id of a W3C traceparent; "" when it is anything else, or says none."""
    found = _TRACEPARENT.fullmatch(value) if type(value) is str else None
    return found.group(2) if found and found.group(2) not in (NO_SPAN, "0" * 16) else ""
