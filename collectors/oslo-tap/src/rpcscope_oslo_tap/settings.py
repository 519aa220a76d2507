"""Where to send what is told: the environment, or the query of the transport URL, which wins.

RPCSCOPE_TAP              unix:/run/rpcscope/tap.sock or tcp://host:port   (?rpcscope_tap=...)
RPCSCOPE_TAP_TOKEN_FILE   a file that holds the token                      (?rpcscope_tap_token_file=...)
RPCSCOPE_TAP_TOKEN        the token itself; it is never logged
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

PREFIX = "rpcscope_tap"


class Where(NamedTuple):
    """A recorder's address. A token is read when it is needed, so that it can be changed."""

    path: str  # of a Unix datagram socket; "" for TCP
    host: str = ""
    port: int = 0
    token_file: str = ""

    def __str__(self) -> str:
        return "unix:" + self.path if self.path else f"tcp://{self.host}:{self.port}"


class BadAddress(ValueError):
    """The address is neither of the two kinds; its text is not repeated, since a URL may hold a password."""


def where(query: Mapping[str, str], environ: Mapping[str, str]) -> Where | None:
    """The recorder that is meant; None when nobody named one.

    Raises:
        BadAddress: it is of no known form.
    """
    text = query.get(PREFIX) or environ.get("RPCSCOPE_TAP", "")
    token_file = query.get(PREFIX + "_token_file") or environ.get("RPCSCOPE_TAP_TOKEN_FILE", "")
    if not text:
        return None
    if text.startswith("unix:"):
        path = text[len("unix:") :]
        path = "/" + path.lstrip("/") if path.startswith("//") else path
        if path.startswith("/"):
            return Where(path)
    elif text.startswith("tcp://"):
        try:
            split = urlsplit(text)
            if split.hostname and split.port and not split.username:
                return Where("", split.hostname, split.port, token_file)
        except ValueError:
            pass
    raise BadAddress("write unix:/path or tcp://host:port")
