"""Where one is, the navigation says."""

from __future__ import annotations

import re

import pytest

from tests.unit.web.site import Web

CURRENT = re.compile(r'<a href="([^"?]+)[^"]*" aria-current="page">')


@pytest.mark.parametrize(
    ("path", "page"), [("/", "/"), ("/operations", "/operations"), ("/hosts/compute-1", "/operations"),
                       ("/kinds?kind=create", "/kinds"), ("/taps", "/taps")],
)  # fmt: skip
def test_the_navigation_marks_one_page_and_hosts_belong_to_operations(web: Web, path: str, page: str) -> None:
    answer = web.get(path)
    assert answer.status_code == 200
    assert CURRENT.findall(answer.text)[:1] == [page]
    assert answer.text.count('aria-current="page"') == 1
