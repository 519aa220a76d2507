"""Flags as a whole: told in the docs, in order, bounded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rpcscope.doctor import CHECKS, Evidence, Level
from rpcscope.doctor.finding import SHOWN, Check, finding

DOCS = Path(__file__).parents[3] / "docs" / "flags.md"


def sections() -> dict[str, str]:
    parts = re.split(r"^## ", DOCS.read_text(), flags=re.MULTILINE)[1:]
    return {part.partition("\n")[0]: " ".join(part.split()) for part in parts}


def test_the_docs_have_exactly_the_flags_that_there_are_in_their_order() -> None:
    assert list(sections()) == [check.name for check in CHECKS]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.name))
def test_the_docs_say_why_and_what_to_do_as_the_flag_does(check: Check) -> None:
    text = sections()[check.name]
    assert f"**Why** {check.why} **Do** {check.todo}" in text
    assert ("(cheap)" in text) is check.is_now
    assert "**Sees** " in text
    assert "**Source** " in text


def test_only_the_worst_rows_are_told_and_how_many_there_are_more() -> None:
    told = finding(Level.WARN, "many", (Evidence(what=str(n), said="") for n in range(SHOWN + 5)))
    assert [row.what for row in told.evidence] == [str(n) for n in range(SHOWN)]
    assert told.more == 5
