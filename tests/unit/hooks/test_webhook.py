"""Webhooks: in order, tried again, never in the way, and without the secrets of their URL."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rpcscope.errors import UsageError
from rpcscope.hooks.webhook import Webhook


class Listener:
    """A web server that keeps what it is told; `answers` are its first status codes, then 204."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.bodies: list[dict[str, object]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.held = threading.Event()
        self.held.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.held.wait(30)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = outer.answers.pop(0) if outer.answers else 204
                outer.paths.append(self.path)
                outer.headers.append(dict(self.headers))
                if status < 300:
                    outer.bodies.append(json.loads(body))
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def url(self, account: str = "") -> str:
        return f"http://{account}127.0.0.1:{self.server.server_port}/hook?to=ops"


@pytest.fixture
def listener() -> Iterator[Listener]:
    one = Listener()
    yield one
    one.held.set()
    one.server.shutdown()
    one.thread.join()
    one.server.server_close()


def test_events_arrive_in_order_as_json(listener: Listener) -> None:
    with Webhook(listener.url()) as hook:
        for n in range(20):
            hook.tell({"event": "check failed", "n": n})
    assert [body["n"] for body in listener.bodies] == list(range(20))
    assert (hook.sent, hook.lost) == (20, 0)
    assert set(listener.paths) == {"/hook?to=ops"}


def test_a_refused_event_is_tried_again_and_then_counted_as_lost(listener: Listener) -> None:
    listener.answers = [500, 503, 204, 500, 500, 500]
    with Webhook(listener.url(), pauses_s=(0.01, 0.01)) as hook:
        hook.tell({"n": 1})
        hook.tell({"n": 2})
    assert listener.bodies == [{"n": 1}]
    assert (hook.sent, hook.lost) == (1, 1)


def test_telling_never_waits_for_a_server_that_does_not_answer(listener: Listener) -> None:
    listener.held.clear()
    hook = Webhook(listener.url())
    for n in range(1_500):
        hook.tell({"n": n})
    assert hook.lost >= 400
    listener.held.set()
    hook.close()


def test_nobody_there_is_no_error() -> None:
    with Webhook("http://127.0.0.1:9/", pauses_s=(0.01,)) as hook:
        hook.tell({"n": 1})
    assert (hook.sent, hook.lost) == (0, 1)


def test_the_account_of_the_url_goes_into_a_header_and_no_redirect_takes_it_elsewhere(listener: Listener) -> None:
    listener.answers = [302]
    with Webhook(listener.url("ops:PS7q%40x@"), pauses_s=()) as hook:
        hook.tell({"n": 1})
    assert listener.paths == ["/hook?to=ops"]
    assert listener.headers[0]["Authorization"] == "Basic " + base64.b64encode(b"ops:PS7q@x").decode()
    assert hook.lost == 1


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1", "ftp://PS7q@host/", "http://", "http://[PS7q", "http://h:99999/", "http://h/\n", "file:///x"],
)
def test_what_is_no_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(UsageError, match="webhook's URL can not be read") as raised:
        Webhook(url)
    assert "PS7q" not in str(raised.value)
