"""Results as JUnit's XML, which every CI server reads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring  # written, never read

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing that was checked. With neither a failure nor a reason to skip it, it is well."""

    name: str
    failure: str = ""
    skipped: str = ""


def junit(name: str, suites: Mapping[str, Sequence[Case]]) -> str:
    """A document with a suite for each kind of operation."""
    root = Element("testsuites", {"name": name, **_counts([case for cases in suites.values() for case in cases])})
    for suite, cases in suites.items():
        parent = SubElement(root, "testsuite", {"name": _clean(suite), **_counts(cases)})
        for case in cases:
            _add(parent, f"{name}.{suite}", case)
    indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n'


def _add(parent: Element, classname: str, case: Case) -> None:
    element = SubElement(
        parent, "testcase", {"classname": _clean(classname), "name": _clean(case.name), "time": "0"}
    )  # fmt: skip
    if case.failure:
        failure = SubElement(element, "failure", {"message": _clean(case.failure.splitlines()[0])})
        failure.text = _clean(case.failure)
    elif case.skipped:
        SubElement(element, "skipped", {"message": _clean(case.skipped)})


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    failures = sum(bool(case.failure) for case in cases)
    skipped = sum(bool(case.skipped and not case.failure) for case in cases)
    return {
        "tests": str(len(cases)), "failures": str(failures), "errors": "0", "skipped": str(skipped), "time": "0"
    }  # fmt: skip


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("?", text)
