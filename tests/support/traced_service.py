"""A real oslo.messaging service that traces itself, and who calls it: a process each, as tracing is set up in each.

    python -m tests.support.traced_service serve|call TRANSPORT_URL OTLP_ENDPOINT stock|carry

What is served makes an RPC at once, in a thread of futurist, in a thread of its own; one method fails. Who calls prints
`done` when all is over; who serves prints `ready`, and ends when its input does. Each then waits for its exporter.
"""

from __future__ import annotations

import sys
import threading
import warnings

ROLE, URL, ENDPOINT, MODE = sys.argv[1:] if len(sys.argv) == 5 else ("", "", "", "")
if MODE == "carry":
    import rpcscope_oslo_tap.carry

    rpcscope_oslo_tap.carry.on()
elif MODE == "stock":
    import opentelemetry.exporter.otlp.proto.http.trace_exporter  # noqa: F401 - what 18.3.1 forgets

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import futurist
    import oslo_messaging
    from oslo_config import cfg

TOPIC, HOST = "workshop", "host-1"
REQUEST_IDS = "req-752bae94-6e39-4377-aed9-1d0e32f7063"  # and one more digit
Context = dict[str, str]


class Workshop:
    """What is served."""

    target = oslo_messaging.Target(version="1.0")

    def __init__(self, client: oslo_messaging.RPCClient) -> None:
        self.client = client
        self.pool = futurist.ThreadPoolExecutor(2)
        self.done = threading.Semaphore(0)

    def direct(self, context: Context) -> str:
        return str(self.client.call(context, "leaf"))

    def pooled(self, context: Context) -> None:
        self.pool.submit(self._later, context)

    def threaded(self, context: Context) -> None:
        threading.Thread(target=self._later, args=(context,)).start()

    def _later(self, context: Context) -> None:
        self.client.call(context, "leaf")
        self.done.release()

    def leaf(self, context: Context) -> str:
        return "leaf"

    def broken(self, context: Context) -> None:
        raise ValueError("PS7q is a secret")

    def heard(self, context: Context) -> None:
        self.done.release()

    def wait(self, context: Context, times: int) -> None:
        """Until so much was done in threads and casts."""
        for _ in range(times):
            self.done.acquire()


def serve(transport: oslo_messaging.RPCTransport, client: oslo_messaging.RPCClient) -> None:
    workshop = Workshop(client)
    server = oslo_messaging.get_rpc_server(transport, oslo_messaging.Target(topic=TOPIC, server=HOST), [workshop])
    server.start()
    print("ready", flush=True)
    sys.stdin.read()
    server.stop()
    server.wait()
    workshop.pool.shutdown()


def call(client: oslo_messaging.RPCClient) -> None:
    def context(number: int) -> Context:
        return {"request_id": f"{REQUEST_IDS}{number}"}

    client.call(context(1), "direct")
    client.call(context(2), "pooled")
    client.call(context(2), "wait", times=1)
    client.call(context(3), "threaded")
    client.call(context(3), "wait", times=1)
    client.prepare(fanout=True).cast(context(4), "heard")
    client.prepare(server=HOST).cast(context(5), "heard")
    client.call(context(5), "wait", times=2)
    try:
        client.call(context(6), "broken")
    except ValueError:
        print("done", flush=True)


def main() -> None:
    conf = cfg.CONF
    conf([], project="nova", default_config_files=[], default_config_dirs=[])
    oslo_messaging.set_transport_defaults("nova")
    transport = oslo_messaging.get_rpc_transport(conf, url=URL)
    tracing = {"tracing_enabled": True, "tracing_service_name": ROLE, "otel_exporter_otlp_endpoint": ENDPOINT}
    for name, value in tracing.items():
        conf.set_override(name, value, group="oslo_messaging_tracing")
    client = oslo_messaging.get_rpc_client(transport, oslo_messaging.Target(topic=TOPIC, version="1.0"), timeout=60)
    if ROLE == "serve":
        serve(transport, client)
    else:
        call(client)
    transport.cleanup()


if __name__ == "__main__":
    main()
