"""`rpcscope serve` as it is started: what it refuses, what it needs, how it ends."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rpcscope.store import open_store
from tests.support.cli import new_cli
from tests.support.dashboard import CAPTURES, GIVE_UP_MS, dashboard, import_captures
from tests.support.postgres import PostgresServer, postgres_server

PATHS = ("/", "/taps", "/operations", "/api/v1/overview", "/api/v1/operations", "/api/v1/figures/rates")


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


def test_what_would_let_strangers_in_or_can_not_be_served_is_refused_in_a_sentence(
    recorded: str, tmp_path: Path
) -> None:
    cli = new_cli(tmp_path, recorded)
    short, readable = tmp_path / "short", tmp_path / "readable"
    for file, text in ((short, "secret\n"), (readable, "correct horse battery\n")):
        file.write_text(text)
        file.chmod(0o600)
    readable.chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for options, words in (
            (("--host", "0.0.0.0"), "name a --password-file"),
            (("--port", port), "name another --port"),
            (("--host", "no.such.host.invalid", "--trust-proxy-header", "X-User"), "correct --host"),
            (("--password-file", str(short)), "at least 12 characters"),
            (("--password-file", str(readable)), "chmod 600"),
            (("--password-file", str(tmp_path / "none")), "can not be read"),
            (("--tls-cert", str(short)), "belong together"),
            (("--tls-cert", str(short), "--tls-key", str(short)), "PEM"),
        ):
            sentence = cli.refused(2, "serve", *options)
            assert words in sentence, options
            assert "secret" not in sentence


def test_without_a_database_there_is_nothing_to_serve(tmp_path: Path) -> None:
    assert "record or import something first" in new_cli(tmp_path).refused(4, "serve", "--port", "0")
    assert not (tmp_path / "store.sqlite").exists()


@pytest.mark.server
def test_a_role_that_may_only_select_is_enough(postgresql: PostgresServer, tmp_path: Path) -> None:
    url = postgresql.fresh()
    with open_store(url, create=True) as store:
        import_captures(store, CAPTURES / "01_boot_1.jsonl.zst")
    name = url.rpartition("/")[2]
    postgresql.execute("CREATE ROLE viewer LOGIN PASSWORD 'look'")
    postgresql.execute(f'ALTER ROLE viewer IN DATABASE "{name}" SET default_transaction_read_only = on')
    with open_store(url) as store, store._database.writing() as connection:
        connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO viewer")
    viewer = f"postgresql://viewer:look@127.0.0.1:{postgresql.port}/{name}"
    with dashboard(tmp_path, viewer) as address, httpx.Client(base_url=address, timeout=GIVE_UP_MS / 1000) as web:
        for path in PATHS:
            answer = web.get(path)
            assert answer.status_code == 200, path
            assert "look" not in answer.text.replace("a look", "").replace("look at", "").replace("newest look", "")
        (kind,) = [one for one in web.get("/api/v1/overview?last=all").json()["kinds"] if one["kind"] == "create"]
        assert kind["cost"]["rpcs"]["p50"] == 15
        postgresql.disconnect_all()
        assert web.get("/").status_code == 200, "it connects again"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_well_also_while_somebody_follows(
    recorded: str, tmp_path: Path, number: signal.Signals
) -> None:
    with new_cli(tmp_path, recorded).running("serve", "--port", "0") as running:
        running.wait_for("until Ctrl-C")
        address = running.said.split(" at ")[1].split(" ")[0]
        with httpx.stream("GET", f"{address}api/v1/events", timeout=GIVE_UP_MS / 1000) as events:
            lines = events.iter_lines()
            assert next(line for line in lines if line.startswith("event:")) == "event: stored"
            done = running.end(number)
        assert (done.code, len(done.err.splitlines())) == (0, 1), done
