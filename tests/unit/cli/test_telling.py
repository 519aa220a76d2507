"""Which metrics `record` tells to whom, by its options."""

from __future__ import annotations

from typing import Any

import pytest

from rpcscope.cli.export_metrics import Telling
from rpcscope.cli.metered import metered
from rpcscope.errors import UsageError
from tests.support.memory import Memory

NOTHING: dict[str, Any] = {
    "metrics_port": None, "otlp_metrics_endpoint": None, "otlp_metrics_every": 15.0, "metrics_hosts": False,
    "oslo_metrics_compat": False, "otlp_protocol": "http/protobuf", "otlp_headers": (), "otlp_ca_file": None,
    "otlp_timeout": 10.0,
}  # fmt: skip


def test_who_asks_for_no_metrics_counts_nothing() -> None:
    memory = Memory()
    telling = Telling(NOTHING)
    assert telling.meters is None
    assert metered(memory, telling.meters, memory.resume()) is memory


@pytest.mark.parametrize("one", [{"metrics_port": 9900}, {"otlp_metrics_endpoint": "http://127.0.0.1:4318"}])
def test_who_wants_them_gets_them_counted(one: dict[str, Any]) -> None:
    assert Telling(NOTHING | one).meters is not None


@pytest.mark.parametrize("one", [{"metrics_hosts": True}, {"oslo_metrics_compat": True}])
def test_more_of_metrics_that_nobody_gets_is_refused(one: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="want a --metrics-port or an --otlp-metrics-endpoint"):
        Telling(NOTHING | one)


def test_an_endpoint_that_is_none_is_refused_without_its_password() -> None:
    with pytest.raises(UsageError) as refused:
        Telling(NOTHING | {"otlp_metrics_endpoint": "ftp://user:PS7q@host"})
    assert "PS7q" not in str(refused.value)
