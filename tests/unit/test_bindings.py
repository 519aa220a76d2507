"""Control mode binds what is worth its cost, and nothing a hostile queue name could smuggle in."""

from hypothesis import given
from hypothesis import strategies as st

from rpcscope_collectors.bindings import is_control, wanted


def test_publish_and_full_need_no_list_of_queues() -> None:
    assert wanted("publish", None) == {"publish.#"}
    assert wanted("full", ["conductor"]) == {"publish.#", "deliver.#"}


def test_a_family_of_queues_is_one_binding() -> None:
    keys = wanted("control", [f"own.host{n}.domain" for n in range(1000)])
    assert keys - wanted("control", []) == {"deliver.own.#"}


def test_a_family_with_fanout_copies_is_bound_queue_by_queue() -> None:
    queues = ["neutron-vo-Port-1.1", "neutron-vo-Port-1.1.ctl1", "neutron-vo-Port-1.1_fanout_0123"]
    assert wanted("control", queues) - wanted("control", []) == {
        "deliver.neutron-vo-Port-1.1",
        "deliver.neutron-vo-Port-1.1.ctl1",
    }


def test_a_well_known_family_with_fanout_copies_loses_its_pattern() -> None:
    keys = wanted("control", ["cinder-volume.host@lvm", "cinder-volume.host@lvm_fanout_0123"])
    assert "deliver.cinder-volume.#" not in keys
    assert "deliver.cinder-volume.host@lvm" in keys


def test_well_known_services_are_bound_before_they_have_a_queue() -> None:
    assert {"deliver.conductor.#", "deliver.compute.#", "deliver.scheduler.#"} <= wanted("control", [])


def test_replies_fanouts_and_taps_are_no_control_queues() -> None:
    queues = ["reply_0123", "reply_host.domain:nova-api:1", "compute_fanout_0123", "rpcscope.tap.default"]
    assert not any(map(is_control, queues))
    assert wanted("control", queues) == wanted("control", [])


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=80)))
def test_no_queue_name_makes_a_pattern_of_its_own_or_a_key_that_is_too_long(queues: list[str]) -> None:
    for key in wanted("control", [*queues, "#", "*", "a.#.b", "x" * 300, "é" * 130]) - wanted("control", []):
        words = key.removeprefix("deliver.").removesuffix(".#").split(".")
        assert key.startswith("deliver.")
        assert not {"*", "#"} & set(words)
        assert len(key.encode()) <= 255
