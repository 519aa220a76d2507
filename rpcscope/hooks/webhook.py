"""Tells a user's web server of events, without making anybody wait."""

from __future__ import annotations

import base64
import json
import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import Self
from urllib.parse import unquote, urlsplit, urlunsplit

from rpcscope.errors import UsageError

_WAITING = 1_000
_ANSWER_S = 5.0


class Webhook:
    """POSTs each event as JSON from a thread of its own, in order; a context manager.

    What can not be delivered after some tries is counted in `lost`, never raised. Its `str` has no URL in it.
    """

    def __init__(self, url: str, *, pauses_s: Sequence[float] = (1.0, 4.0, 16.0)) -> None:
        """`pauses_s` lie between the tries. Raises UsageError, which never repeats the URL."""
        self._url, self._headers = _address(url)
        self._pauses_s = pauses_s
        self._events: queue.Queue[bytes | None] = queue.Queue(_WAITING)
        self._ending = threading.Event()
        # No proxies: the URL is used as it was given. No redirects: they would carry the account elsewhere.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
        self._thread = threading.Thread(target=self._work, name="webhook", daemon=True)
        self.sent = self.lost = 0
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def tell(self, event: Mapping[str, object]) -> None:
        """Send it some time soon; it is lost when very many wait already."""
        try:
            self._events.put_nowait(json.dumps(event).encode())
        except queue.Full:
            self.lost += 1

    def close(self, patience_s: float = 10.0) -> None:
        """Send what still waits, without pauses, for at most so long."""
        self._ending.set()
        try:
            self._events.put(None, timeout=patience_s)
        except queue.Full:
            return
        self._thread.join(patience_s)

    def _work(self) -> None:
        while (body := self._events.get()) is not None:
            if self._deliver(body):
                self.sent += 1
            else:
                self.lost += 1

    def _deliver(self, body: bytes) -> bool:
        for pause_s in (*self._pauses_s, None):
            if self._post(body):
                return True
            if pause_s is not None:
                self._ending.wait(pause_s)
        return False

    def _post(self, body: bytes) -> bool:
        request = urllib.request.Request(self._url, body, self._headers, method="POST")  # noqa: S310 - checked
        try:
            with self._opener.open(request, timeout=_ANSWER_S) as answer:
                return bool(200 <= answer.status < 300)
        except urllib.error.HTTPError as error:
            error.close()
            return False
        except (OSError, HTTPException):
            return False


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object, **kwargs: object) -> None:
        """Follow none."""


def _address(url: str) -> tuple[str, dict[str, str]]:
    """The URL without the account that was in it, and headers that carry the account."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError("The webhook's URL can not be read; it has to look like https://<host>/<path>.")
    headers = {"Content-Type": "application/json"}
    if parts.username is not None:
        account = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(account.encode()).decode()
    plain = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path or "/", parts.query, ""))
    return plain, headers
