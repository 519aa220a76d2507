"""A look into a queue of a live broker shows its first messages and changes nothing that matters, or is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rpcscope.errors import BrokerError, UsageError
from rpcscope.private_broker import PrivateBroker
from rpcscope_collectors.peek import MOST_BYTES, Peeked, peek
from rpcscope_collectors.peekable import PeekApi
from tests.support.casts import METHODS, body, cast, declare, drained, request_id
from tests.support.cli import PROGRAM, Cli, new_cli
from tests.support.queues import wait_for
from tests.support.rabbitmq import Cloud
from tests.support.recording import broker_options

pytestmark = pytest.mark.server
QUEUE = "compute.host-1"
SECRET = "PS7q-in-a-body"


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return new_cli(tmp_path)


def api(cloud: Cloud) -> PeekApi:
    return PeekApi(cloud.server.management_url, cloud.server.user, cloud.server.password)


def look(cloud: Cloud, queue: str = QUEUE, count: int = 5) -> Peeked:
    return peek(api(cloud), cloud.broker, queue, count)


def filled(cloud: Cloud, queue: str, messages: list[bytes], **arguments: Any) -> None:
    with closing(cloud.connect()) as connection:
        declare(connection.channel(), queue, **{f"x-{key.replace('_', '-')}": one for key, one in arguments.items()})
    cast(cloud, queue, messages)


def bodies(count: int) -> list[bytes]:
    return [body(METHODS[number % 3], request_id(), args={"password": SECRET}) for number in range(count)]


def where(cloud: Cloud) -> tuple[str, ...]:
    return (
        *("--transport-url", cloud.server.transport_url(cloud.vhost)),
        *("--management-url", cloud.server.management_url),
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"queue_mode": "lazy"},
        {"queue_version": 2},
        {"expires": 1_800_000},
        {"message_ttl": 600_000},
        {"single_active_consumer": True},
    ],
)
def test_a_queue_that_was_looked_into_gives_the_same_messages_in_the_same_order(
    cloud: Cloud, arguments: dict[str, Any]
) -> None:
    sent = bodies(60)
    for queue in ("seen", "unseen"):
        filled(cloud, queue, sent, **arguments)
    assert [message.body for message in look(cloud, "seen", 5).messages] == sent[:5]
    found = look(cloud, "seen", 50)
    assert [message.body for message in found.messages] == sent[:50]
    assert [message.redelivered for message in found.messages] == [True] * 5 + [False] * 45
    assert (found.type, found.consumers, found.cut) == ("classic", 0, False)
    untouched, after = drained(cloud, "unseen"), drained(cloud, "seen")
    assert [content for content, _ in after] == [content for content, _ in untouched] == sent
    assert [redelivered for _, redelivered in after] == [True] * 50 + [False] * 10


def test_what_is_published_during_a_look_stays_behind_what_is_looked_at(cloud: Cloud, tmp_path: Path) -> None:
    sent = bodies(20)
    filled(cloud, QUEUE, sent[:10])
    with held(cloud, 4) as other:
        cast(cloud, QUEUE, sent[10:])
        end(other, signal.SIGINT)
    wait_for(lambda: depth(cloud) == 20)
    assert [content for content, _ in drained(cloud, QUEUE)] == sent


def test_a_look_that_is_killed_half_way_loses_nothing_and_changes_no_order(cloud: Cloud) -> None:
    sent = bodies(30)
    filled(cloud, QUEUE, sent)
    for taken in (1, 17, 30):
        with held(cloud, taken) as other:
            assert depth(cloud) == 30 - taken
            end(other, signal.SIGKILL)
        wait_for(lambda: depth(cloud) == 30)
    assert [content for content, _ in drained(cloud, QUEUE)] == sent


def held(cloud: Cloud, count: int) -> subprocess.Popen[str]:
    """A process that looks, and stops before it gives back."""
    program = (
        "import signal, sys, time\n"
        "from rpcscope_collectors import peek, peekable, transport\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # who runs the tests may ignore it
        "def stop(channel): print('holds', flush=True); time.sleep(600)\n"
        "peek._give_back = stop\n"
        "url, user, password, broker, count = sys.argv[1:]\n"
        "api = peekable.PeekApi(url, user, password)\n"
        f"peek.peek(api, transport.from_transport_url(broker), {QUEUE!r}, int(count))\n"
    )
    server = cloud.server
    options = (server.management_url, server.user, server.password, server.transport_url(cloud.vhost), str(count))
    process = subprocess.Popen(
        [sys.executable, "-c", program, *options], text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "holds\n"
    return process


def end(process: subprocess.Popen[str], number: signal.Signals) -> None:
    process.send_signal(number)
    process.wait(60)


def depth(cloud: Cloud, queue: str = QUEUE) -> int:
    with closing(cloud.connect()) as connection:
        return int(connection.channel().queue_declare(queue, passive=True).method.message_count)


def test_a_stream_is_read_from_its_first_message_as_often_as_one_likes(cloud: Cloud) -> None:
    sent = bodies(8)
    filled(cloud, "scheduler_fanout", sent, queue_type="stream")
    for _ in range(2):
        found = look(cloud, "scheduler_fanout", 5)
        assert [message.body for message in found.messages] == sent[:5]
        assert (found.type, {message.redelivered for message in found.messages}) == ("stream", {False})
    assert len(look(cloud, "scheduler_fanout", 50).messages) == 8


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"queue_type": "quorum"}, "is a quorum queue: a message that is taken and given back loses its place"),
        ({"queue_type": "quorum", "delivery_limit": 1}, "`rabbitmq-queues peek --vhost cell-"),
        ({"max_length": 100}, "has the setting 'max-length'"),
        ({"max_priority": 5}, "has the setting 'max-priority'"),
    ],
)
def test_queues_that_might_be_harmed_are_refused_untouched(cloud: Cloud, arguments: Any, words: str) -> None:
    filled(cloud, QUEUE, bodies(3), **arguments)
    with pytest.raises(UsageError) as refused:
        look(cloud)
    assert words in str(refused.value)
    assert [redelivered for _, redelivered in drained(cloud, QUEUE)] == [False] * 3


def test_a_mirrored_queue_is_refused(cloud: Cloud) -> None:
    cloud.server.ctl("set_policy", "-p", cloud.vhost, "mirrors", ".*", '{"ha-mode": "all"}')
    filled(cloud, QUEUE, bodies(1))
    with pytest.raises(UsageError, match="has the setting 'ha-mode'"):
        look(cloud)


def test_a_queue_with_a_consumer_is_refused_also_before_the_management_api_knows_of_it(cloud: Cloud) -> None:
    filled(cloud, QUEUE, bodies(1))
    api(cloud).check(cloud.vhost, QUEUE)
    with closing(cloud.connect()) as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=1)
        channel.basic_consume(QUEUE, lambda *_: None)
        with pytest.raises(UsageError, match="has 1 consumers, which would get other messages"):
            look(cloud)


def test_exclusive_unknown_and_tap_queues_are_refused_in_a_sentence(cloud: Cloud) -> None:
    with closing(cloud.connect()) as connection:
        connection.channel().queue_declare("mine", exclusive=True)
        with pytest.raises(UsageError, match="mine is exclusive"):
            look(cloud, "mine")
    with pytest.raises(BrokerError, match="There is no such queue"):
        look(cloud, "nobody's/queue ?")
    with pytest.raises(UsageError, match="belongs to a tap"):
        look(cloud, "rpcscope.tap.default")


def test_a_management_api_of_another_broker_is_not_believed(cloud: Cloud) -> None:
    filled(cloud, QUEUE, bodies(1), queue_type="quorum")
    with PrivateBroker() as other:
        other.add_vhost(cloud.vhost)
        filled(replace(cloud, server=other), QUEUE, [])
        elsewhere = PeekApi(other.management_url, other.user, other.password)
        with pytest.raises(UsageError, match="is not known to be of the broker that is looked into"):
            peek(elsewhere, cloud.broker, QUEUE, 1)
    assert [redelivered for _, redelivered in drained(cloud, QUEUE)] == [False]


def test_a_user_without_the_right_to_read_is_told_so(cloud: Cloud) -> None:
    filled(cloud, QUEUE, bodies(1))
    cloud.server.add_user("blind", "secret", tags="monitoring")
    cloud.server.grant("blind", cloud.vhost, read="^nothing$")
    broker = type(cloud.broker)(hosts=cloud.broker.hosts, username="blind", password="secret", vhost=cloud.vhost)
    with pytest.raises(BrokerError, match="User blind lacks a right on the broker: a look into a queue needs read"):
        peek(api(cloud), broker, QUEUE, 1)


def test_bodies_that_are_too_large_end_the_look(cloud: Cloud) -> None:
    large = b"x" * (MOST_BYTES // 2 + 1)
    filled(cloud, QUEUE, [large] * 4)
    found = look(cloud, count=4)
    assert ([message.size for message in found.messages], found.cut) == ([len(large)] * 2, True)
    assert depth(cloud) == 4


def test_the_command_decodes_what_is_safe_and_shows_no_body(cloud: Cloud, cli: Cli) -> None:
    request = request_id()
    hostile = [b"\0\1\2", b"x" * 1_000_000, b'{"oslo.version": "2.0", "oslo.message": "{"}', "\u202e".encode() * 9, b""]
    odd = body("<b>not a method</b>\u202e", "no request id " + SECRET)
    filled(cloud, QUEUE, [body(METHODS[0], request, args={"password": SECRET}), odd, *hostile])
    options = ("queues", QUEUE, "--peek", "50", "--yes", *where(cloud))
    done = cli.run(*options, "--format", "json")
    assert (done.code, SECRET in done.out + done.err) == (0, False)
    assert done.sentence.startswith("how old they are is not known: ")
    shown = cli.run(*options).out
    assert f"{QUEUE} (classic): its first 7 messages.\n" in shown
    assert request in shown
    assert "not JSON" in shown
    for secret in (SECRET, "\u202e", "<b>", cloud.server.password):
        assert secret not in shown
    assert depth(cloud) == 7


def test_a_look_is_agreed_to_first_and_names_its_broker(cloud: Cloud, cli: Cli) -> None:
    filled(cloud, QUEUE, bodies(1))
    peeking = ("queues", QUEUE, "--peek", "1")
    assert "has to be agreed to: add --yes" in cli.refused(2, *peeking, *where(cloud))
    assert "give --management-url" in cli.refused(2, *peeking, "--yes", *where(cloud)[:2])
    assert "name the broker by one of" in cli.refused(2, *peeking, "--yes")
    assert "name the queue" in cli.refused(2, "queues", "--peek", "1", *where(cloud))
    assert "51 is not in the range" in cli.refused(2, "queues", QUEUE, "--peek", "51", *where(cloud))
    assert [redelivered for _, redelivered in drained(cloud, QUEUE)] == [False]


@pytest.mark.parametrize(("typed", "code", "marked"), [("n\n", 130, False), ("y\n", 0, True)])
def test_on_a_terminal_it_asks_and_does_nothing_after_a_no(
    cloud: Cloud, cli: Cli, typed: str, code: int, marked: bool
) -> None:
    filled(cloud, QUEUE, bodies(1))
    keyboard, terminal = os.openpty()
    os.write(keyboard, typed.encode())
    done = subprocess.run(
        [PROGRAM, "queues", QUEUE, "--peek", "1", *where(cloud)], env=cli.environment(), text=True, stdin=terminal,
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    os.close(keyboard)
    os.close(terminal)
    assert done.returncode == code, done
    assert f"The first message of {QUEUE} (127.0.0.1:{cloud.server.port} vhost {cloud.vhost}) is taken" in done.stderr
    assert "the broker marks" in done.stderr
    assert cloud.server.password not in done.stderr
    assert [redelivered for _, redelivered in drained(cloud, QUEUE)] == [marked]


def test_a_recorder_does_not_take_a_look_for_a_delivery_and_tells_how_old_the_messages_are(
    cloud: Cloud, cli: Cli
) -> None:
    filled(cloud, QUEUE, [])
    with cli.running("record", *broker_options(cloud)) as recorder:
        recorder.wait_for("rpcscope: recording")
        cast(cloud, QUEUE, bodies(3))
        wait_for(lambda: waits(cli) == 3)
        first, *_ = cli.json("queues", QUEUE, "--peek", "3", "--yes", *where(cloud))["messages"]
        assert (first["method"], first["kind"], first["redelivered"]) == (METHODS[0], "cast", False)
        assert first["age_ms"] > 0
        cast(cloud, QUEUE, bodies(1))  # behind the look, so once it is known, the look would be
        wait_for(lambda: waits(cli) == 4)
        drained(cloud, QUEUE)
        wait_for(lambda: waits(cli) == 0)
        assert recorder.end().code == 0


def waits(cli: Cli) -> int | None:
    (answer,) = cli.json("queues", QUEUE)["waiting"]
    found: int | None = answer["messages"]
    return found
