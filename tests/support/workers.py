"""Real workers of one topic, each a process of its own, and who calls them all at once."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # importing it warns about eventlet, which is not in use here
    import oslo_messaging
    from oslo_config import cfg

from tests.support.rabbitmq import Cloud

PROGRAM = Path(__file__).with_name("worker_process.py")
TIMEOUT_S = 120


@dataclass(frozen=True)
class Worker:
    """A server with a pool of threads that hold each call until they are told to answer."""

    process: subprocess.Popen[str]

    @property
    def name(self) -> str:
        """As rpcscope calls it."""
        return f"{PROGRAM.name}:{self.process.pid}"

    def answer(self, calls: int | str) -> None:
        """Let so many calls be answered, or "all" that are and will come."""
        assert self.process.stdin is not None
        self.process.stdin.write("all\n" if calls == "all" else "\n" * int(calls))
        self.process.stdin.flush()


@contextmanager
def worker(cloud: Cloud, topic: str, host: str, *, pool_size: int, driver: str = "") -> Iterator[Worker]:
    """A worker that consumes; it answers what it has left at the end. `driver`: what comes before its URL."""
    url = driver + cloud.server.transport_url(cloud.vhost)
    process = subprocess.Popen(  # -P: modules beside the program would hide those of the library
        [sys.executable, "-P", "-W", "ignore", PROGRAM, url, topic, host, str(pool_size)], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Worker(process)
    finally:
        process.kill()
        process.communicate()


@contextmanager
def calling(cloud: Cloud, topic: str, calls: int, *, driver: str = "", first: int = 0) -> Iterator[list[Future[Any]]]:
    """So many calls of `work` under way at once. `first`: number of the first one's request id."""
    conf = cfg.CONF  # the library registers some of its options on the global configuration only
    conf([], project="nova", default_config_files=[], default_config_dirs=[])
    oslo_messaging.set_transport_defaults("nova")
    transport = oslo_messaging.get_rpc_transport(conf, url=driver + cloud.server.transport_url(cloud.vhost))
    client = oslo_messaging.get_rpc_client(
        transport, oslo_messaging.Target(topic=topic, version="1.0"), timeout=TIMEOUT_S
    )
    with ThreadPoolExecutor(calls) as pool:
        try:
            yield [pool.submit(client.call, {"request_id": request_id(first + n)}, "work") for n in range(calls)]
        finally:
            pool.shutdown()
            transport.cleanup()


def request_id(number: int) -> str:
    """Of a call of `calling`."""
    return f"req-00000000-0000-4000-8000-{number:012d}"
