"""Requests to endpoints that are down, slow, wrong, or take but a part: real servers of the test in each state."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from rpcscope.errors import UsageError
from rpcscope.export.traces.answer import Verdict
from rpcscope.export.traces.courier import LONGEST_PAUSE_S, Count, Courier
from rpcscope.export.traces.encode import Encoder
from rpcscope.export.traces.endpoint import GRPC, HTTP, Endpoint, endpoint
from rpcscope.export.traces.senders import sender_to
from rpcscope.export.traces.span import Resource, Span, SpanKind
from rpcscope.free_ports import free_port
from tests.integration.test_tap_tls import authority
from tests.support.otlp import Receiver, grpc_receiver, http_receiver

SPANS = 3
BODY = Encoder().request(
    Span(bytes(16), bytes([n]) * 8, b"", "n", SpanKind.CLIENT, 1, 2, Resource("x"), ()) for n in range(SPANS)
)
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


class Tried:
    """A courier whose pauses take no time, and are remembered."""

    def __init__(self, to: Endpoint, patience: int = 4) -> None:
        self.pauses: list[float] = []
        self._sender = sender_to(to)
        self.courier = Courier(self._sender, "it", pause=self._pause, patience_s=patience, clock=self._clock)

    def _pause(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        return False

    def _clock(self) -> float:
        return len(self.pauses)

    @property
    def count(self) -> Count:
        return self.courier.count

    def deliver(self) -> Verdict:
        return self.courier.deliver(BODY, SPANS).verdict

    def close(self) -> None:
        self._sender.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as made:
        yield made


@pytest.fixture
def tried(receiver: Receiver) -> Iterator[Tried]:
    with closing(Tried(endpoint(receiver.url, timeout_s=5))) as made:
        yield made


@contextmanager
def raw(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that takes each connection's first bytes, and answers by hand."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(1 << 16)
                answer(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.mark.parametrize(("protocol", "make"), [(HTTP, http_receiver), (GRPC, grpc_receiver)])
def test_an_endpoint_that_is_busy_is_tried_again_and_each_change_is_said_once(
    protocol: str, make: Callable[[], AbstractContextManager[Receiver]], caplog: pytest.LogCaptureFixture
) -> None:
    busy: Any = (503, b"busy") if protocol == HTTP else UNAVAILABLE
    with make() as receiver, closing(Tried(endpoint(receiver.url, protocol=protocol))) as tried:
        assert tried.deliver() is Verdict.TAKEN
        receiver.answers += [busy] * 3
        assert tried.deliver() is Verdict.TAKEN
        assert tried.deliver() is Verdict.TAKEN
        assert tried.count == Count(exported=3 * SPANS, retried=3)
        assert len(receiver.spans()) == 3 * SPANS
    assert [line.getMessage().split(":")[-1].strip() for line in caplog.records] == [
        "traces are sent again and again until it does", "it takes traces again",
    ]  # fmt: skip


def test_pauses_grow_with_jitter_and_are_bounded(receiver: Receiver) -> None:
    receiver.always = (503, b"")
    with closing(Tried(endpoint(receiver.url), patience=12)) as tried:
        assert tried.deliver() is Verdict.LATER
        assert tried.count == Count(dropped=SPANS, retried=12)
    assert all(0.5 * 0.5 * 2**n <= pause <= 1.5 * 0.5 * 2**n for n, pause in enumerate(tried.pauses[:6]))
    assert max(tried.pauses) <= 1.5 * LONGEST_PAUSE_S
    assert len(set(tried.pauses)) == 12


def test_an_endpoint_that_says_when_to_come_back_is_left_alone_so_long_but_not_for_ever(
    receiver: Receiver, tried: Tried
) -> None:
    receiver.answers += [(429, b"", {"Retry-After": "7"}), (503, b"", {"Retry-After": "999999"})]
    assert tried.deliver() is Verdict.TAKEN
    assert tried.pauses == [7, 300]


@pytest.mark.parametrize(
    "answer",
    [
        (404, b"<html>", {"Content-Type": "text/html"}),
        (400, b"\x00\xff"),
        (301, b"", {"Location": "http://127.0.0.1:1/"}),
        (200, b"<html>welcome</html>", {"Content-Type": "text/html"}),
        (200, b"\xff\xff\xff garbage"),
        (500, b"broken"),
    ],
    ids=["not found", "bad request", "elsewhere", "a web page", "garbage", "broken"],
)
def test_what_is_no_otlp_endpoint_is_told_once_and_what_it_was_sent_is_counted(
    receiver: Receiver, tried: Tried, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.always = answer
    assert [tried.deliver() for _ in range(3)] == [Verdict.REFUSED] * 3
    assert tried.count == Count(dropped=3 * SPANS)
    assert len(caplog.records) == 1
    assert tried.pauses == []


def test_a_server_that_speaks_no_http_is_refused() -> None:
    with raw(lambda to: to.sendall(b"220 mail ESMTP\r\n\r\n")) as url, closing(Tried(endpoint(url))) as tried:
        assert tried.deliver() is Verdict.REFUSED


@pytest.mark.parametrize("url", [HTTP, GRPC])
def test_an_endpoint_that_is_down_is_given_up_after_a_while_and_found_when_it_is_back(url: str) -> None:
    with closing(Tried(endpoint(f"http://127.0.0.1:{free_port()}", protocol=url))) as tried:
        assert tried.deliver() is Verdict.LATER
        assert tried.count == Count(dropped=SPANS, retried=4)


def test_an_endpoint_that_never_answers_is_waited_for_no_longer_than_its_timeout() -> None:
    free = threading.Event()
    with raw(lambda to: free.wait(30) and None) as url, closing(Tried(endpoint(url, timeout_s=0.2), 1)) as tried:
        assert tried.deliver() is Verdict.LATER
        free.set()


def test_an_endpoint_whose_answer_drips_is_waited_for_no_longer_than_its_timeout() -> None:
    free = threading.Event()

    def drip(to: socket.socket) -> None:
        to.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
        try:
            while not free.wait(0.05):
                to.sendall(b"x")
        except OSError:
            return

    with raw(drip) as url, closing(Tried(endpoint(url, timeout_s=0.5), patience=0)) as tried:
        assert tried.deliver() is Verdict.LATER
        free.set()


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    def pour(to: socket.socket) -> None:
        to.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n")
        try:
            while True:
                to.sendall(b"x" * 65536)
        except OSError:
            return

    with raw(pour) as url, closing(Tried(endpoint(url, timeout_s=5))) as tried:
        assert tried.deliver() is Verdict.REFUSED


def test_a_kept_connection_that_the_endpoint_closed_is_opened_again_without_a_pause() -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    with raw(lambda to: to.sendall(ok)) as url, closing(Tried(endpoint(url))) as tried:
        assert [tried.deliver() for _ in range(3)] == [Verdict.TAKEN] * 3
        assert tried.pauses == []


@pytest.mark.parametrize(("protocol", "make"), [(HTTP, http_receiver), (GRPC, grpc_receiver)])
def test_spans_that_an_endpoint_rejects_are_counted_and_its_words_are_made_plain(
    protocol: str, make: Callable[[], AbstractContextManager[Receiver]], caplog: pytest.LogCaptureFixture
) -> None:
    with make() as receiver, closing(Tried(endpoint(receiver.url, protocol=protocol))) as tried:
        receiver.rejects = 2
        assert [tried.deliver() for _ in range(2)] == [Verdict.TAKEN] * 2
        receiver.rejects = 1 << 40  # more than there were
        tried.deliver()
        assert tried.count == Count(exported=2 * (SPANS - 2), rejected=2 + 2 + SPANS)
    assert [line.getMessage() for line in caplog.records] == ["it rejected spans: too old: they are counted"]


def test_grpc_codes_that_will_not_change_are_refused() -> None:
    with grpc_receiver() as receiver, closing(Tried(endpoint(receiver.url, protocol=GRPC))) as tried:
        receiver.always = grpc.StatusCode.UNAUTHENTICATED
        assert tried.deliver() is Verdict.REFUSED


def test_over_tls_an_endpoint_is_believed_only_with_a_certificate_of_its_authority(tmp_path: Path) -> None:
    authority(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    with http_receiver(tls) as receiver:
        with closing(Tried(endpoint(receiver.url, ca_file=tmp_path / "ca.pem"))) as tried:
            assert tried.deliver() is Verdict.TAKEN
        with closing(Tried(endpoint(receiver.url))) as tried:
            assert tried.deliver() is Verdict.REFUSED
        with pytest.raises(UsageError, match="name a PEM file"):
            sender_to(endpoint(receiver.url, ca_file=tmp_path / "server.key"))


def test_headers_reach_the_endpoint_and_are_in_no_text(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    to = endpoint(receiver.url.replace("//", "//me:PS7q@"), headers=["X-Key=PS7q"])
    with closing(Tried(to)) as tried:
        tried.deliver()
        receiver.always = (404, b"")
        tried.deliver()
    assert receiver.headers[0]["x-key"] == "PS7q"
    assert receiver.headers[0]["authorization"].startswith("Basic ")
    assert "PS7q" not in f"{to} {to!r} {caplog.text}"
