"""The same service under the wrapped driver, on every line of oslo.messaging that is in use: the same is told of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from rpcscope.model import Inside, MessageKind, Outcome, Side
from rpcscope_collectors.listen_address import listen_address
from rpcscope_collectors.listener import Listener
from tests.support import oslo_tap as inside
from tests.support.environment import locked_environment
from tests.support.rabbitmq import Cloud

pytestmark = pytest.mark.server

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OWN = "own"
TOLD = {
    (Side.CLIENT, MessageKind.REQUEST, "ping", "nova", "conductor", "", Outcome.OK, ""): 5,
    (Side.SERVER, MessageKind.REQUEST, "ping", "nova", "conductor", "", Outcome.OK, ""): 5,
    (Side.CLIENT, MessageKind.REQUEST, "fail", "nova", "conductor", "", Outcome.FAILED, "KeyError"): 1,
    (Side.SERVER, MessageKind.REQUEST, "fail", "nova", "conductor", "", Outcome.FAILED, "KeyError"): 1,
    (Side.CLIENT, MessageKind.CAST, "note", "nova", "conductor", "host-1", Outcome.NONE, ""): 5,
    (Side.SERVER, MessageKind.CAST, "note", "nova", "conductor", "host-1", Outcome.NONE, ""): 5,
    (Side.CLIENT, MessageKind.FANOUT, "note", "conductor_fanout", "conductor", "", Outcome.NONE, ""): 1,
    (Side.SERVER, MessageKind.FANOUT, "note", "conductor_fanout", "conductor", "", Outcome.NONE, ""): 1,
    (Side.CLIENT, MessageKind.NOTIFICATION, "instance.create.end", "nova", "told.info", "", Outcome.NONE, ""): 1,
}


def python_of(release: str) -> Path:
    """An interpreter with that line of oslo.messaging, and with the tap installed beside it."""
    if release == OWN:
        return Path(sys.executable)
    lock = HERE / f"oslo-messaging-{release}.txt"
    home = locked_environment(ROOT / f".venv-oslo-{release}", lock, ROOT / "collectors" / "oslo-tap")
    return home / "bin" / "python"


@pytest.mark.parametrize(
    ("release", "executor"),
    [
        (OWN, "threading"),
        pytest.param(OWN, "eventlet", marks=pytest.mark.long),
        *(pytest.param(r, e, marks=pytest.mark.long) for r in ("14", "16") for e in ("threading", "eventlet")),
    ],
)
def test_the_same_is_told_by_every_release(release: str, executor: str, cloud: Cloud, tmp_path: Path) -> None:
    address = inside.unix_address(tmp_path)
    url = inside.wrapped(cloud.server.transport_url(cloud.vhost))
    with Listener([listen_address(address)]) as listener:
        done = subprocess.run(
            [python_of(release), "-W", "ignore", HERE / "scenario.py", url, executor],
            env=os.environ | {"RPCSCOPE_TAP": address}, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert done.stdout == "done\n", done.stderr
        told = inside.heard(listener, lambda told: len(ended(told)) >= sum(TOLD.values()))
        (teller,) = listener.tellers()
    assert Counter(map(outline, ended(told))) == TOLD
    assert teller.sent == {"nova": 12, "conductor_fanout": 1, "": 6}
    assert all(one.request_bytes for one in told)
    assert "PS7q" not in repr(told)


def ended(told: list[Inside]) -> list[Inside]:
    """The last word of each side of each RPC."""
    over = (one for one in told if one.taken_ns or one.ended_ns or (one.side is Side.CLIENT and not one.msg_id))
    return list({(one.side, one.unique_id): one for one in over}.values())


def outline(one: Inside) -> tuple[object, ...]:
    return one.side, one.kind, one.method, one.exchange, one.topic, one.server, one.outcome, one.failure
