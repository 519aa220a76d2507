"""One operation on a page that needs nothing else."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from rpcscope.model import Status
from rpcscope.query.trace import traces
from rpcscope.store import OperationFilter, Store
from rpcscope_web.standalone import standalone


class Page(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def values(self, name: str) -> list[str]:
        return [attributes[name] or "" for _, attributes in self.elements if name in attributes]


def page_of(store: Store, status: Status) -> tuple[str, Page]:
    (part,) = store.reader().operations(OperationFilter(kind="create", statuses=[status]))
    (trace,) = traces(store.reader(), part.request_id)
    text = standalone(store.reader(), trace, "cloud.db")
    return text, Page(text)


def test_it_has_no_script_and_no_address_outside_of_itself(two_captures: Store) -> None:
    text, page = page_of(two_captures, Status.DONE)
    assert not {tag for tag, _ in page.elements} & {"script", "link", "img", "iframe", "button", "form"}
    assert "default-src 'none'" in text
    assert page.values("src") == []
    assert all(target.startswith("#") for target in page.values("href"))


def test_every_call_of_the_picture_leads_to_its_facts_on_the_page(two_captures: Store) -> None:
    _, page = page_of(two_captures, Status.DONE)
    targets = {target[1:] for target in page.values("href")}
    assert len([one for one in targets if one.startswith("facts-")]) >= 10
    assert targets <= set(page.values("id"))


def test_it_says_what_the_dashboard_says(two_captures: Store) -> None:
    for status, said in ((Status.DONE, "27 messages"), (Status.FAILED, "NoValidHost")):
        words = re.sub(r"<[^>]*>", " ", page_of(two_captures, status)[0])
        assert said in words
        assert "cloud.db" in words
