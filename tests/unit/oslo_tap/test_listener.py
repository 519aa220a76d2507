"""Who may tell a recorder, and what becomes of what liars, strangers and broken connections send."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcscope.errors import UsageError
from rpcscope.model import Gap, GapCause, Inside
from rpcscope_collectors.listen_address import ListenAddress, listen_address
from rpcscope_collectors.listener import Listener
from rpcscope_collectors.tellers import Tellers
from rpcscope_oslo_tap.channel import GONE, SENT, TcpChannel
from rpcscope_oslo_tap.settings import Where
from tests.support import oslo_tap as inside

TOKEN = "PS7q-a-token-of-a-cloud"
HEAD = {"program": "nova-compute", "pid": 7, "host": "compute-1", "start": "0123456789abcdef", "first": 0, "lost": 0}
ROW = {"source": "driver", "side": "CLIENT", "kind": "CAST", "program": "nova-compute", "pid": 7, "host": "compute-1"}
NOW = 1_795_163_788_000_000_000


def datagram(first: int, lines: int, **head: object) -> list[bytes]:
    rows = [{"inside": {**ROW, "unique_id": f"{first + n:032x}"}} for n in range(lines)]
    return [json.dumps(row).encode() for row in ({"tap": {**HEAD, "first": first, **head}}, *rows)]


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    monkeypatch.setenv("RPCSCOPE_TAP_TOKEN", TOKEN)
    with Listener([listen_address("tcp://127.0.0.1:0")], TOKEN) as listener:
        yield listener


def there(listener: Listener) -> Where:
    (address,) = listener.addresses
    return Where("", address.host, address.port)


def test_who_knows_the_token_is_heard_over_tcp(guarded: Listener) -> None:
    channel = TcpChannel(there(guarded))
    assert channel.send(b"\n".join(datagram(0, 3)) + b"\n") == SENT
    assert len(inside.heard(guarded, lambda told: len(told) == 3)) == 3
    channel.close()


def test_who_does_not_know_the_token_is_not_heard_and_the_log_holds_no_secret(
    guarded: Listener, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RPCSCOPE_TAP_TOKEN", "another-PS7q-token-of-a-cloud")
    stranger = TcpChannel(there(guarded))
    while stranger.send(b"\n".join(datagram(0, 1)) + b"\n") != GONE:
        """Until it is shown the door."""
    monkeypatch.setenv("RPCSCOPE_TAP_TOKEN", TOKEN)
    friend = TcpChannel(there(guarded))
    friend.send(b"\n".join(datagram(10, 1)) + b"\n")
    (told,) = inside.heard(guarded, lambda told: len(told) == 1)
    assert told.unique_id == f"{10:032x}"
    assert "does not know the token" in caplog.text
    assert "PS7q" not in caplog.text
    stranger.close()
    friend.close()


def test_the_token_does_not_travel(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    with socket.create_server(("127.0.0.1", 0)) as door:
        channel = TcpChannel(Where("", "127.0.0.1", door.getsockname()[1], str(file)))
        door.settimeout(inside.GIVE_UP_S)
        sender = threading.Thread(target=channel.send, args=(b"line\n",))
        sender.start()
        connection, _ = door.accept()
        with connection:
            connection.sendall(b'{"rpcscope_tap": 1, "nonce": "n"}\n')
            sent = connection.makefile("rb").readline()
            sender.join()
        channel.close()
    assert json.loads(sent).keys() == {"proof"}
    assert TOKEN.encode() not in sent


@pytest.mark.parametrize("address", ["tcp://0.0.0.0:5999", "tcp://10.0.0.5:5999", "tcp://[::]:5999", "tcp://api1:5999"])
def test_other_hosts_may_not_tell_without_a_token(address: str) -> None:
    with pytest.raises(UsageError, match="--listen-token-file"):
        Listener([listen_address(address)])


@pytest.mark.parametrize(
    "text", ["5999", "unix:tap.sock", "tcp://127.0.0.1", "http://127.0.0.1:1", "unix:/" + "x" * 200]
)
def test_an_address_of_another_form_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(UsageError):
        listen_address(text)


def test_an_address_where_another_recorder_listens_is_refused(tmp_path: Path) -> None:
    address = listen_address(inside.unix_address(tmp_path))
    with Listener([address]), pytest.raises(UsageError, match="another recorder"):
        Listener([address]).open()
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UsageError, match="another port"):
        Listener([ListenAddress("", "127.0.0.1", taken.getsockname()[1])]).open()


def test_a_socket_that_a_killed_recorder_left_is_taken_over_and_another_file_is_not(tmp_path: Path) -> None:
    address = listen_address(inside.unix_address(tmp_path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as left:
        left.bind(address.path)
    with Listener([address]):
        assert Path(address.path).is_socket()
    Path(address.path).write_text("somebody's file")
    with pytest.raises(UsageError, match="another path"):
        Listener([address]).open()
    assert Path(address.path).read_text() == "somebody's file"


def test_what_is_missing_between_two_heads_is_a_gap_of_that_process() -> None:
    tellers = Tellers()
    tellers.take(datagram(0, 2), NOW)
    gap, *told = tellers.take(datagram(5, 1), NOW + 10).sightings
    assert gap == Gap(
        from_ns=NOW, to_ns=NOW + 10, cause=GapCause.INSIDE, estimate=3, note="nova-compute:7 on compute-1"
    )
    assert len(told) == 1


def test_what_a_process_had_to_drop_is_a_gap() -> None:
    (gap,) = Tellers().take(datagram(0, 0, lost=9, lost_from_ns=NOW - 100, lost_to_ns=NOW - 50), NOW).sightings
    assert isinstance(gap, Gap)
    assert (gap.from_ns, gap.to_ns, gap.estimate) == (NOW - 100, NOW, 9)


@given(st.integers(0, 6), st.integers(0, 6))
def test_lines_that_come_twice_because_a_connection_broke_are_heard_once(whole: int, written: int) -> None:
    tellers = Tellers()
    taken = tellers.take(datagram(0, whole), NOW)
    heard = [*taken.sightings, *tellers.take(datagram(whole, 6)[: 1 + written], NOW, taken.teller).sightings]
    heard += tellers.take(datagram(whole, 6), NOW).sightings
    assert [one.unique_id for one in heard if isinstance(one, Inside)] == [f"{n:032x}" for n in range(whole + 6)]
    assert not [one for one in heard if isinstance(one, Gap)]


@given(
    st.lists(st.binary(max_size=80) | st.sampled_from([b'{"tap": {}}', b'{"inside": {}}', b"[]", b"{"]), max_size=20)
)
def test_whatever_comes_is_refused_and_counted_and_nothing_breaks(lines: list[bytes]) -> None:
    tellers = Tellers()
    assert not [one for one in tellers.take(lines, NOW).sightings if isinstance(one, Inside)]
    assert tellers.rejected == len([line for line in lines if line.strip()])


def test_names_that_a_liar_sends_are_made_safe(tmp_path: Path) -> None:
    tellers = Tellers()
    bad = "x\0\u202e<script>"
    lines = datagram(0, 0, program=bad, host=bad, lost=1, sent={bad: 3, "nova": "many"})
    (gap,) = tellers.take(lines, NOW).sightings
    assert "script" not in repr(gap)
    assert "script" not in repr(tellers.all())
    assert [list(teller.sent.values()) for teller in tellers.all()] == [[3]]
