"""What is shipped over the metrics: every name and label in it is served, every alert fires when it must."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rpcscope.export import grafana
from rpcscope.export.metrics.catalogue import METRICS
from rpcscope.export.metrics.family import Metric
from tests.support.measured import promtool
from tests.support.rules import PLANTED, document

SERVED = {metric.name: metric for metric in METRICS}
OF_PROMETHEUS = {"job", "instance", "le"}
BOARDS = [name for name in grafana.NAMES if name.endswith(".json")]
RULES = "rpcscope-alerts.yaml"


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(grafana.text(RULES))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions(name: str) -> Iterator[str]:
    if name == RULES:
        yield from (rule["expr"] for rule in rules())
        return
    board = json.loads(grafana.text(name))
    yield from (target["expr"] for panel in board["panels"] for target in panel.get("targets", []))
    yield from (one["query"]["query"] for one in board["templating"]["list"] if one["type"] == "query")


def served(name: str) -> Metric | None:
    """The metric that a series is of."""
    known = SERVED.get(name) or SERVED.get(re.sub(r"_(bucket|sum|count)$", "", name))
    return known if known and (known.name == name) != (known.kind == "histogram") else None


def faults(expression: str) -> list[str]:
    """Metrics and labels of an expression that nobody serves."""
    found: list[str] = []
    labels: set[str] = set()
    for name, selector in re.findall(r"\b(rpcscope_\w+)(\{[^}]*\})?", expression):
        metric = served(name)
        if metric is None:
            found.append(name)
            continue
        labels |= set(metric.labels)
        found += [one for one in re.findall(r'(\w+)\s*(?:=~|!=|!~|=)\s*"', selector) if not knows(metric, one)]
    grouped = re.findall(r"(?:by|on|without)\s*\(([^)]*)\)", expression)
    asked = {label.strip() for group in grouped for label in group.split(",")}
    return found + sorted(asked - labels - OF_PROMETHEUS)


def knows(metric: Metric, label: str) -> bool:
    return label in metric.labels or label in OF_PROMETHEUS


@pytest.mark.parametrize("name", grafana.NAMES)
def test_every_metric_and_label_that_is_shipped_is_served(name: str) -> None:
    found = list(expressions(name))
    assert len(found) > 10
    assert {one: faults(one) for one in found if faults(one)} == {}


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("rpcscope_no_such", "rpcscope_no_such"),
        ("rate(rpcscope_rpc_client_duration_seconds[5m])", "rpcscope_rpc_client_duration_seconds"),
        ('rpcscope_rpcs_total{outcome="ok"}', "outcome"),
        ("sum by (host) (rpcscope_rpcs_total)", "host"),
    ],
)
def test_one_that_is_not_would_be_found(expression: str, fault: str) -> None:
    assert faults(expression) == [fault]


def test_promtool_has_nothing_to_say_of_the_rules(tmp_path: Path) -> None:
    (tmp_path / RULES).write_text(grafana.text(RULES))
    assert "SUCCESS" in promtool("check", "rules", str(tmp_path / RULES))


def test_every_alert_fires_on_what_is_wrong_and_not_on_what_is_well(tmp_path: Path) -> None:
    assert {rule["alert"] for rule in rules()} == set(PLANTED)
    (tmp_path / RULES).write_text(grafana.text(RULES))
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(document(RULES)))
    assert "SUCCESS" in promtool("test", "rules", str(tmp_path / "tests.yaml"))


def test_every_alert_says_what_it_means_and_what_to_do() -> None:
    for rule in rules():
        assert set(rule["annotations"]) == {"summary", "description"}
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert all(text.endswith(".") for text in rule["annotations"].values()), rule["alert"]
        used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        assert used <= {label for name in SERVED.values() for label in name.labels}


@pytest.mark.parametrize("name", BOARDS)
def test_no_two_panels_of_a_board_lie_on_each_other(name: str) -> None:
    board = json.loads(grafana.text(name))
    taken = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in board["panels"]
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
