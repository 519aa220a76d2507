"""A dashboard in the test's own process, over a store that tests fill."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from rpcscope.store import Store
from rpcscope_web import Settings, create_app

LOCAL = "http://127.0.0.1:8765"


class Web:
    """Asks the application as a browser does, keeps its cookies, follows no redirect."""

    def __init__(self, store: Store, base: str, **settings: Any) -> None:
        self.base = base
        self._runner = asyncio.Runner()
        transport = httpx.ASGITransport(create_app(store, Settings(**settings)), raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url=base)
        self.cookies = self._client.cookies

    def get(self, path: str, **how: Any) -> httpx.Response:
        return self._runner.run(self._client.get(path, **how))

    def post(self, path: str, **how: Any) -> httpx.Response:
        return self._runner.run(self._client.post(path, **how))

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()


@contextmanager
def client(store: Store, base: str = LOCAL, **settings: Any) -> Iterator[Web]:
    """A dashboard over a store, asked from this host unless another base is named."""
    found = Web(store, base, **settings)
    try:
        yield found
    finally:
        found.close()
