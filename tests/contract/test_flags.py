"""The doctor says the same over each database."""

from __future__ import annotations

from rpcscope.doctor import CHECKS, ask, examine
from rpcscope.store import Store
from tests.contract.records import START
from tests.support.trouble import END, TROUBLES, Cloud


def test_all_troubles_at_once_put_up_all_flags(store: Store) -> None:
    cloud = Cloud(store)
    cloud.quiet()
    assert examine(ask(store.reader(), START, END, END)) == []
    for trouble in TROUBLES.values():
        trouble(cloud)
    found = examine(ask(store.reader(), START, END, END))
    assert {flag.name for flag in found} == {check.name for check in CHECKS}
    assert [flag.level for flag in found] == sorted((flag.level for flag in found), reverse=True)
