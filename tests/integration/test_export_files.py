"""`rpcscope export files`, `html` and `grafana` as a user runs them, and a real browser that opens what they wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from rpcscope.export import grafana
from tests.support.cli import Cli, new_cli
from tests.support.dashboard import CAPTURES, CHROMIUM

TABLES = {"calls", "operations", "queue_samples", "in_flight", "gaps"}


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    found = new_cli(tmp_path_factory.mktemp("exported"))
    found.ok("import", str(CAPTURES / "01_boot_1.jsonl.zst"), str(CAPTURES / "14_boot_no_valid_host.jsonl.zst"))
    return found


@pytest.mark.parametrize("format", ["parquet", "csv", "jsonl"])
def test_every_table_is_a_file_and_how_many_rows_it_has_is_said(cli: Cli, tmp_path: Path, format: str) -> None:
    said = cli.ok("export", "files", "-o", str(tmp_path / "out"), "--format", format)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"{name}.{format}" for name in TABLES}
    calls = len(cli.json("calls", "--all"))
    assert f"calls.{format}: {calls:,} rows" in said


def test_one_table_of_one_operation_is_what_the_command_line_tells_of_it(cli: Cli, tmp_path: Path) -> None:
    (boot,) = cli.json("operations", "--kind", "create", "--status", "done")
    chosen = ("--what", "calls", "--request-id", boot["request_id"])
    cli.ok("export", "files", "-o", str(tmp_path), "--format", "jsonl", *chosen)
    lines = [json.loads(line) for line in (tmp_path / "calls.jsonl").read_text().splitlines()]
    shown = [call for call in cli.json("calls", "--all") if call["operation_request_id"] == boot["request_id"]]
    assert [line["unique_id"] for line in lines] == [call["unique_id"] for call in shown]
    assert [path.name for path in tmp_path.iterdir()] == ["calls.jsonl"]


def test_operations_go_to_jaeger_and_mermaid(cli: Cli, tmp_path: Path) -> None:
    (boot,) = cli.json("operations", "--kind", "create", "--status", "done")
    cli.ok("export", "files", "-o", str(tmp_path), "--format", "jaeger", "--kind", "create")
    assert len(json.loads((tmp_path / "jaeger.json").read_text())["data"]) == 2
    cli.ok("export", "files", "-o", str(tmp_path), "--format", "mermaid", "--kind", "create")
    assert (tmp_path / f"{boot['request_id']}.mmd").read_text().startswith("sequenceDiagram\n")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--what", "calls,passwords"), "--what knows no passwords"),
        (("--format", "jaeger", "--what", "calls"), "leave --what out"),
        (("--since", "yesterday"), "--since wants a time"),
    ],
)
def test_what_can_not_be_written_is_said_in_a_sentence(
    cli: Cli, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    assert words in cli.refused(2, "export", "files", "-o", str(tmp_path / "out"), *options)
    assert not (tmp_path / "out").exists()


def test_an_operation_that_is_not_there_has_no_page(cli: Cli, tmp_path: Path) -> None:
    sentence = cli.refused(1, "export", "html", "req-nothing", "-o", str(tmp_path / "page.html"))
    assert "no operation has the request id" in sentence
    assert list(tmp_path.iterdir()) == []


def test_a_browser_opens_the_page_of_an_operation_from_the_disk_and_asks_nobody(cli: Cli, tmp_path: Path) -> None:
    (boot,) = cli.json("operations", "--kind", "create", "--status", "done")
    path = tmp_path / "boot.html"
    cli.ok("export", "html", boot["request_id"], "-o", str(path))
    asked: list[str] = []
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.goto(path.as_uri())
        assert page.locator(".waterfall tbody tr").count() == 16
        assert page.locator(".waterfall rect.bar").first.bounding_box() is not None
        page.locator(".waterfall a").first.click()
        assert "#facts-" in page.url
        browser.close()
    assert (asked, said) == ([path.as_uri()], [])


def test_dashboards_and_rules_are_written_as_they_are_shipped(cli: Cli, tmp_path: Path) -> None:
    cli.ok("export", "grafana", "-o", str(tmp_path))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {n: grafana.text(n) for n in grafana.NAMES}
