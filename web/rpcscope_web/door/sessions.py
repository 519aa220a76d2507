"""Cookies that say until when somebody is logged in, signed so that nobody else can make one."""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256

COOKIE = "rpcscope_session"
LASTS_S = 12 * 3_600


class Sessions:
    """Signs with a key that ends with the process: a restart asks everybody to log in again."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def issue(self, now_s: float) -> str:
        """A cookie for the next hours."""
        until = f"{int(now_s) + LASTS_S}"
        return f"{until}.{self._sign(until)}"

    def holds(self, cookie: str, now_s: float) -> bool:
        """Whether it is one of ours and its time is not over."""
        until, _, signature = cookie.partition(".")
        if not (until.isascii() and until.isdigit() and len(until) < 16 and signature.isascii()):
            return False
        return hmac.compare_digest(signature, self._sign(until)) and now_s < int(until)

    def _sign(self, until: str) -> str:
        return hmac.new(self._key, until.encode(), sha256).hexdigest()


def same(given: str, secret: str) -> bool:
    """Whether two secrets are equal, in a time that tells nothing of them."""
    key = secrets.token_bytes(16)
    one, other = (hmac.new(key, text.encode("utf-8", "surrogatepass"), sha256).digest() for text in (given, secret))
    return hmac.compare_digest(one, other)
