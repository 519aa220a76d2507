"""What the dashboard has: a page is a line here, a module of `pages`, a template, and what it needs beside them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import APIRouter


@dataclass(frozen=True, slots=True)
class Page:
    """A module of `pages`; its `router` has the routes. With a title it is in the navigation."""

    noun: str
    title: str = ""
    path: str = ""


PAGES = (
    Page("overview", "Overview", "/"),
    Page("operations", "Operations", "/operations"),
    Page("operation"),
    Page("host"),
    Page("instance"),
    Page("kind", "Kinds", "/kinds"),
    Page("queues", "Queues", "/queues"),
    Page("queue"),
    Page("services", "Services", "/services"),
    Page("methods", "Methods", "/methods"),
    Page("method"),
    Page("compare", "Compare", "/compare"),
    Page("runs", "Runs", "/runs"),
    Page("flags", "Red flags", "/flags"),
    Page("taps", "Taps", "/taps"),
    Page("search"),
)
API = (
    "overview",
    "kind",
    "flags",
    "status",
    "operation",
    "operations",
    "host",
    "instance",
    "queues",
    "queue",
    "services",
    "methods",
    "compare",
    "runs",
    "events",
)
FIGURES = ("rates", "kind", "queues", "in_flight", "method")


def navigation() -> list[Page]:
    """Pages that the header links to, in their order."""
    return [page for page in PAGES if page.title]


def routers() -> Iterator[APIRouter]:
    """Of every page, every part of the API and every figure."""
    names = [f"pages.{page.noun}" for page in PAGES] + [f"api.{noun}" for noun in API]
    for name in names + [f"figures.{noun}" for noun in FIGURES]:
        router: APIRouter = importlib.import_module(f"rpcscope_web.{name}").router
        yield router
