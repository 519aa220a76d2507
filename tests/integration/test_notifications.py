"""Notifications of real oslo.messaging notifiers: a copy is taken, nothing is stolen, and each is there once."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rpcscope.decode import Decoder
from rpcscope.errors import BrokerError
from rpcscope.model import Gap, GapCause, Message, Observation
from rpcscope.rules import load_rules
from rpcscope_collectors.notifications import NotificationTap
from tests.support.cli import Cli, new_cli
from tests.support.notifying import GIVE_UP_S, Teller, reader, teller
from tests.support.rabbitmq import Cloud
from tests.support.recording import broker_options, is_left
from tests.support.wire import enveloped, request

pytestmark = pytest.mark.server
GB = 10**9
MIGRATION = "2f58666f-6fa2-4915-b79c-d9829f11798c"
OURS = "rpcscope.tap.default.notifications"


def payload(server: str, **data: Any) -> dict[str, Any]:
    """As nova's versioned notifications have it."""
    return {"nova_object.name": "InstanceActionPayload", "nova_object.data": {"uuid": server, **data}}


def taken(tap: NotificationTap, count: int) -> list[Message]:
    """So many notifications, each acknowledged."""
    decoder, found = Decoder(load_rules()), list[Message]()
    deadline = time.monotonic() + GIVE_UP_S
    while len(found) < count:
        for seen in tap.take(100):
            assert isinstance(seen, Observation), seen
            message = decoder.decode(seen)
            assert isinstance(message, Message)
            found.append(message)
        tap.ack()
        assert time.monotonic() < deadline, f"only {len(found)} came"
        time.sleep(0.02)
    return found


def wait_until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    while not what():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


# ------------------------------------------------------------------ the tap


def test_both_formats_are_taken_and_who_reads_them_already_gets_all(cloud: Cloud) -> None:
    server, rid = str(uuid.uuid4()), f"req-{uuid.uuid4()}"
    with reader(cloud) as other, teller(cloud) as nova:
        nova.tell("before", {})
        assert other.wait_for(1) == ["before"]
        tap = NotificationTap(cloud.broker)
        tap.open()
        for n in range(20):
            nova.tell(f"instance.step{n}.end", payload(server, host="compute-1", state="active"), rid)
        nova.tell("compute.instance.create.error", {"instance_id": server}, rid, driver="messaging", level="error")
        found = taken(tap, 21)
        assert sorted(other.wait_for(22)) == sorted(["before", *(m.method for m in found)])
        tap.close()
    assert {message.instances for message in found} == {(server,)}
    assert {message.request_id for message in found} == {rid}
    assert {message.topic for message in found} == {"versioned_notifications.info", "notifications.error"}
    assert OURS not in cloud.management.queues(cloud.vhost)


def test_other_exchanges_and_topics_are_taken_where_they_are_named(cloud: Cloud) -> None:
    connection = cloud.connect()
    channel = connection.channel()
    channel.exchange_declare("swift", "topic")
    tap = NotificationTap(cloud.broker, exchanges=["swift"], topics=["told"])
    tap.open()
    for key in ("told.info", "notifications.info", "conductor"):
        channel.basic_publish(
            "swift", key, b'{"event_type": "object.put", "payload": {}, "message_id": "%d"}' % len(key)
        )
    assert [message.topic for message in taken(tap, 1)] == ["told.info"]
    tap.close()
    assert tap.take(10) == []
    connection.close()


def test_a_vhost_without_any_of_the_exchanges_is_said(cloud: Cloud) -> None:
    with pytest.raises(BrokerError, match="has none of the exchanges"):
        NotificationTap(cloud.broker).open()
    assert OURS not in cloud.management.queues(cloud.vhost)


def test_what_was_not_acknowledged_comes_to_the_next_one(cloud: Cloud) -> None:
    with teller(cloud) as nova:
        nova.tell("first", {})  # declares the exchange
        tap = NotificationTap(cloud.broker)
        tap.open()
        nova.tell("instance.create.start", {})
        wait_until(lambda: tap.backlog > 0)
        (seen,) = _events(tap)
        tap.close()
        tap.close()
        again = NotificationTap(cloud.broker)
        again.open()
        (message,) = taken(again, 1)
        again.close()
    assert (message.method, message.tap_redelivered) == ("instance.create.start", True)
    assert seen.exchange
    assert OURS not in cloud.management.queues(cloud.vhost)


def test_a_hole_is_a_gap_of_this_tap_alone(cloud: Cloud) -> None:
    with teller(cloud) as nova:
        nova.tell("first", {})
        tap = NotificationTap(cloud.broker)
        tap.open()
        cloud.server.ctl("close_all_connections", "--vhost", cloud.vhost, "test")
        gaps: list[Gap] = []

        def is_told() -> bool:
            gaps.extend(seen for seen in tap.take(100) if isinstance(seen, Gap))
            return bool(gaps)

        wait_until(is_told)
        nova.tell("instance.create.end", {})
        assert [message.method for message in taken(tap, 1)] == ["instance.create.end"]
        tap.close()
    assert tap.backlog == 0
    assert (gaps[0].cause, gaps[0].note.partition(":")[0]) == (GapCause.INSIDE, "notifications")


def _events(tap: NotificationTap) -> list[Observation]:
    found: list[Observation] = []
    deadline = time.monotonic() + GIVE_UP_S
    while not found:
        found += [seen for seen in tap.take(10) if isinstance(seen, Observation)]
        assert time.monotonic() < deadline
    return found


# ------------------------------------------------------------------ the command


def url(cloud: Cloud) -> str:
    return cloud.server.transport_url(cloud.vhost)


def boot(nova: Teller, rid: str, server: str, failure: str = "") -> None:
    """Told in versioned notifications from the start to the end, or to a failure."""
    nova.tell("instance.create.start", payload(server, state="building"), rid)
    if failure:
        fault = {"nova_object.name": "ExceptionPayload", "nova_object.data": {"exception": failure}}
        nova.tell("instance.create.error", payload(server, state="error", fault=fault), rid, level="error")
    else:
        nova.tell("instance.create.end", payload(server, state="active", host="compute-1"), rid)


def recorded(cli: Cli, request_ids: list[str]) -> list[dict[str, Any]]:
    """The operations, once all are in the database and over."""
    found: list[dict[str, Any]] = []

    def are_there() -> bool:
        found[:] = [one for one in cli.json("operations", "--all") if one["request_id"] in request_ids]
        return len(found) == len(request_ids) and all(one["status"] in ("done", "failed") for one in found)

    wait_until(are_there)
    return sorted(found, key=lambda one: request_ids.index(one["request_id"]))


def test_alone_notifications_make_operations(cloud: Cloud, tmp_path: Path) -> None:
    cli, servers = new_cli(tmp_path), [str(uuid.uuid4()) for _ in range(2)]
    rids = [f"req-{uuid.uuid4()}" for _ in servers]
    with teller(cloud) as nova:
        nova.tell("first", {})
        with cli.running("record", "--notifications", url(cloud)) as recorder:
            recorder.wait_for("recording")
            boot(nova, rids[0], servers[0])
            boot(nova, rids[1], servers[1], "NoValidHost")
            good, bad = recorded(cli, rids)
            assert recorder.end().code == 0
    assert (good["kind"], good["status"], good["instances"]) == ("create", "done", [servers[0]])
    assert (bad["kind"], bad["status"], bad["error"]) == ("create", "failed", "NoValidHost")
    assert (good["notifications"], good["rpcs"]) == (2, 0)
    assert not cloud.is_traced()
    assert not is_left(cloud)


@pytest.mark.parametrize("mode", ["full", "bindings"])
def test_seen_by_another_tap_too_a_notification_is_one(cloud: Cloud, tmp_path: Path, mode: str) -> None:
    cli, server, rid = new_cli(tmp_path), str(uuid.uuid4()), f"req-{uuid.uuid4()}"
    with teller(cloud) as nova:
        nova.tell("first", {})
        options = (*broker_options(cloud), "--mode", mode, "--notifications")
        with cli.running("record", *options) as recorder:
            recorder.wait_for("recording")
            boot(nova, rid, server)
            (one,) = recorded(cli, [rid])
            assert recorder.end().code == 0
    assert (one["status"], one["notifications"]) == ("done", 2)
    (recording,) = cli.json("db", "status")["recordings"]
    assert (recording["decoded"], recording["duplicates"]) == (4, 2)
    assert not is_left(cloud)


def test_names_without_notifications_are_refused_with_a_sentence(tmp_path: Path) -> None:
    done = new_cli(tmp_path).run("record", "--notification-topic", "told")
    assert done.code == 2
    assert "--notifications" in done.sentence


def test_without_a_broker_it_has_to_say_from_where(tmp_path: Path) -> None:
    done = new_cli(tmp_path).run("record", "--notifications")
    assert done.code == 2
    assert "transport URL" in done.sentence


# ------------------------------------------------------------------ live migrations


def save(server: str, rid: str, remaining: int, sent: int) -> bytes:
    """As a compute sends it to the conductor while it moves a server; sizes in GB."""
    data = {
        "uuid": MIGRATION, "instance_uuid": server, "status": "running", "memory_total": 64 * GB,
        "memory_processed": sent * GB, "memory_remaining": remaining * GB,
    }  # fmt: skip
    action = {"objinst": {"nova_object.name": "Migration", "nova_object.data": data}, "objmethod": "save"}
    inner = request(
        method="object_action", args=action, _unique_id=uuid.uuid4().hex, _msg_id=uuid.uuid4().hex,
        _context_request_id=rid,
    )  # fmt: skip
    return enveloped(inner)


def test_a_migration_that_does_not_converge_is_told_while_it_goes_on(cloud: Cloud, tmp_path: Path) -> None:
    cli, server, rid = new_cli(tmp_path), str(uuid.uuid4()), f"req-{uuid.uuid4()}"
    connection = cloud.connect()
    channel = connection.channel()
    channel.exchange_declare("nova", "topic")
    channel.queue_bind(channel.queue_declare("conductor").method.queue, "nova", "conductor")
    with cli.running("record", *broker_options(cloud), "--mode", "publish") as recorder:
        recorder.wait_for("recording")
        for number, remaining in enumerate((64, 40, 20)):
            channel.basic_publish("nova", "conductor", save(server, rid, remaining, 24 * number))
        wait_until(lambda: len(migrations(cli, rid)) == 3)
        assert "endless-migrations" not in flags(cli)
        for number in range(8):
            channel.basic_publish("nova", "conductor", save(server, rid, 21, 60 + 20 * number))
        wait_until(lambda: len(migrations(cli, rid)) == 11)
        assert flags(cli)["endless-migrations"]["level"] == "warn"
        (row,) = flags(cli)["endless-migrations"]["evidence"]
        assert (row["what"], row["key"]) == (server, rid)
        shown = cli.ok("show", rid)
        assert "not converging" in shown
        assert "21.0 GB left of pass" in shown
        assert recorder.end().code == 0
    connection.close()


def migrations(cli: Cli, rid: str) -> list[dict[str, Any]]:
    """Samples of the one migration; none while nothing is stored."""
    if not any(one["request_id"] == rid for one in cli.json("operations", "--all")):
        return []
    (found,) = cli.json("show", rid)["migrations"]
    return list(found["samples"])


def flags(cli: Cli) -> dict[str, Any]:
    """Red flags that are up, by name."""
    done = cli.run("doctor", "--format", "json")
    assert done.code in (0, 1), done.err
    return {flag["name"]: flag for flag in json.loads(done.out)["flags"]}
