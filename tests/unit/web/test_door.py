"""Who is let in, and what a browser is kept from."""

from __future__ import annotations

from pathlib import Path

import pytest

from rpcscope.errors import UsageError
from rpcscope.store import Store
from rpcscope_web import Settings, create_app
from rpcscope_web.door.attempts import OF_ALL, OF_ONE, WINDOW_S, Attempts
from rpcscope_web.door.hosts import host_name
from rpcscope_web.door.sessions import COOKIE, LASTS_S, Sessions
from rpcscope_web.settings import is_loopback
from tests.unit.web.site import Web, client

SECRET = "correct horse battery"
ELSEWHERE = "http://monitor.example:8765"


def log_in(web: Web, password: str = SECRET, **headers: str) -> int:
    sent = {"origin": web.base} | headers
    return web.post("/login", data={"password": password, "next": "/taps"}, headers=sent).status_code


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "monitor.example"])
def test_an_address_that_others_reach_wants_a_password_or_a_proxy(two_captures: Store, host: str) -> None:
    with pytest.raises(UsageError, match="--password-file"):
        create_app(two_captures, Settings(host=host))
    create_app(two_captures, Settings(host=host, secret=SECRET))
    create_app(two_captures, Settings(host=host, proxy_header="X-Remote-User"))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "::1"])
def test_this_host_is_known_in_every_spelling(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("path", ["/", "/api/v1/overview", "/nothing", "/static/x/house.css"])
def test_every_answer_forbids_inline_scripts_frames_and_guessing(web: Web, path: str) -> None:
    headers = web.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"


def test_no_page_has_an_inline_script_style_or_handler(web: Web) -> None:
    for path in ("/", "/operations", "/taps", "/nothing", "/operations?status=failed"):
        page = web.get(path).text
        assert " style=" not in page
        assert "<style" not in page
        assert " on" not in page.replace(" one", "").replace(" only", "").replace(" on ", "").replace(" once", "")
        assert "<script>" not in page


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", ""])
def test_a_name_of_another_site_is_not_answered_to(web: Web, host: str) -> None:
    assert web.get("/", headers={"host": host}).status_code == 421
    assert web.get("/api/v1/overview", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8765", "LOCALHOST"])
def test_names_of_this_host_are_answered_to(web: Web, host: str) -> None:
    assert web.get("/", headers={"host": host}).status_code == 200


def test_a_further_name_is_answered_to_once_it_is_allowed(two_captures: Store) -> None:
    with client(two_captures, allowed_hosts=("Monitor.example",)) as web:
        assert web.get("/", headers={"host": "monitor.example:80"}).status_code == 200
        assert web.get("/", headers={"host": "evil.example"}).status_code == 421


def test_a_host_name_has_no_port_and_no_case() -> None:
    assert [host_name(h) for h in ("A.example:80", "[::1]:80", "[::1]", "a.example.", "")] == [
        "a.example", "::1", "::1", "a.example", "",
    ]  # fmt: skip


def test_with_a_password_nothing_is_shown_before_it_was_typed(two_captures: Store) -> None:
    with client(two_captures, ELSEWHERE, host="0.0.0.0", secret=SECRET) as web:
        assert web.get("/taps?last=1h").headers["location"] == "/login?next=%2Ftaps%3Flast%3D1h"
        for path in ("/api/v1/overview", "/api/v1/openapi.json", "/api/v1/events", "/api/v1/figures/rates"):
            answer = web.get(path)
            assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
        assert web.get("/login").status_code == 200
        assert log_in(web) == 303
        assert web.get("/taps").status_code == 200


def test_the_cookie_is_kept_from_scripts_and_other_sites_and_from_plain_http_under_https(two_captures: Store) -> None:
    for base, secure in ((ELSEWHERE, False), ("https://monitor.example", True)):
        with client(two_captures, base, host="0.0.0.0", secret=SECRET) as web:
            log_in(web)
            answer = web.post("/login", data={"password": SECRET, "next": "/"}, headers={"origin": base})
            cookie = answer.headers["set-cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=lax" in cookie
            assert ("Secure" in cookie) is secure


def test_a_program_sends_the_password_as_a_bearer_token(two_captures: Store) -> None:
    with client(two_captures, ELSEWHERE, host="0.0.0.0", secret=SECRET) as web:
        path = "/api/v1/overview"
        assert web.get(path, headers={"authorization": f"Bearer {SECRET}"}).status_code == 200
        assert web.get(path, headers={"authorization": f"Basic {SECRET}"}).status_code == 401
        for _ in range(OF_ONE):
            assert web.get(path, headers={"authorization": "Bearer wrong"}).status_code == 401
        assert web.get(path, headers={"authorization": f"Bearer {SECRET}"}).status_code == 401, "tried too often"


def test_wrong_passwords_have_to_wait(two_captures: Store) -> None:
    with client(two_captures, ELSEWHERE, host="0.0.0.0", secret=SECRET) as web:
        assert [log_in(web, "wrong") for _ in range(OF_ONE)] == [401] * OF_ONE
        answer = web.post("/login", data={"password": SECRET}, headers={"origin": ELSEWHERE})
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= WINDOW_S


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "", "sec-fetch-site": "cross-site"},
    ],
)
def test_a_form_of_another_site_logs_nobody_in(two_captures: Store, headers: dict[str, str]) -> None:
    with client(two_captures, ELSEWHERE, host="0.0.0.0", secret=SECRET) as web:
        assert log_in(web, **headers) == 403
        assert COOKIE not in web.cookies


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nX: y", "", "/login"]
)
def test_after_the_login_nobody_is_sent_to_another_site(two_captures: Store, target: str) -> None:
    with client(two_captures, ELSEWHERE, host="0.0.0.0", secret=SECRET) as web:
        answer = web.post("/login", data={"password": SECRET, "next": target}, headers={"origin": ELSEWHERE})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_form_that_is_too_long_is_not_read(two_captures: Store) -> None:
    with client(two_captures, ELSEWHERE, host="0.0.0.0", secret=SECRET) as web:
        assert log_in(web, "x" * 10_000) == 413


def test_a_proxy_that_names_nobody_is_not_let_in(two_captures: Store) -> None:
    with client(two_captures, proxy_header="X-Remote-User") as web:
        assert web.get("/").status_code == 401
        assert web.get("/", headers={"x-remote-user": "alice"}).status_code == 200


def test_a_session_is_ours_and_ends() -> None:
    sessions = Sessions()
    cookie = sessions.issue(1_000.0)
    assert sessions.holds(cookie, 1_000.0 + LASTS_S - 1)
    assert not sessions.holds(cookie, 1_000.0 + LASTS_S)
    later = f"{int(cookie.partition('.')[0]) + 60}.{cookie.partition('.')[2]}"
    for other in (later, Sessions().issue(1_000.0), "", ".", "1.é", f"{'9' * 40}.x"):
        assert not sessions.holds(other, 1_000.0)


def test_failures_are_counted_by_address_and_in_all_and_forgotten() -> None:
    attempts = Attempts()
    for number in range(OF_ONE):
        assert not attempts.wait_s("a", float(number))
        attempts.failed("a", float(number))
    assert attempts.wait_s("a", 10.0) == WINDOW_S - 10
    assert not attempts.wait_s("b", 10.0)
    assert not attempts.wait_s("a", WINDOW_S)
    for number in range(OF_ALL):
        attempts.failed(f"peer-{number}", 20.0)
    assert attempts.wait_s("new", 20.0) == WINDOW_S


def test_no_password_is_in_a_page_or_a_header(two_captures: Store, tmp_path: Path) -> None:
    with client(two_captures, ELSEWHERE, host="0.0.0.0", secret=SECRET) as web:
        for answer in (web.get("/login"), web.get("/taps"), web.post("/login", data={"password": "x"})):
            assert SECRET not in answer.text + str(answer.headers)
