from __future__ import annotations

from rpcscope.query.run_words import happenings


def test_what_a_flow_did_is_told_most_often_first_without_the_ends_that_the_kinds_count() -> None:
    events = {"host updated": 8, "no host has room": 11, "live-migration done": 40, "memory copy ended": 40}
    assert happenings(events) == "no host has room 11, host updated 8"
    assert happenings({}) == ""
