"""Rules: what is known of methods, and what a user's own file may add."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rpcscope.errors import UsageError
from rpcscope.model import Event, Message, MessageKind, Status
from rpcscope.rules import Rules, load_rules
from rpcscope.rules.load import parse_match
from tests.support.memory import Memory, record
from tests.support.nova import Nova

Own = Callable[[str], Rules]


@pytest.fixture
def own(tmp_path: Path) -> Own:
    """Loads the shipped rules with a user's file before them."""

    def load(text: str) -> Rules:
        path = tmp_path / "mine.toml"
        path.write_text(text, "utf-8")
        load_rules.cache_clear()
        return load_rules(path)

    return load


@pytest.fixture
def nova() -> Nova:
    return Nova()


def seen(nova: Nova, rules: Rules) -> Memory:
    return record([nova.bus.topology(), *nova.bus.events], rules=rules)


# ------------------------------------------------------------------ matches


def test_a_match_has_a_topic_a_method_and_facts() -> None:
    match = parse_match("compute*: rebuild_instance +recreate -same_flavor")
    assert match.method == "rebuild_instance"
    assert match.fits("compute-alt", frozenset({"recreate"}))
    assert not match.fits("conductor", frozenset({"recreate"}))
    assert not match.fits("compute", frozenset())
    assert not match.fits("compute", frozenset({"recreate", "same_flavor"}))


@pytest.mark.parametrize("text", ["", "compute", "compute:", "compute: ", "compute:stop_instance"])
def test_a_match_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not of the form"):
        parse_match(text)


def test_the_shipped_rules_name_kinds_that_exist() -> None:
    rules = load_rules()
    for rows in rules.evidence.values():
        assert {kind for _, kind, _ in rows} <= set(rules.kinds)
        assert [rank for *_, rank in rows] == sorted((rank for *_, rank in rows), reverse=True)
    for name, kind in rules.kinds.items():
        assert kind.background == name.startswith(("periodic:", "startup:"))


@pytest.mark.parametrize(
    ("method", "topic", "server", "end"),
    [
        ("build_and_run_instance", "compute", "h", "compute__do_build_and_run_instance"),
        ("stop_instance", "compute", "h", "compute_stop_instance"),
        ("resize_instance", "compute-alt", "h", "compute_resize_instance"),
        ("live_migration", "compute-alt", "h", "step"),
        ("rebuild_instance", "conductor", "", "relay"),
        ("rebuild_instance", "compute", "h", "compute_rebuild_instance"),
        ("external_instance_event", "compute", "h", ""),
        ("port_update", "q-agent", "h", ""),
    ],
)
def test_how_a_cast_is_seen_to_end(method: str, topic: str, server: str, end: str) -> None:
    assert load_rules().end_of(cast(method, topic, server)) == end


def cast(method: str, topic: str, server: str) -> Message:
    return Message(
        event=Event.PUBLISH, kind=MessageKind.CAST, at_ns=1, clock=0, size=1, unique_id="0" * 32, connection="",  # type: ignore[arg-type]
        channel=1, exchange="nova", topic=topic, server=server, queue="", routed=1, broker_redelivered=False,
        tap_redelivered=False, method=method, namespace="", version="", msg_id="", reply_q="", expiration_ms=None,
        monitor_s=None, request_id="", global_request_id="", project_id="", trace_id="", instances=(),
        instance_host="", facts=frozenset(), failure="",
    )  # fmt: skip


# ------------------------------------------------------------------ a user's own


def test_a_user_may_name_a_kind_of_his_own(own: Own, nova: Nova) -> None:
    rules = own('[[kind]]\nname = "warm-up"\nstart = ["compute: warm_up"]\nsource = ["compute: warm_up"]\n')
    rid = nova.bus.request_id()
    nova.on_compute(rid, "warm_up", nova.bus.uuid(), "compute-2")
    found = seen(nova, rules).operation(rid)
    assert (found.kind, found.source_host, found.complete) == ("warm-up", "compute-2", True)


def test_a_user_may_add_evidence_to_a_shipped_kind_and_keeps_the_rest_of_it(own: Own, nova: Nova) -> None:
    rules = own('[[kind]]\nname = "create"\nstart = ["compute: build_here"]\n')
    one, two, server = nova.bus.request_id(), nova.bus.request_id(), nova.bus.uuid()
    nova.on_compute(one, "build_here", server)
    nova.boot(two, [server], "compute-3")
    memory = seen(nova, rules)
    assert memory.operation(one).kind == "create"
    assert (memory.operation(two).kind, memory.operation(two).dest_host) == ("create", "compute-3")
    assert rules.kinds["create"].title == "boot a server"


def test_of_equal_evidence_the_users_comes_first(own: Own, nova: Nova) -> None:
    rules = own('[[kind]]\nname = "halt"\nstart = ["compute: stop_instance"]\n')
    rid = nova.bus.request_id()
    nova.on_compute(rid, "stop_instance", nova.bus.uuid())
    assert seen(nova, rules).operation(rid).kind == "halt"


def test_a_user_may_add_facts(own: Own, nova: Nova) -> None:
    rules = own(
        '[[fact]]\nname = "big"\nmethods = ["stop_instance"]\npath = "instance.flavor.flavorid"\nequals = "m1"\n'
        '[[kind]]\nname = "stop-big"\nstart = ["compute: stop_instance +big"]\n'
    )
    rid = nova.bus.request_id()
    nova.on_compute(rid, "stop_instance", nova.bus.uuid())
    assert seen(nova, rules).operation(rid).kind == "stop-big"


def test_a_user_may_say_which_failures_are_normal(own: Own, nova: Nova) -> None:
    text = '[[expected]]\nmethod = "select_destinations"\nfailures = ["NoValidHost"]\n'
    rid, server = nova.bus.request_id(), nova.bus.uuid()
    nova.schedule(rid, [server])
    nova.select(rid, [server], failure="NoValidHost")
    assert seen(nova, load_rules()).operation(rid).status is Status.FAILED
    assert seen(nova, own(text)).operation(rid).status is not Status.FAILED
    assert own(text).is_expected("object_class_action_versions(Instance.get_by_uuid)", "InstanceNotFound")


def test_a_user_may_say_how_a_cast_ends(own: Own, nova: Nova) -> None:
    rules = own('[[cast]]\nmethod = "stop_instance"\nend = "unseen"\n')
    rid = nova.bus.request_id()
    nova.on_compute(rid, "stop_instance", nova.bus.uuid())
    assert seen(nova, rules).operation(rid).owed_call == 0


@pytest.mark.parametrize(
    "text",
    [
        "[[kind]",
        "kind = 1",
        "[[kinds]]\nname = 'x'",
        "[[kind]]\ntitle = 'no name'",
        "[[kind]]\nname = 1",
        "[[kind]]\nname = 'x'\nstart = 'compute: stop_instance'",
        "[[kind]]\nname = 'x'\nstart = ['compute stop_instance']",
        "[[kind]]\nname = 'x'\nstart = [1]",
        "[[kind]]\nname = 'x'\nstat = ['compute: stop_instance']",
        "[[kind]]\nname = 'x'\nsource = 'somewhere'",
        "[kind]\nname = 'x'",
        "[[fact]]\nname = 'x'",
        "[[fact]]\nname = 'x'\nmethods = ['m']",
        "[[fact]]\nname = 'x'\nmethods = 'm'\npresent = 'a'",
        "[[fact]]\nname = 'x'\nmethods = ['m']\nequals = 1",
        "[[fact]]\nname = 'x'\nmethods = ['m']\npresent = 1",
        "[[cast]]\nend = 'unseen'",
        "[[cast]]\nmethod = 'm'\nend = 'whenever'",
        "[[expected]]\nmethod = 'm'",
        "[[expected]]\nmethod = 'm'\nfailures = 'Boom'",
        "[methods]\nleaves = 'ping'",
        "[methods]\nleafs = ['ping']",
        "methods = []",
        "follows = []",
        "[follows]\na = 1",
    ],
)
def test_a_file_of_another_shape_is_told_in_a_sentence(own: Own, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        own(text)
    sentence = str(caught.value)
    assert "mine.toml" in sentence
    assert "\n" not in sentence
    assert len(sentence.split()) > 5


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"\x00" * 10])
def test_a_file_that_can_not_be_read_is_told_in_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"mine\.toml can not be read"):
        load_rules(path)


def test_a_folder_is_no_rules_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can not be read"):
        load_rules(tmp_path)
