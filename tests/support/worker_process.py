"""A real oslo.messaging server in a process of its own, that answers when it is told to.

    python worker_process.py URL TOPIC HOST POOL_SIZE

It says "ready" on stdout when it consumes; each line on stdin lets one call of `work` be answered, "all" any number.
"""

from __future__ import annotations

import sys
import threading
import warnings
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import oslo_messaging
    from oslo_config import cfg

ALL = 1_000_000


class Endpoint:
    target = oslo_messaging.Target(version="1.0")

    def __init__(self) -> None:
        self.may_answer = threading.Semaphore(0)

    def work(self, ctxt: dict[str, Any]) -> None:
        self.may_answer.acquire()


def main(url: str, topic: str, host: str, pool_size: str) -> None:
    conf = cfg.CONF
    conf([], project="nova", default_config_files=[], default_config_dirs=[])
    oslo_messaging.set_transport_defaults("nova")
    transport = oslo_messaging.get_rpc_transport(conf, url=url)
    endpoint = Endpoint()
    target = oslo_messaging.Target(topic=topic, server=host)
    server = oslo_messaging.get_rpc_server(transport, target, [endpoint], executor="threading")
    server.start(override_pool_size=int(pool_size))
    print("ready", flush=True)
    for line in sys.stdin:
        for _ in range(ALL if line.strip() == "all" else 1):
            endpoint.may_answer.release()
    server.stop()
    server.wait()
    transport.cleanup()


if __name__ == "__main__":
    main(*sys.argv[1:])
