"""A service and who calls it, under whichever oslo.messaging this is run with: some of every kind of RPC.

    python scenario.py URL EXECUTOR

Where to tell what it does is in RPCSCOPE_TAP. It says "done" when all is over.
"""

from __future__ import annotations

import contextlib
import sys
import warnings

warnings.simplefilter("ignore")
if sys.argv[2] == "eventlet":
    import eventlet

    eventlet.monkey_patch()

import oslo_messaging  # noqa: E402
from oslo_config import cfg  # noqa: E402

CONTEXT = {"request_id": "req-00000000-0000-4000-8000-000000000001", "auth_token": "PS7q-token"}


class Endpoint:
    target = oslo_messaging.Target(version="1.0")

    def ping(self, ctxt, arg):
        return arg

    def note(self, ctxt, arg):
        pass

    def fail(self, ctxt):
        raise KeyError("PS7q-message")


def main(url: str, executor: str) -> None:
    conf = cfg.CONF
    conf([], project="nova", default_config_files=[], default_config_dirs=[])
    oslo_messaging.set_transport_defaults("nova")
    served, asked = (oslo_messaging.get_rpc_transport(conf, url=url) for _ in range(2))
    notified = oslo_messaging.get_notification_transport(conf, url=url)
    target = oslo_messaging.Target(topic="conductor", server="host-1")
    server = oslo_messaging.get_rpc_server(served, target, [Endpoint()], executor=executor)
    server.start()
    client = oslo_messaging.get_rpc_client(asked, oslo_messaging.Target(topic="conductor", version="1.0"), timeout=30)
    for number in range(5):
        client.call(CONTEXT, "ping", arg="x" * number)
        client.prepare(server="host-1").cast(CONTEXT, "note", arg="x")
    client.prepare(fanout=True).cast(CONTEXT, "note", arg="x")
    with contextlib.suppress(KeyError):
        client.call(CONTEXT, "fail")
    notifier = oslo_messaging.Notifier(notified, publisher_id="api.host-1", driver="messagingv2", topics=["told"])
    notifier.info({}, "instance.create.end", {"instance_id": ""})
    server.stop()
    server.wait()
    for transport in (served, asked, notified):
        transport.cleanup()
    print("done", flush=True)


main(*sys.argv[1:])
