"""/metrics of the dashboard: for Prometheus, behind the same door as everything else."""

from __future__ import annotations

from rpcscope.store import Store
from tests.support.measured import promtool, samples
from tests.unit.web.site import Web, client

SECRET = "a secret of the tests"


def test_it_is_text_that_prometheus_reads(web: Web) -> None:
    answer = web.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert ("rpcscope_metrics_behind", frozenset()) in samples(answer.text)
    assert promtool("check", "metrics", text=answer.text) == ""


def test_who_does_not_carry_the_password_gets_nothing_and_no_login_page(two_captures: Store) -> None:
    with client(two_captures, secret=SECRET) as web:
        assert web.get("/metrics").status_code == 401
        assert web.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert web.get("/metrics", headers={"Authorization": f"Bearer {SECRET}"}).status_code == 200
