"""The handbook: its numbers are those counted by hand, its links lead somewhere, hostile names are text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from xml.dom import minidom

import pytest

from rpcscope.model import Batch, Status
from rpcscope.store import Store, open_store
from rpcscope_web.handbook import handbook
from rpcscope_web.handbook.text import slug
from tests.contract.records import begun, make_operation, recording_of
from tests.support.cli import new_cli
from tests.support.dashboard import CAPTURES, recorded_store
from tests.support.requests_only import requests
from tests.support.stored import keep
from tests.unit.query.one import call, stored

TRUTH = json.loads((CAPTURES.parent / "ground_truth.json").read_text())
DONE = {
    "create": [("01_boot_1", "boot"), ("02_boot_10_serial", "boot"), ("10_drain_setup_boot6_on_compute-1", "boot")],
    "delete": [("05_delete_1", "delete")],
    "evacuate": [("12_evacuate_6", "evacuate")],
    "live-migration": [("09_live_migrate_no_host", "live-migrate"), ("10_drain_serial_6", "drain")],
}
EVIL = "`|<script>alert(1)</script>](x)\u202e\n# x" + "y" * 9_000


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> str:
    return recorded_store(tmp_path_factory.mktemp("handbook") / "store.sqlite")


@pytest.fixture(scope="module")
def files(recorded: str) -> Iterator[dict[str, str]]:
    with open_store(recorded) as store:
        yield handbook(store.reader())


def costs(page: str) -> dict[str, str]:
    """The medians of a page by their names."""
    part = page.partition("## What one costs")[2].partition("## ")[0]
    return dict(re.findall(r"^\| ([A-Za-z ]+) \| ([^|]+) \|", part, re.MULTILINE))


def truth(kind: str, name: str) -> float:
    values = [
        operation[name]
        for file, label in DONE[kind]
        for operation in TRUTH[file]["operations"].values()
        if operation["label"] == label
    ]
    return median(values)


@pytest.mark.parametrize("kind", DONE)
def test_the_numbers_of_a_page_are_those_counted_by_hand(files: dict[str, str], kind: str) -> None:
    found = costs(files[f"{kind}.md"])
    for name in ("calls", "casts", "fanouts", "replies", "messages"):
        assert found[name] == f"{truth(kind, name):,.0f}", name
    assert found["RPCs"] == str(sum(int(found[name]) for name in ("calls", "casts", "fanouts")))
    if kind != "create":  # of the boots one more file has some
        assert found["bodies"] == f"{truth(kind, 'bytes') / 1000:,.1f}\N{NO-BREAK SPACE}kB"


def test_a_boot_is_written_down_step_by_step(files: dict[str, str]) -> None:
    page = files["create.md"]
    assert page.startswith("# Boot a server (`create`)\n")
    assert re.search(r"^\| 1 \| `schedule_and_build_instances` \| cast \| `conductor` \| 100\s%", page, re.MULTILINE)
    assert len(re.findall(r"^\| 1\.2\.\d+ \|", page, re.MULTILINE)) == 13
    assert "| `ComputeNode.save`* |" in page
    assert "| `Instance.save` | 6 |" in page
    assert page.count("-)p") == 3  # two casts and a fanout in the sequence


def test_the_conditions_and_a_fake_driver_are_said(files: dict[str, str]) -> None:
    page = files["create.md"]
    assert "Conditions: **nova 34.0, oslo.messaging 18.3.1, RabbitMQ 3.10.8, 3 computes, fake virt driver" in page
    assert "> **Fake virt driver.**" in page


def test_every_link_and_picture_is_there(files: dict[str, str]) -> None:
    linked = {
        link for name, text in files.items() if name.endswith(".md") for link in re.findall(r"\]\(([^)]+)\)", text)
    }
    assert linked == set(files)


def test_pictures_are_xml_and_ask_for_nothing(files: dict[str, str]) -> None:
    pictures = [text for name, text in files.items() if name.endswith(".svg")]
    assert len(pictures) == len(files) // 2
    for text in pictures:
        assert minidom.parseString(text).documentElement.tagName == "svg"
        assert "<script" not in text
        assert not re.search(r"(href|src)=", text)
    boot = files["pictures/create.svg"]
    assert boot.count("marker-end") == 29


def test_names_of_hosts_are_left_out(files: dict[str, str]) -> None:
    assert [name for name, text in files.items() if re.search(r"@vm|compute-\d|127\.0\.0\.1", text)] == []


def test_hosts_of_one_service_are_told_apart(files: dict[str, str]) -> None:
    assert "as nova-compute 1\n" in files["live-migration.md"]
    assert "as nova-compute 2\n" in files["live-migration.md"]


def test_the_same_store_gives_the_same_bytes(recorded: str, files: dict[str, str]) -> None:
    with open_store(recorded) as store:
        assert handbook(store.reader()) == files


def test_kinds_of_hostile_names_are_text_in_files_of_plain_names(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "store.sqlite"), create=True) as store:
        stored(store, [call(1, 0, 1, 2, method=EVIL, topic=EVIL)], kind=EVIL)
        found = handbook(store.reader())
    assert all(re.fullmatch(r"(pictures/)?[A-Za-z0-9.-]{1,60}", name) for name in found)
    for name, text in found.items():
        outside = re.sub(r"`[^`\n]*`", "", text)
        assert "<script" not in outside, name
        assert "\u202e" not in text, name
        assert max(map(len, text.splitlines())) < 2_000, name
        assert "\n# x" not in text, name


def test_two_names_never_share_a_file() -> None:
    names = ["create", "Create", "create ", "..", "../..", "", "a" * 300, "a" * 301]
    assert len({slug(name) for name in names}) == len(names)
    assert slug("live-migration") == "live-migration"


def test_an_empty_store_has_no_handbook(empty: Store) -> None:
    assert handbook(empty.reader()) == {}


def test_the_command_writes_the_files_and_says_where_to_begin(
    tmp_path: Path, recorded: str, files: dict[str, str]
) -> None:
    cli = new_cli(tmp_path, recorded)
    done = cli.run("handbook", "-o", tmp_path / "book")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"{len(files) // 2} pages: begin with {tmp_path / 'book' / 'README.md'}\n"
    written = {
        str(path.relative_to(tmp_path / "book")): path for path in (tmp_path / "book").rglob("*") if path.is_file()
    }
    assert {name: path.read_text() for name, path in written.items()} == files


def test_one_kind_is_written_alone_and_one_that_there_is_not_is_refused(tmp_path: Path, recorded: str) -> None:
    cli = new_cli(tmp_path, recorded)
    assert cli.run("handbook", "--kind", "delete", "-o", tmp_path / "one").out.startswith("1 page:")
    refused = cli.run("handbook", "--kind", "nothing", "-o", tmp_path / "none")
    assert (refused.code, refused.sentence) == (
        2, "no operation of these kinds has come to its end: `rpcscope cost --all` lists the kinds",
    )  # fmt: skip
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").write_text("")
    assert cli.run("handbook", "-o", tmp_path / "file").sentence.endswith("is a file: name a folder")


def test_requests_alone_make_a_page_that_says_so_and_names_no_queue(empty: Store) -> None:
    keep(empty, requests(CAPTURES / "01_boot_1.jsonl.zst"), mode="bindings")
    page = handbook(empty.reader())["create.md"]
    assert "> **Requests alone were seen.**" in page
    assert (costs(page)["RPCs"], costs(page)["messages"], costs(page)["bodies"]) == ("15", "?", "?")
    assert "as caller 1\n" in page
    assert "reply_" not in page


def test_a_kind_whose_calls_others_caused_has_no_steps_and_says_so(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "store.sqlite"), create=True) as store:
        writer, base = begun(store, tap_mode="full")
        done = make_operation(base + 1, kind="create", status=Status.DONE, request_id="req-1")
        writer.write(Batch(recording_id=recording_of(base), operations=(done,), last_ns=done.last_ns, ended=True))
        page = handbook(store.reader())["create.md"]
    assert "## Steps\n\nNone is known: what carries the request id" in page
    assert "## Methods" not in page
    assert "![" not in page
