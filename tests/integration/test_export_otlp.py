"""`rpcscope export otlp`: what was recorded reaches a real receiver as it was recorded, once, and nothing beside it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest

from rpcscope.capture import CaptureReader
from rpcscope.decode import Decoder
from rpcscope.export.traces.bookmark import Bookmark
from rpcscope.export.traces.courier import Courier
from rpcscope.export.traces.endpoint import endpoint
from rpcscope.export.traces.http import HttpSender
from rpcscope.export.traces.ids import root_id, span_id, trace_id
from rpcscope.export.traces.sampling import Sampling, shares
from rpcscope.export.traces.stored import StoredExport
from rpcscope.free_ports import free_port
from rpcscope.model import Message, MessageKind, Observation
from rpcscope.query.trace import traces
from rpcscope.rules import load_rules
from rpcscope.store import Store, open_store
from rpcscope.store.protocol import OperationFilter
from tests.integration.test_cli_secrets import with_secrets
from tests.support.cli import Cli, new_cli
from tests.support.dashboard import CAPTURES, recorded_store
from tests.support.otlp import Receiver, grpc_receiver, http_receiver
from tests.support.wire import RAW_CAPTURES

Make = Callable[[], AbstractContextManager[Receiver]]
PROTOCOLS = {"http/protobuf": http_receiver, "grpc": grpc_receiver}


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """All captures of nova 34 in a database. It is shared: only read it."""
    folder = tmp_path_factory.mktemp("otlp")
    return new_cli(folder, str(recorded_store(folder / "recorded.sqlite")))


@pytest.fixture
def store(cli: Cli) -> Iterator[Store]:
    with open_store(cli.database) as opened:
        yield opened


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as made:
        yield made


def export(cli: Cli, receiver: Receiver, *options: str) -> dict[str, Any]:
    done = cli.run("export", "otlp", "--endpoint", receiver.url, "--format", "json", *options)
    assert (done.code, done.err) == (0, ""), done
    return dict(json.loads(done.out))


def expected(store: Store) -> dict[str, tuple[str, str, int | None]]:
    """Of every span that was recorded its trace, its parent, its start; as the queries tell it, call by call."""
    reader, found = store.reader(), {}
    names = {part.request_id for part in reader.operations() if part.request_id}
    for name in names:
        (trace,) = traces(reader, name, most=100_000)
        of, root = trace_id(name).hex(), root_id(name).hex()
        found[root] = (of, "", None)
        inner = {}
        for node in reversed([node for _, node in trace.walk()]):
            inner[node.view.call.unique_id] = node.view.call
        for _, node in trace.walk():
            call = node.view.call
            above = inner.get(call.parent_unique_id)
            parent = span_id(_sides(above.kind)[1], above.unique_id).hex() if above else root
            sent, taken = (span_id(side, call.unique_id).hex() for side in _sides(call.kind))
            found[sent] = (of, parent, call.published_ns)
            if call.delivered_ns is not None:
                found[taken] = (of, sent, call.delivered_ns)
    return found


def _sides(kind: MessageKind) -> tuple[str, str]:
    return ("CLIENT", "SERVER") if kind is MessageKind.REQUEST else ("PRODUCER", "CONSUMER")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_operation_recorded_comes_out_as_one_trace_with_its_spans_parents_and_times(
    cli: Cli, store: Store, protocol: str
) -> None:
    with PROTOCOLS[protocol]() as receiver:
        told = export(cli, receiver, "--protocol", protocol, "--background")
        spans = receiver.spans()
    meant = expected(store)
    assert {one["id"]: (one["trace"], one["parent"]) for one in spans} == {
        name: (trace, parent) for name, (trace, parent, _) in meant.items()
    }
    assert len(spans) == len(meant) == told["spans"]
    assert {one["id"]: one["start"] for one in spans if meant[one["id"]][2] is not None} == {
        name: start for name, (_, _, start) in meant.items() if start is not None
    }
    assert all(one["start"] <= one["end"] for one in spans)
    assert told["operations"] == len({one["trace"] for one in spans})
    assert (told["unfinished"], told["rejected"], told["retried"]) == (0, 0, 0)


def test_a_boot_says_what_it_is_in_the_words_of_opentelemetry(cli: Cli, receiver: Receiver) -> None:
    (boot,) = [one for one in cli.json("operations", "--kind", "create") if one["rpcs"] == 15][:1]
    export(cli, receiver, "--request-id", boot["request_id"])
    spans = receiver.spans()
    root = next(one for one in spans if not one["parent"])
    assert (root["name"], root["kind"], root["attributes"]["openstack.request_id"]) == (
        "create", "INTERNAL", boot["request_id"],
    )  # fmt: skip
    assert Counter(one["kind"] for one in spans)["CLIENT"] == boot["by_cause"]["calls"]
    build = next(one for one in spans if one["name"] == "process compute/build_and_run_instance")
    assert build["resource"]["service.name"] == "nova-compute"
    assert build["resource"]["host.name"] == boot["dest_host"]
    said = build["attributes"]
    assert said["rpc.system.name"] == "oslo.messaging"
    assert said["messaging.system"] == "rabbitmq"
    assert said["rpc.method"] == "compute/build_and_run_instance"
    assert said["messaging.destination.name"] == f"nova:compute.{boot['dest_host']}"
    assert said["messaging.destination.template"] == "nova:compute.{host}"
    assert said["messaging.message.body.size"] > 1000
    fanout = next(one for one in spans if one["name"] == "fanout scheduler/update_instance_info")
    assert fanout["attributes"]["messaging.destination.name"] == "scheduler_fanout"
    conductors = {one["resource"]["service.instance.id"] for one in spans if one["kind"] == "SERVER"}
    assert all(name.rpartition(":")[2].isdigit() for name in conductors)


def test_what_failed_and_what_timed_out_is_an_error_and_an_expected_failure_is_none(
    cli: Cli, receiver: Receiver
) -> None:
    export(cli, receiver)
    spans = receiver.spans()
    failed = {one["name"]: one["error"] for one in spans if one["error"]}
    assert failed["scheduler/select_destinations"].startswith("NoValidHost")
    timed_out = next(one for one in spans if one["error"] == "MessagingTimeout" and one["kind"] == "CLIENT")
    assert timed_out["end"] - timed_out["start"] == timed_out["attributes"]["openstack.rpc.timeout_ms"] * 1_000_000
    flagged = [one for one in spans if "expected_failure" in one["attributes"].get("openstack.rpc.flags", ())]
    assert flagged
    assert all(one["attributes"]["error.type"] for one in flagged)
    assert not any(one["error"] for one in flagged)


def test_filters_and_samples_choose_whole_operations_the_same_each_time(
    cli: Cli, store: Store, receiver: Receiver
) -> None:
    def chosen(sampling: Sampling, **filters: Any) -> list[str]:
        receiver.requests.clear()
        with closing(HttpSender(endpoint(receiver.url))) as sender:
            courier = Courier(sender, "it", pause=lambda _: True, patience_s=0)
            wanted, mark = OperationFilter(**filters), Bookmark(choice="")
            StoredExport(store.reader(), courier, wanted=wanted, sampling=sampling, mark=mark).run()
        return sorted(one["attributes"]["openstack.request_id"] for one in receiver.spans() if not one["parent"])

    everything = cli.json("operations", "--all")

    def listed(*kinds: str, **words: Any) -> list[str]:
        fits = [one for one in everything if all(one[name] == value for name, value in words.items())]
        return sorted(one["request_id"] for one in fits if not kinds or one["kind"] in kinds)

    assert chosen(Sampling()) == listed(background=False)
    assert chosen(Sampling(background=True)) == listed()
    assert chosen(Sampling(kinds=("evacuate", "delete"))) == listed("evacuate", "delete")
    half = chosen(Sampling(kinds=("create",), shares=shares(["create=0.5"])))
    assert chosen(Sampling(shares=shares(["*=0.5"])), kind="create") == half
    failed = listed("create", status="failed")
    assert chosen(Sampling(shares=shares(["create=0"])), kind="create") == failed != []
    assert len(failed) < len(half) < len(listed("create"))
    assert set(failed) < set(half)
    assert chosen(Sampling(errors_only=True), kind="create") == failed
    assert chosen(Sampling(), until_ns=1) == []


def test_the_options_of_the_command_choose_operations(cli: Cli, receiver: Receiver) -> None:
    told = export(
        cli, receiver, "--kind", "create", "--kind", "delete", "--sample", "create=0", "--since", "2020-01-01"
    )
    found = {one["attributes"]["openstack.operation.kind"] for one in receiver.spans() if not one["parent"]}
    assert found == {"create", "delete"}
    assert told["operations"] < len(cli.json("operations", "--kind", "create"))


def test_run_again_with_its_resume_file_it_sends_only_what_is_new(cli: Cli, receiver: Receiver, tmp_path: Path) -> None:
    options = ("--resume-file", str(tmp_path / "mark.json"))
    receiver.answers += [None, (400, b"no")]
    broken = cli.run("export", "otlp", "--endpoint", receiver.url, "--background", "--rate", "40", *options)
    assert (broken.code, "answers 400" in broken.sentence) == (1, True), broken
    sent = {one["id"] for one in receiver.spans()}
    export(cli, receiver, "--background", "--rate", "1000", *options)
    spans = receiver.spans()
    assert len(spans) == len({one["id"] for one in spans}) > len(sent) > 0
    assert export(cli, receiver, "--background", "--rate", "1000", *options)["operations"] == 0
    whole = export(cli, receiver, "--background")
    assert whole["spans"] == len(spans)
    assert {one["id"] for one in receiver.spans()} == {one["id"] for one in spans}


def test_a_resume_file_of_another_export_is_refused(cli: Cli, receiver: Receiver, tmp_path: Path) -> None:
    mark = tmp_path / "mark.json"
    export(cli, receiver, "--kind", "delete", "--resume-file", str(mark))
    run = ("export", "otlp", "--endpoint", receiver.url, "--resume-file", str(mark))
    assert "another" in cli.run(*run).sentence
    mark.write_text("[]")
    done = cli.run(*run)
    assert (done.code, "is no resume file" in done.sentence) == (2, True)
    receiver.requests.clear()
    done = cli.run(*run[:-1], str(tmp_path / "nowhere" / "mark.json"))
    assert (done.code, "can not be written" in done.sentence, receiver.requests) == (2, True, [])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_endpoint_that_is_not_there_is_named_without_its_password_and_what_to_do_is_said(
    cli: Cli, protocol: str
) -> None:
    url = f"http://me:PS7q-secret@127.0.0.1:{free_port()}"
    done = cli.run(
        "-vv", "export", "otlp", "--endpoint", url, "--protocol", protocol, "--patience", "1", "--header", "x-key=PS7q"
    )
    assert done.code == 1
    assert "can not be reached" in done.err
    assert "run this again" in done.err
    assert "PS7q" not in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("127.0.0.1:4318", "wants a URL such as http://127.0.0.1:4318"),
        ("ftp://127.0.0.1", "wants a URL"),
        ("http://127.0.0.1:99999", "wants a URL"),
        ("http://", "wants a URL"),
    ],
)
def test_what_is_no_endpoint_gets_a_sentence(cli: Cli, endpoint: str, words: str) -> None:
    done = cli.run("export", "otlp", "--endpoint", endpoint)
    assert (done.code, words in done.sentence) == (2, True), done


def test_a_boot_that_oslo_messaging_traced_in_pieces_is_one_trace_that_goes_on_with_the_first_of_them(
    tmp_path: Path, receiver: Receiver
) -> None:
    cli = new_cli(tmp_path)
    capture = CAPTURES.with_name("nova34-otlp") / "01_boot_1.jsonl.zst"
    assert cli.run("import", str(capture)).code == 0
    with CaptureReader(capture) as reader:
        decoder = Decoder(load_rules())
        seen = [decoder.decode(one) for batch in reader.batches() for one in batch if isinstance(one, Observation)]
    theirs = [one.trace_id for one in seen if isinstance(one, Message) and one.trace_id]
    assert len(set(theirs)) > 10
    export(cli, receiver, "--kind", "create", "--adopt-trace-ids")
    assert {one["trace"] for one in receiver.spans()} == {theirs[0]}
    receiver.requests.clear()
    export(cli, receiver, "--kind", "create")
    assert not {one["trace"] for one in receiver.spans()} & set(theirs)


def test_no_secret_leaves_in_a_trace(tmp_path: Path, receiver: Receiver) -> None:
    cli = new_cli(tmp_path)
    made = with_secrets(next(one for one in RAW_CAPTURES if one.name.startswith("01_boot")), tmp_path)
    assert "PS7q" in made.read_text()
    assert cli.run("import", str(made)).code == 0
    assert export(cli, receiver, "--background", "--header", "authorization=Bearer PS7q")["operations"] > 0
    for request in receiver.requests:
        assert b"PS7q" not in request.SerializeToString()
    assert all(headers["authorization"] == "Bearer PS7q" for headers in receiver.headers)
