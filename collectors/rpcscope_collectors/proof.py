"""How a tap on another host proves that it knows the token, without sending it.

    listener -> {"rpcscope_tap": 1, "nonce": "..."}
    tap      -> {"proof": "<hmac-sha256 of the nonce>"}

The other half is in collectors/oslo-tap, channel.py.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets

import orjson

VERSION = 1
_PURPOSE = b"rpcscope tap "


class Challenge:
    """Of one connection."""

    def __init__(self, token: str) -> None:
        """With "" every answer is right: only listeners that no other host reaches have no token."""
        self._token = token
        self._nonce = secrets.token_hex(16)

    @property
    def greeting(self) -> bytes:
        """What the listener says first."""
        return json.dumps({"rpcscope_tap": VERSION, "nonce": self._nonce}).encode() + b"\n"

    def is_met(self, line: bytes) -> bool:
        """Whether this answer proves it. Takes the same time for every wrong one."""
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            return False
        proof = row.get("proof") if isinstance(row, dict) else None
        if not isinstance(proof, str) or not proof.isascii():
            return False
        wanted = hmac.new(self._token.encode(), _PURPOSE + self._nonce.encode(), hashlib.sha256).hexdigest()
        return not self._token or hmac.compare_digest(proof, wanted)
