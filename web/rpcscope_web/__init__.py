"""The dashboard: pages and an API over a store that is only read. `create_app` makes the application."""

from rpcscope_web.app import create_app
from rpcscope_web.settings import Settings

__all__ = ["Settings", "create_app"]
