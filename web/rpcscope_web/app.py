"""The application: the doors around it, and the routes of the registry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from rpcscope import __version__
from rpcscope.export.metrics.follow import Follower
from rpcscope.export.metrics.meter import Choices
from rpcscope.store import Store
from rpcscope_web import assets, problems, registry, scrape
from rpcscope_web.door import login
from rpcscope_web.door.headers import SafeHeaders
from rpcscope_web.door.hosts import KnownHosts
from rpcscope_web.door.keeper import Keeper
from rpcscope_web.pulse import Pulse, look
from rpcscope_web.settings import Settings
from rpcscope_web.site import Site


def create_app(store: Store, settings: Settings | None = None) -> FastAPI:
    """A dashboard over a store, which it only reads and does not close.

    Raises:
        UsageError: the settings would let strangers in.
    """
    settings = settings or Settings()
    settings.check()
    app = FastAPI(
        title="rpcscope", version=__version__, openapi_url="/api/v1/openapi.json", docs_url=None, redoc_url=None,
        lifespan=_lifespan,
    )  # fmt: skip
    pulse = Pulse(lambda: look(store.reader()))
    follower = Follower(store.reader(), Choices(hosts=settings.metrics_hosts, oslo=settings.oslo_metrics))
    app.state.site = Site(store=store, settings=settings, assets=assets.Assets(), pulse=pulse, follower=follower)
    problems.install(app)
    for router in (assets.router, login.router, scrape.router, *registry.routers()):
        app.include_router(router, responses=problems.RESPONSES)
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=5)
    app.add_middleware(Keeper, settings=settings)
    app.add_middleware(KnownHosts, settings=settings)
    app.add_middleware(SafeHeaders)  # the outermost: what the others refuse has these headers too
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    site: Site = app.state.site
    site.pulse.close()
