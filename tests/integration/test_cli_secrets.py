"""What is not known to be safe comes out of no command, no log, no database and no scrubbed file."""

from __future__ import annotations

import base64
import gzip
import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Cli, new_cli
from tests.support.halves import lines_of
from tests.support.wire import RAW_CAPTURES, jsonl

ACTION_EVENT = re.compile(r"(compute|conductor|api)_[a-z_]+")
PROJECT = Path(__file__).parents[2]
Line = dict[str, Any]
KEPT = {
    *("method", "namespace", "version", "_msg_id", "_unique_id", "_reply_q", "_context_request_id", "request_id"),
    *("_context_global_request_id", "_context_project_id", "project_id", "_context_traceparent", "event_type"),
    *("uuid", "instance_uuid", "instance_uuids", "host", "source_compute", "dest_compute", "class", "objmethod"),
    *("objname", "nova_object.name", "connection", "exchange_name", "routing_keys", "routed_queues", "routing_key"),
    *("expiration", "exchange", "instance_id", "topic", "message_id", "node"),
    *("publisher_id", "state", "task_state", "new_task_state", "state_description"),
}
"""Fields whose values may leave a message, in the shapes of docs/captures.md."""


def planted() -> str:
    return f"PS7q{secrets.token_hex(8)}"


def poisoned(line: Line, number: int) -> Line:
    """A line with secrets where services, brokers and strangers put them."""
    headers = {**line["headers"], "user": planted(), planted(): planted(), "note": [planted(), {"x": planted()}]}
    headers["properties"] = {**headers["properties"], "user_id": planted(), "headers": {planted(): planted()}}
    body = json.loads(line["body"])
    inner = json.loads(body["oslo.message"]) if "oslo.message" in body else body
    hidden = base64.b64encode(planted().encode()).decode()
    inner |= {"_context_auth_token": planted(), planted(): planted(), "_context_roles": [planted(), hidden]}
    if isinstance(inner.get("args"), dict):
        inner["args"] |= {"admin_password": planted(), "user_data": hidden, "requested": {"key_data": [planted()]}}
    if isinstance(inner.get("payload"), dict):
        inner["payload"] |= {"message": planted(), planted(): planted(), "exception": {"kwargs": [hidden]}}
        inner["payload"] |= {"image_meta": {"x": hidden}, "metadata": [planted()], "user_id": planted()}
    if "result" in inner:
        inner["result"] = {"token": planted(), "connection_info": {"auth_password": planted()}, "data": hidden}
    if number % 7 == 0 and "result" in inner:
        error = {"class": "NovaException", "message": planted(), "tb": [f"File x, in f({planted()})"], "args": [hidden]}
        inner["failure"] = json.dumps(error)
    fresh = {"oslo.version": "2.0", "oslo.message": json.dumps(inner)} if "oslo.message" in body else inner
    made = {**line, "headers": headers, "body": json.dumps(fresh)}
    if number % 11 == 0:
        made["headers"] |= {"routing_keys": [f"conductor.{planted()}"], "exchange_name": planted()}
    if number % 13 == 0:
        made["routing_key"] = f"deliver.{planted()}"
    if number % 17 == 0:
        made["body"] = f"no JSON {planted()}"
    return made


def with_secrets(source: Path, folder: Path) -> Path:
    made = folder / f"{source.parent.name}-{source.name.removesuffix('.zst')}"
    made.write_bytes(jsonl([poisoned(line, number) for number, line in enumerate(lines_of(source), 1)]))
    snapshot = source.with_name(source.name.replace(".jsonl.zst", ".mgmt.json.gz"))
    if snapshot.exists():
        known = json.loads(gzip.decompress(snapshot.read_bytes()))
        spoil(known)
        made.with_name(made.name.replace(".jsonl", ".mgmt.json.gz")).write_bytes(
            gzip.compress(json.dumps(known).encode())
        )
    return made


def spoil(value: Any) -> None:
    """Secrets in every object of the management API's answers: users, client properties, unknown keys."""
    if isinstance(value, dict):
        for inner in list(value.values()):
            spoil(inner)
        if "client_properties" in value:
            value["client_properties"] |= {"product": planted(), "capabilities": {"x": planted()}, planted(): planted()}
            value["user"] = value["user_who_performed_action"] = planted()
        value[planted()] = planted()
    elif isinstance(value, list):
        for inner in value:
            spoil(inner)


def all_output(cli: Cli, files: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Everything that rpcscope makes of these files."""
    for number, file in enumerate(files):
        for options in ((), ("--pseudonymize", cli.folder / "key")):
            out = cli.folder / f"scrubbed-{number}-{len(options)}.jsonl.zst"
            yield "scrub", words(cli, "-vv", "scrub", file, "-o", out, *options)
            yield out.name, jsonl(lines_of(out))
    yield "import", words(cli, "-vv", "import", *files)
    requests = [one["request_id"] for one in cli.json("operations", "--all")]
    commands = [(name, "--all") for name in ("cost", "operations", "calls", "stuck")]
    for command in (*commands, ("cost", "--all", "--methods")):
        for form in ("table", "json", "csv"):
            yield " ".join(command), words(cli, "-vv", *command, "--format", form)
    for request_id in [one for one in requests if one][:6]:
        for options in (("--format", "json"), ("--sequence",), ()):
            yield "show", words(cli, "-vv", "show", request_id, *options)
    yield "db status", words(cli, "-vv", "db", "status", "--format", "json")
    for path in Path(cli.database).parent.glob("store.sqlite*"):
        yield path.name, path.read_bytes()


def words(cli: Cli, *args: str | Path) -> bytes:
    done = cli.run(*args)
    assert done.code == 0, done
    return (done.out + done.err).encode()


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    (tmp_path / "key").write_bytes(b"k" * 32)
    (tmp_path / "key").chmod(0o600)
    return new_cli(tmp_path)


def test_planted_secrets_come_out_of_nothing(cli: Cli) -> None:
    files = [with_secrets(path, cli.folder) for path in RAW_CAPTURES]
    assert all(path.read_bytes().count(b"PS7q") > 100 for path in files)
    hidden = base64.b64encode(b"PS7q")[:5]
    told = [name for name, output in all_output(cli, files) if b"PS7q" in output or hidden in output]
    assert not told


def test_no_value_of_a_field_that_is_not_allowed_comes_out(cli: Cli) -> None:
    allowed, others = set[str](), set[str]()
    for path in RAW_CAPTURES:
        for line in lines_of(path):
            body = json.loads(line["body"])
            inner = json.loads(body["oslo.message"]) if "oslo.message" in body else body
            collect({**line, "body": inner}, "", allowed, others)
    # Words of the rules, names of programs, keys of the capture format, "requests" in sentences: rpcscope's own.
    # Of an action event its name.
    own = [path.read_text() for path in (PROJECT / "rpcscope/rules").glob("*.toml")]
    kept = "\n".join([*allowed, *own, "nova-compute", "properties", "requests"])
    forbidden = {value for value in others if value not in kept and not ACTION_EVENT.fullmatch(value)}
    assert len(forbidden) > 50
    output = b"\n".join(output for _, output in all_output(cli, list(RAW_CAPTURES))).decode(errors="replace")
    told = sorted(value for value in forbidden if value in output)
    assert not told, told


def collect(value: Any, key: str, allowed: set[str], others: set[str]) -> None:
    """Texts of at least 8 characters by whether their field may be kept."""
    if isinstance(value, dict):
        for name, inner in value.items():
            collect(inner, name, allowed, others)
    elif isinstance(value, list):
        for inner in value:
            collect(inner, key, allowed, others)
    elif isinstance(value, str) and len(value) >= 8:
        (allowed if key in KEPT else others).add(value)
