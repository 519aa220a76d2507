"""Several brokers on one command line: which URL belongs to which."""

from __future__ import annotations

from pathlib import Path

import pytest

from rpcscope.cli.brokers import Place, places
from rpcscope.errors import UsageError

API = "rabbit://u:p@api1:5672,u:p@api2:5672/nova"
CELL = "rabbit://u:p@cell1:5672/nova"
TWIN = "rabbit://u:p@api1:5672,u:p@api2:5672/neutron"
PORT = "rabbit://u:p@cell1:5673/nova"


def managed(found: list[Place]) -> list[tuple[str, ...]]:
    return [place.management_urls for place in found]


def test_of_one_broker_every_url_is_its_own_whatever_its_host() -> None:
    urls = ("http://elsewhere:15672", "http://admin:a=b@other:15672")
    assert managed(places([API], [], urls)) == [urls]


def test_a_url_belongs_to_the_broker_of_its_host() -> None:
    found = places([API, CELL], [], ["http://cell1:15672", "http://a:b@api2:15672", "http://api1:15672"])
    assert managed(found) == [("http://a:b@api2:15672", "http://api1:15672"), ("http://cell1:15672",)]
    measured = places([API, CELL], [], [], ["http://cell1:15692"])
    assert [place.prometheus_urls for place in measured] == [(), ("http://cell1:15692",)]


def test_vhosts_of_one_cluster_share_its_urls() -> None:
    url = "http://api1:15672"
    assert managed(places([API, TWIN, CELL], [], [url])) == [(url,), (url,), ()]


def test_a_host_and_port_tells_brokers_of_one_host_apart() -> None:
    found = places([CELL, PORT], [], ["cell1:5673=http://cell1:15673"])
    assert managed(found) == [(), ("http://cell1:15673",)]


def test_a_vhost_names_its_broker() -> None:
    found = places([API, TWIN], [], ["neutron=http://api1:15672"])
    assert managed(found) == [(), ("http://api1:15672",)]


@pytest.mark.parametrize(
    ("brokers", "url"),
    [
        ([API, CELL], "http://a:PS7q@elsewhere:15672"),  # of nobody
        ([CELL, PORT], "http://a:PS7q@cell1:15672"),  # of nobody knows which
        ([API, CELL], "cell2=http://a:PS7q@cell1:15672"),  # names none
        ([API], "cell2=http://a:PS7q@cell1:15672"),
        ([API, CELL], "http://a:PS7q@[broken"),
    ],
)
def test_a_url_of_nobody_knows_which_broker_is_refused_without_repeating_it(brokers: list[str], url: str) -> None:
    with pytest.raises(UsageError, match="write VHOST=URL or HOST:PORT=URL") as caught:
        places(brokers, [], [url])
    assert "PS7q" not in str(caught.value)


def test_the_same_broker_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="named twice"):
        places([API, CELL, API], [], [])


def test_no_broker_or_brokers_in_two_ways_are_refused() -> None:
    for urls, files in (([], []), ([API], [Path("nova.conf")])):
        with pytest.raises(UsageError, match="one of --transport-url and --config-file"):
            places(urls, files, [])
