"""The life of diskless hosts: they join, die, are replaced, come back; failed checks are told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rpcscope.errors import UsageError
from rpcscope.fleet.host import HostState
from rpcscope.hooks.outside import RealOutside
from tests.unit.flows.support import play, small_fleet, states

TIMES = {"boot_image_s": 180.0, "check_s": 30.0, "detect_s": 60.0}


def test_new_hosts_are_checked_put_into_stock_booted_and_join() -> None:
    played = play("host-lifecycle", small_fleet({"4": 2}, {}, {}, diskless=True, timing=TIMES), failing=0)
    assert played.times("host registered") == [0, 0]
    assert played.times("host in stock") == [30, 30]
    assert played.times("host joined") == [240, 240]
    assert set(states(played.fleet).values()) == {HostState.UP}


def test_images_are_loaded_by_so_many_at_a_time() -> None:
    file = small_fleet(*[{}] * 5, diskless=True, timing=TIMES)
    played = play("host-lifecycle", file, failing=0, boots=2)
    assert played.times("host joined") == [240, 240, 450, 450, 660]
    assert played.story.peaks["hosts that boot"] == 2


def test_a_host_dies_loses_its_servers_and_joins_again_clean() -> None:
    played = play("host-lifecycle", small_fleet({"4": 4}, {"4": 4}, diskless=True, timing=TIMES))
    (died,) = played.events("host died")
    assert not played.fleet.hosts[died.host].servers
    assert played.times("host evacuated") == [60 + 2 * 20]
    assert played.times("host joined") == [100 + 180 + 30]
    assert len(played.fleet.servers) == 8
    assert set(states(played.fleet).values()) == {HostState.UP}


def test_hosts_die_one_after_the_other() -> None:
    file = small_fleet(*[{"4": 1}] * 5, diskless=True, timing=TIMES)
    assert play("host-lifecycle", file, failing=3, apart_s=100).times("host died") == [0, 100, 200]


class Told:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.events: list[Mapping[str, object]] = []

    async def command(self, argv: Sequence[str], timeout_s: float) -> bool:
        raise AssertionError

    def tell(self, url: str, event: Mapping[str, object]) -> None:
        assert url == "http://127.0.0.1/hook"
        self.events.append(event)


def test_a_host_that_never_passes_its_check_is_given_up_and_each_time_is_told() -> None:
    told = Told()
    file = small_fleet({}, diskless=True, timing={**TIMES, "failure_share": 1.0})
    played = play("host-lifecycle", file, outside=told, tries=3, webhook="http://127.0.0.1/hook")
    assert [event["attempt"] for event in told.events] == [1, 2, 3]
    assert told.events[0] == {"event": "check failed", "host": "h1", "at_s": 30.0, "attempt": 1}
    assert played.story.tally["host given up"] == 1
    assert states(played.fleet)["h1"] is HostState.DOWN


def test_without_a_webhook_nobody_is_told() -> None:
    told = Told()
    file = small_fleet({}, diskless=True, timing={**TIMES, "failure_share": 1.0})
    play("host-lifecycle", file, outside=told)
    assert told.events == []


@pytest.fixture
def listener() -> Iterator[tuple[str, list[dict[str, object]]]]:
    """A web server's URL, and what it was told."""
    told: list[dict[str, object]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://ops:PS7q@127.0.0.1:{server.server_port}/", told
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_real_webhook_is_told(listener: tuple[str, list[dict[str, object]]]) -> None:
    url, told = listener
    file = small_fleet({}, diskless=True, timing={**TIMES, "failure_share": 1.0})
    with RealOutside() as outside:
        played = play("host-lifecycle", file, outside=outside, webhook=url, tries=2)
    assert [event["attempt"] for event in told] == [1, 2]
    assert outside.lost == 0
    assert "PS7q" not in repr(played.story)


def test_a_fleet_with_disks_is_refused_with_what_to_do() -> None:
    with pytest.raises(UsageError, match="set `diskless: true`"):
        play("host-lifecycle", small_fleet({}))
