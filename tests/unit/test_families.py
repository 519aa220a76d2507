"""Each queue of oslo.messaging's rabbit driver is in the family of its kind."""

from __future__ import annotations

import pytest

from rpcscope.families import family

HEX = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("queue", "expected"),
    [
        ("conductor", "conductor"),
        ("compute", "compute"),
        ("compute.host-1", "compute.*"),
        ("compute.host-1.example.org", "compute.*"),
        ("cinder-volume.host-1@lvm", "cinder-volume.*"),
        ("cinder-volume.host-1@lvm.host-1@lvm", "cinder-volume.*"),
        (f"cinder-volume.host-1@lvm_fanout_{HEX}", "cinder-volume.*_fanout_*"),
        (f"scheduler_fanout_{HEX}", "scheduler_fanout_*"),
        ("scheduler_fanout_host-1:nova-scheduler:2", "scheduler_fanout_*"),
        ("scheduler_fanout", "scheduler_fanout"),
        (f"reply_{HEX}", "reply_*"),
        ("reply_host-1:nova-api:3", "reply_*"),
        ("notifications.info", "notifications.info"),
        ("versioned_notifications.error", "versioned_notifications.error"),
        ("q-plugin", "q-plugin"),
        ("q-agent-notifier-network-update.host-1", "q-agent-notifier-network-update.*"),
        (f"q-agent-notifier-network-update_fanout_{HEX}", "q-agent-notifier-network-update_fanout_*"),
        ("neutron-vo-QosPolicy-1.8", "neutron-vo-QosPolicy-1.8"),
        ("neutron-vo-QosPolicy-1.8.host-1", "neutron-vo-QosPolicy-1.8.*"),
        (f"neutron-vo-QosPolicy-1.8_fanout_{HEX}", "neutron-vo-QosPolicy-1.8_fanout_*"),
        ("amq.gen-eVCCkswyBmE", "amq.*"),
        ("~0123abcd", "~*"),
        ("", ""),
        (".", "."),
        ("_fanout_", "_fanout_*"),
    ],
)
def test_a_queue_is_in_its_family(queue: str, expected: str) -> None:
    assert family(queue) == expected


def test_a_family_is_its_own_family() -> None:
    for queue in (f"reply_{HEX}", "compute.host-1", f"scheduler_fanout_{HEX}", "conductor", "notifications.info"):
        assert family(family(queue)) == family(queue)
