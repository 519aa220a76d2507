"""The little of RabbitMQ's management API that vhosts of our own need: look, make, grant, delete."""

from __future__ import annotations

import base64
import http.client
import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from rpcscope.errors import BrokerError, UsageError

# No proxy: the broker is inside, and the request carries a password.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_TIMEOUT_S = 30.0
_DELETE_S = 600.0  # a vhost with thousands of queues and connections
_PAUSE_S = 0.5


class _Unreached(BrokerError):
    """No answer came."""


@dataclass(frozen=True, slots=True)
class Vhost:
    """A vhost as the API shows it; both are "" where its maker said nothing."""

    name: str
    description: str
    tags: tuple[str, ...]


class Management:
    """The management API of a broker, asked with an administrator's account."""

    def __init__(self, url: str, username: str, password: str) -> None:
        """Nothing is asked yet. An account in `url` wins over the arguments. Raises UsageError for a bad URL."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or parts.scheme not in ("http", "https"):
            raise UsageError("The management URL can not be read; it has to look like http://<host>:15672.")
        name = f"[{host}]" if ":" in host else host
        self.url = urlunsplit((parts.scheme, f"{name}:{port}" if port else name, parts.path.rstrip("/"), "", ""))
        self.username = unquote(parts.username) if parts.username else username
        secret = unquote(parts.password or "") if parts.username else password
        login = base64.b64encode(f"{self.username}:{secret}".encode()).decode()
        self._headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}

    def __repr__(self) -> str:
        """The URL alone."""
        return f"Management({self.url!r})"

    def vhosts(self) -> list[Vhost]:
        """All that the account sees."""
        answer = self._ask("GET", "vhosts?columns=name,description,tags,metadata")
        return [_vhost(each) for each in answer if isinstance(each, dict)] if isinstance(answer, list) else []

    def vhost(self, name: str) -> Vhost | None:
        """One of them; None when there is none of that name."""
        answer = self._ask("GET", f"vhosts/{_quoted(name)}", missing=True)
        return _vhost(answer) if isinstance(answer, dict) else None

    def make(self, vhost: Vhost) -> None:
        """Make a vhost; one of that name is changed, so look first."""
        told = {"description": vhost.description, "tags": ",".join(vhost.tags)}
        self._ask("PUT", f"vhosts/{_quoted(vhost.name)}", told)

    def grant(self, vhost: str, user: str) -> None:
        """Give a user every right on a vhost."""
        rights = {"configure": ".*", "write": ".*", "read": ".*"}
        self._ask("PUT", f"permissions/{_quoted(vhost)}/{_quoted(user)}", rights)

    def delete(self, vhost: str) -> None:
        """Delete a vhost with all that is in it; nothing when it is gone already.

        The API drops a request after a minute (management.tcp.idle_timeout), done or not, and thousands of queues take
        longer: it is asked again until the vhost is gone.
        """
        until = time.monotonic() + _DELETE_S
        while True:
            try:
                self._ask("DELETE", f"vhosts/{_quoted(vhost)}", missing=True, timeout_s=_DELETE_S)
            except _Unreached:
                if self.vhost(vhost) is None:
                    return
                if time.monotonic() > until:
                    raise
                time.sleep(_PAUSE_S)
            else:
                return

    def _ask(
        self, verb: str, path: str, told: object = None, *, missing: bool = False, timeout_s: float = _TIMEOUT_S
    ) -> object:
        data = None if told is None else json.dumps(told).encode()
        request = urllib.request.Request(f"{self.url}/api/{path}", data, self._headers, method=verb)  # noqa: S310
        try:
            with _direct.open(request, timeout=timeout_s) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 404 and missing:
                    return None
            raise self._refused(error.code) from None
        except (OSError, http.client.HTTPException):
            raise _Unreached(
                f"The management API at {self.url} can not be reached: "
                "check the URL, and that the plugin rabbitmq_management is enabled."
            ) from None
        except ValueError:
            raise BrokerError(
                f"What answers at {self.url} is not RabbitMQ's management API: give its URL, mostly http://<host>:15672."
            ) from None

    def _refused(self, code: int) -> BrokerError:
        if code in (401, 403):
            return BrokerError(
                f"The management API at {self.url} does not let user {self.username} make a vhost: "
                "give an account with the tag administrator (rabbitmqctl set_user_tags)."
            )
        return BrokerError(f"The management API at {self.url} answers with status {code}: read the broker's log.")


def _vhost(told: dict[str, Any]) -> Vhost:
    metadata = cast("dict[str, Any]", told["metadata"] if isinstance(told.get("metadata"), dict) else {})
    description, tags = (told.get(key, metadata.get(key)) for key in ("description", "tags"))
    if isinstance(tags, str):
        tags = tags.split(",")
    return Vhost(
        name=str(told.get("name", "")),
        description=description if isinstance(description, str) else "",
        tags=tuple(str(tag) for tag in tags) if isinstance(tags, list) else (),
    )


def _quoted(name: str) -> str:
    return quote(name, safe="")
