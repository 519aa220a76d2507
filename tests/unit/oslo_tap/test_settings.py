"""Where a tap sends, and what is refused."""

from __future__ import annotations

import pytest

from rpcscope_oslo_tap.settings import BadAddress, Where, where


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("unix:/run/rpcscope/tap.sock", Where("/run/rpcscope/tap.sock")),
        ("unix:///run/rpcscope/tap.sock", Where("/run/rpcscope/tap.sock")),
        ("tcp://10.0.0.5:5999", Where("", "10.0.0.5", 5999)),
        ("tcp://[::1]:5999", Where("", "::1", 5999)),
    ],
)
def test_a_recorder_is_a_unix_socket_or_a_tcp_port(text: str, meant: Where) -> None:
    assert where({}, {"RPCSCOPE_TAP": text}) == meant


def test_the_transport_url_wins_over_the_environment() -> None:
    found = where({"rpcscope_tap": "unix:/a"}, {"RPCSCOPE_TAP": "unix:/b"})
    assert found == Where("/a")


def test_nobody_is_told_where_nobody_is_named() -> None:
    assert where({}, {}) is None


@pytest.mark.parametrize(
    "text",
    ["/run/tap.sock", "unix:tap.sock", "tcp://elsewhere", "tcp://user:PS7q@host:1", "tcp://host:99999", "udp://h:1"],
)
def test_another_address_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(BadAddress) as refused:
        where({}, {"RPCSCOPE_TAP": text})
    assert text not in str(refused.value)
    assert "PS7q" not in str(refused.value)
