"""oslo.messaging as nova uses it, for processes that are only measured."""

from __future__ import annotations

import warnings
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # importing it warns about eventlet, which is not in use here
    import oslo_messaging
    from oslo_config import cfg

TOPIC = "compute"
HOST = "compute-1"


def transport(url: str) -> Any:
    """A connection to the broker, with the library's defaults and nova's exchange."""
    conf = cfg.CONF  # the library registers some of its options on the global configuration only
    conf([], project="nova", default_config_files=[], default_config_dirs=[])
    oslo_messaging.set_transport_defaults("nova")
    return oslo_messaging.get_rpc_transport(conf, url=url)


def target(**more: Any) -> Any:
    """Where the server is."""
    return oslo_messaging.Target(topic=TOPIC, version="1.0", **more)
