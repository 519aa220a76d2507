"""Every alert rule beside series on which it must fire, and series on which it must not, for `promtool test rules`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

RECORDER = 'recording="1",vhost="nova",scope="rabbit1 vhost nova default",mode="control",job="rpcscope"'
NOVA = 'vhost="nova",job="rpcscope"'
BUCKETS = ("0.1", "1.0", "2.5", "+Inf")


@dataclass(frozen=True)
class Planted:
    """Series a minute apart, as promtool writes them, for twenty minutes."""

    fires: dict[str, str]
    clean: dict[str, str]
    labels: dict[str, str]  # some of the alert's


def gauge(name: str, labels: str, fires: str, clean: str, told: dict[str, str]) -> Planted:
    series = f"{name}{{{labels}}}"
    return Planted({series: fires}, {series: clean}, told)


def outcomes(fires: dict[str, str], clean: dict[str, str]) -> Planted:
    def of(values: dict[str, str]) -> dict[str, str]:
        name = "rpcscope_rpc_outcomes_total"
        return {f'{name}{{{NOVA},method="save",outcome="{word}"}}': value for word, value in values.items()}

    return Planted(of(fires), of(clean), {"method": "save"})


def operations(fires: dict[str, str], clean: dict[str, str]) -> Planted:
    def of(values: dict[str, str]) -> dict[str, str]:
        name = "rpcscope_operations_total"
        return {f'{name}{{job="rpcscope",kind="create",status="{word}"}}': value for word, value in values.items()}

    return Planted(of(fires), of(clean), {"kind": "create"})


def waits(*counts: str) -> dict[str, str]:
    name = "rpcscope_broker_wait_seconds_bucket"
    return {
        f'{name}{{{NOVA},kind="call",topic="conductor",le="{le}"}}': f"0+{count}x20"
        for le, count in zip(BUCKETS, counts, strict=True)
    }


def family(depth: str, consumerless: str) -> dict[str, str]:
    labels = f'{NOVA},instance="i",family="compute.*"'
    return {
        f'rpcscope_queue_messages{{{labels},state="ready"}}': depth,
        f"rpcscope_queues_consumerless{{{labels}}}": consumerless,
    }


SCOPE = {"scope": "rabbit1 vhost nova default"}
PLANTED = {
    "RpcscopeRecorderSilent": gauge("rpcscope_recorder_up", RECORDER, "1 1 0x20", "1x20", SCOPE),
    "RpcscopeReadsLate": gauge("rpcscope_lag_seconds", RECORDER, "40x20", "0.5x20", SCOPE),
    "RpcscopeDatabaseStandsStill": gauge(
        "rpcscope_last_commit_timestamp_seconds", RECORDER, "0x20", "0+60x20", SCOPE
    ),
    "RpcscopeTapBlind": gauge(
        "rpcscope_gaps_total", f'{RECORDER},cause="dropped"', "0x12 1x8", "3x20", {"cause": "dropped"}
    ),
    "RpcscopeNotAllNodesTraced": Planted(
        {f"rpcscope_nodes_traced{{{RECORDER}}}": "2x20", f"rpcscope_nodes{{{RECORDER}}}": "3x20"},
        {f"rpcscope_nodes_traced{{{RECORDER}}}": "3x20", f"rpcscope_nodes{{{RECORDER}}}": "3x20"},
        SCOPE,
    ),
    "RpcscopeOperationsStuck": gauge(
        "rpcscope_operations_stuck", 'job="rpcscope",kind="create"', "1x20", "0 1 0x20", {"kind": "create"}
    ),
    "RpcscopeOperationsFail": operations(
        {"done": "0+2x20", "failed": "0+1x20"}, {"done": "0+20x20", "failed": "0+1x20"}
    ),
    "RpcscopeCallsTimeOut": outcomes({"ok": "0+9x20", "timed_out": "0+1x20"}, {"ok": "0+9x20", "timed_out": "5x20"}),
    "RpcscopeCallsFail": outcomes({"ok": "0+5x20", "failed": "0+5x20"}, {"ok": "0+99x20", "expected_failure": "0+99x20",
                                                                     "failed": "0+2x20"}),
    "RpcscopeWaitsInBroker": Planted(
        waits("10", "10", "20", "20"), waits("20", "20", "20", "20"), {"topic": "conductor"}
    ),
    "RpcscopeWorkInHandIsOld": gauge(
        "rpcscope_in_flight_oldest_seconds", f'{NOVA},service="nova-conductor"', "0+30x20", "20x20",
        {"service": "nova-conductor"},
    ),
    "RpcscopeUnroutable": gauge(
        "rpcscope_rpc_flags_total", f'{NOVA},method="save",flag="unroutable"', "_x14 1x6", "4x20", {"method": "save"}
    ),
    "RpcscopeQueueDeep": Planted(family("5000x20", "0x20"), family("900x20", "0x20"), {"family": "compute.*"}),
    "RpcscopeQueueWithoutConsumer": Planted(family("3x20", "1x20"), family("3x20", "0x20"), {"family": "compute.*"}),
}  # fmt: skip


def document(rules_file: str) -> dict[str, Any]:
    """The file for `promtool test rules`: each alert on what it fires for, and on what it must not."""
    return {"rule_files": [rules_file], "evaluation_interval": "1m", "tests": _tests()}


def _tests() -> list[dict[str, Any]]:
    return [
        {
            "name": f"{alert} on {'what is wrong' if fires else 'what is well'}",
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [
                {
                    "expr": f'count by (alertname) (ALERTS{{alertname="{alert}",alertstate="firing",'
                    + ",".join(f'{key}="{value}"' for key, value in planted.labels.items())
                    + "})",
                    "eval_time": "18m",
                    "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1}] if fires else [],
                }
            ],
        }
        for alert, planted in PLANTED.items()
        for fires, series in ((True, planted.fires), (False, planted.clean))
    ]
