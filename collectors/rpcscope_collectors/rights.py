"""What accounts may do, as far as the management API tells; nothing is changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from rpcscope.errors import BrokerError
from rpcscope_collectors.bindings import PREFIX
from rpcscope_collectors.management import Management
from rpcscope_collectors.tap_queue import FIREHOSE

_ADMINISTRATOR = "administrator"
_DEFAULT_EXCHANGE = "amq.default"


class Rights(Management):
    """The management API, asked for accounts. Each method raises BrokerError when it gets no answer."""

    @property
    def user(self) -> str:
        """Who asks."""
        return self._username

    def may_trace(self) -> bool:
        """Whether who asks may switch tracing."""
        return _ADMINISTRATOR in self._tags()

    def tap_lacks(self, vhost: str, user: str, name: str, exchanges: tuple[str, ...] = ()) -> list[str] | None:
        """What the tap's account lacks for its queue and for reading `exchanges`, else the firehose.

        None when it is not known: only administrators are told of others' rights.
        """
        try:
            rights = self._get(f"permissions/{quote(vhost, safe='')}/{quote(user, safe='')}")
        except BrokerError:
            return None
        queue = PREFIX + name
        wanted = [("configure", queue), ("write", queue), ("read", queue), ("write", _DEFAULT_EXCHANGE)]
        wanted += [("read", exchange) for exchange in exchanges or (FIREHOSE,)]
        return [f"{right} on {thing}" for right, thing in wanted if not _matches(rights, right, thing)]

    def _tags(self) -> set[str]:
        tags = self._get("whoami").get("tags", ())
        return set(tags.split(",") if isinstance(tags, str) else map(str, tags))


def _matches(rights: Mapping[str, Any], right: str, thing: str) -> bool:
    """The broker looks for the pattern anywhere in the name; one that only Erlang reads is taken for fitting."""
    pattern = rights.get(right)
    if not isinstance(pattern, str) or not pattern:
        return False
    try:
        return re.search(pattern, thing) is not None
    except re.error:
        return True
