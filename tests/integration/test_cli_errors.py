"""What goes wrong is told in one sentence with the exit code of its kind, and what was good is kept."""

from __future__ import annotations

import ctypes
import itertools
import json
import resource
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rpcscope.cli.main import COMMANDS
from tests.support.cli import PROGRAM, Cli, new_cli
from tests.support.recording import locked
from tests.support.wire import CAPTURES, jsonl

GOOD = CAPTURES / "nova34/01_boot_1.jsonl.zst"
HEADER = {"rpcscope_capture": 1, "source": "file", "label": "quiet", "mode": "", "conditions": "", "digest": ""}
SUBCOMMANDS = [(name,) for name in COMMANDS] + [("db", one) for one in ("upgrade", "status", "prune")]
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2  # <linux/prctl.h>, <linux/capability.h>
NOWHERE = "rabbit://tap:PS7qpassword@127.0.0.1:1/v"


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return new_cli(tmp_path)


@pytest.fixture
def filled(cli: Cli) -> Cli:
    cli.json("import", GOOD)
    return cli


# ------------------------------------------------------------------ captures

BAD_FILES = {
    "missing": (None, "does not exist"),
    "empty": (b"", "is empty"),
    "binary": (bytes(range(256)) * 20, "is not a capture"),
    "nested": (b"[" * 100_000 + b"\n", "is not a capture"),
    "nothing but zeros": (b"\x00" * 5_000, "is not a capture"),
    "json of somebody else": (b'{"a": 1}\n' * 9, "is not a capture"),
    "half a frame": (GOOD.read_bytes()[:40], "nothing can be read"),
    "of a newer rpcscope": (jsonl([{"rpcscope_capture": 99}]), "newer rpcscope"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_is_no_capture_is_named_and_the_others_are_stored(cli: Cli, case: str) -> None:
    content, words = BAD_FILES[case]
    bad = cli.folder / "bad.jsonl.zst"
    if content is not None:
        bad.write_bytes(content)
    done = cli.run("import", bad, GOOD, "--format", "json")
    assert done.code == 3
    assert "bad.jsonl.zst" in done.sentence
    assert words in done.sentence
    assert json.loads(done.out)["messages"] == 57
    assert len(cli.json("operations", "--all")) == 6


def test_when_nothing_can_be_imported_no_table_of_zeros_is_shown(cli: Cli) -> None:
    assert "does not exist" in cli.refused(3, "import", cli.folder / "nothing.jsonl")


def test_a_name_with_control_characters_does_no_harm_to_the_terminal(cli: Cli) -> None:
    hostile = cli.folder / "a\u202e\x1b[31mb\n.jsonl"
    hostile.write_bytes(b"no capture\n")
    sentence = cli.refused(3, "import", hostile)
    assert sentence.isprintable()


def test_what_comes_before_a_cut_is_stored_and_the_cut_is_told(cli: Cli) -> None:
    whole = json.loads(cli.run("import", GOOD, "--format", "json", "--db", cli.folder / "other").out)
    raw = CAPTURES / "raw/nova34/16_rpc_timeout_sigstop.jsonl.zst"
    (cli.folder / "cut.jsonl.zst").write_bytes(raw.read_bytes()[: raw.stat().st_size * 9 // 10])
    done = cli.run("import", cli.folder / "cut.jsonl.zst", GOOD, "--format", "json")
    assert done.code == 0
    assert "cut.jsonl.zst is cut short" in done.sentence
    totals = json.loads(done.out)
    assert totals["files"][1]["messages"] == whole["messages"]
    assert totals["messages"] == totals["files"][0]["messages"] + whole["messages"]


def test_a_capture_without_events_is_imported_and_told(cli: Cli) -> None:
    (cli.folder / "quiet.jsonl").write_bytes(jsonl([HEADER]))
    done = cli.run("import", cli.folder / "quiet.jsonl", "--format", "json")
    assert (done.code, done.sentence) == (0, "quiet holds no events")
    assert json.loads(done.out)["seen"] == 0
    assert cli.json("operations", "--all") == []
    assert "No operation matches" in cli.ok("operations")


# ------------------------------------------------------------------ arguments

BAD_ARGUMENTS = {
    ("frobnicate",): "No such command",
    ("import",): "Missing argument",
    ("operations", "--format", "xml"): "not one of",
    ("operations", "--since", "yesterday"): "--since wants a time",
    ("calls", "--until", "12:61"): "--until wants a time",
    ("operations", "--limit", "0"): "--limit",
    ("operations", "--status", "lost"): "--status",
    ("cost", "--kind", "boot"): "no operation of kind 'boot'",
    ("db", "prune", "--before", "soon"): "--before wants a time",
    ("import", "--rules", "nothing.toml", str(GOOD)): "does not exist",
    ("import", "--rules", "broken.toml", str(GOOD)): "broken.toml can not be read",
    ("import", "--rules", "strange.toml", str(GOOD)): "unknown table",
    ("record",): "--transport-url",
    ("record", "--transport-url", NOWHERE, "--config-file", "nova.conf"): "one of --transport-url and --config-file",
    ("record", "--transport-url", "http://PS7quser:PS7qpassword@h/"): "rabbit://",
    ("record", "--transport-url", "rabbit://PS7quser:PS7qpassword@h:port/"): "can not be read",
    ("record", "--config-file", "nothing.conf"): "does not exist",
    ("record", "--config-file", "empty.conf"): "names no host",
    ("record", "--config-file", "broken.toml"): "not a configuration file",
}


@pytest.mark.parametrize("args", BAD_ARGUMENTS, ids=" ".join)
def test_a_wrong_argument_gets_a_sentence(filled: Cli, args: tuple[str, ...]) -> None:
    (filled.folder / "broken.toml").write_text("PS7q [[kind\n")
    (filled.folder / "strange.toml").write_text("hello = 1\n")
    (filled.folder / "empty.conf").write_text("[DEFAULT]\ndebug = true\n")
    sentence = filled.refused(2, *args)
    assert BAD_ARGUMENTS[args] in sentence
    assert "PS7q" not in sentence


def test_an_unknown_request_id_gets_a_sentence(filled: Cli) -> None:
    assert "req-nobody" in filled.refused(1, "show", "req-nobody")


def test_nothing_to_untrace_is_no_error(cli: Cli) -> None:
    assert cli.ok("untrace") == "No recorder of this machine has left tracing on.\n"


# ------------------------------------------------------------------ databases


@pytest.mark.parametrize(
    "command", [("cost",), ("operations",), ("calls",), ("stuck",), ("show", "req-x"), ("db", "status")]
)
def test_without_a_database_a_sentence_says_how_to_get_one(cli: Cli, command: tuple[str, ...]) -> None:
    assert "record or import something first" in cli.refused(4, *command)
    assert not Path(cli.database).exists()


BAD_URLS = {
    "oracle://user:PS7qpassword@host/name": "has no driver",
    "postgresql://user:PS7qpassword@host": "names no database",
    "postgresql://user:PS7qpassword@127.0.0.1:1/name": "can not be reached",
    "mariadb://user:PS7qpassword@127.0.0.1:1/name": "can not be reached",
    "://PS7q": "can not be read",
}


@pytest.mark.parametrize("url", BAD_URLS)
@pytest.mark.parametrize("command", [("cost",), ("import", str(GOOD))], ids=["cost", "import"])
def test_a_database_that_can_not_be_used_gets_a_sentence_without_its_password(
    tmp_path: Path, url: str, command: tuple[str, ...]
) -> None:
    sentence = new_cli(tmp_path, url).refused(4, *command)
    assert BAD_URLS[url] in sentence
    assert "PS7q" not in sentence


def a_text(path: Path) -> None:
    path.write_text("hello world " * 100)


def somebody_elses(path: Path) -> None:
    change(path, "CREATE TABLE thing (x)")


def ahead(path: Path) -> None:
    new_cli(path.parent, str(path)).json("import", GOOD)
    change(path, "UPDATE alembic_version SET version_num = '9999'")


BAD_FILES_OF_DATABASES: dict[Callable[[Path], None], str] = {
    a_text: "is not an SQLite database",
    somebody_elses: "has tables of another program",
    ahead: "was written by a newer rpcscope",
    Path.mkdir: "can not be opened",
}


@pytest.mark.parametrize("make", BAD_FILES_OF_DATABASES, ids=lambda make: make.__name__)
def test_a_file_that_is_no_database_of_ours_is_left_as_it_is(cli: Cli, make: Callable[[Path], None]) -> None:
    path = Path(cli.database)
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    for command in (("cost",), ("import", GOOD), ("db", "upgrade"), ("db", "status")):
        assert BAD_FILES_OF_DATABASES[make] in cli.refused(4, *command)
    assert before == (path.read_bytes() if path.is_file() else b"")


def test_an_empty_database_is_told_apart_and_can_be_upgraded(cli: Cli) -> None:
    Path(cli.database).touch()
    assert "run `rpcscope db upgrade`" in cli.refused(4, "cost")
    assert cli.ok("db", "upgrade") == "The database is up to date.\n"
    assert "Nothing is stored yet" in cli.ok("cost")


def test_a_folder_that_can_not_be_made_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cli = new_cli(tmp_path, str(tmp_path / "file" / "store.sqlite"))
    assert "can not be made" in cli.refused(4, "import", GOOD)


def test_a_read_only_folder_gets_a_sentence(tmp_path: Path) -> None:
    home = tmp_path / "locked"
    home.mkdir(mode=0o555)
    cli = new_cli(tmp_path, str(home / "store.sqlite"))
    sentence = cli.refused(4, "import", GOOD, preexec_fn=obey_modes)
    assert "can not be opened" in sentence or "is read-only" in sentence


def test_a_full_disk_keeps_what_is_stored_and_the_import_goes_on_when_there_is_room(cli: Cli) -> None:
    files = sorted((CAPTURES / "nova34").glob("*.zst"))
    expected = new_cli(cli.folder / "roomy").json("import", *files)
    assert " disk " in cli.refused(4, "import", *files, preexec_fn=lambda: limit(300_000))
    stored = len(cli.json("operations", "--all"))
    assert 0 <= stored < expected["operations"]
    totals = cli.json("import", *files)
    assert {key: totals[key] for key in totals if key != "files"} == {k: expected[k] for k in expected if k != "files"}


def test_a_locked_database_gets_a_sentence_and_can_be_read_meanwhile(filled: Cli) -> None:
    with locked(Path(filled.database)):
        assert len(filled.json("operations", "--all")) == 6
        sentence = filled.refused(4, "import", CAPTURES / "nova34/05_delete_1.jsonl.zst")
    assert "is locked by another program" in sentence


# ------------------------------------------------------------------ output and help


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_who_reads_no_further_hears_no_complaint(filled: Cli, form: str) -> None:
    piped = f"{PROGRAM} calls --all --format {form} | head -c 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", piped], env=filled.environment(), capture_output=True, check=False
    )
    assert (done.returncode, done.stderr, len(done.stdout)) == (0, b"", 1)


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_an_output_that_can_not_be_written_gets_a_sentence(filled: Cli, form: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [PROGRAM, "calls", "--all", "--format", form], env=filled.environment(), stdout=full, text=True,
            stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "rpcscope: the system does not let it go on: No space left on device\n"


@pytest.mark.parametrize("command", [(), *SUBCOMMANDS], ids=" ".join)
def test_help_is_complete_and_fits_a_hundred_columns(tmp_path: Path, command: tuple[str, ...]) -> None:
    cli = new_cli(tmp_path, COLUMNS="200")
    shown = cli.ok(*command, "--help")
    assert max(map(len, shown.splitlines())) <= 100
    usage, _, rest = shown.partition("\n\n")
    assert usage.startswith("Usage: rpcscope")
    assert rest.split("Options:")[0].strip().endswith((".", "5)."))
    listed = rest.partition("Options:")[2]
    options = [line.split("  ") for line in listed.splitlines() if line.startswith("  -")]
    following = dict(itertools.pairwise([*shown.splitlines(), ""]))
    for parts in options:
        line = "  ".join(parts)
        assert len([part for part in parts if part]) > 1 or following[line].startswith(" " * 10), line


def test_a_user_without_anything_is_told_how_to_begin(tmp_path: Path) -> None:
    cli = new_cli(tmp_path)
    env = {key: value for key, value in cli.environment().items() if key != "RPCSCOPE_DB"}
    done = subprocess.run([PROGRAM, "cost"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert str(tmp_path / "home") in done.stderr
    assert "record or import something first" in done.stderr
    assert "rpcscope demo" in cli.ok("--help")


# ------------------------------------------------------------------ helpers


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(statement)


def limit(size: int) -> None:
    """No file of the process may become larger: what a full disk is to a program."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def obey_modes() -> None:
    """Root may write into every folder; without these two capabilities it is as everybody else."""
    libc = ctypes.CDLL(None)
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
