"""The API keeps to its own description, whatever is asked that the description allows or forbids."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, checks
from schemathesis.schemas import APIOperation

from rpcscope.store import Store
from rpcscope_web import Settings, create_app

DESCRIPTION = "/api/v1/openapi.json"
STREAM = "/api/v1/events"
PROMISED = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
Described = dict[str, APIOperation]
bounded = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
"""For each address: some examples, and none of them made smaller."""


@pytest.fixture(scope="module")
def described(two_captures: Store) -> Described:
    """All of the API and of the figures but the stream, which does not end."""
    app = create_app(two_captures, Settings(allowed_hosts=("testserver",)))
    schema = schemathesis.openapi.from_asgi(DESCRIPTION, app).exclude(path=STREAM)
    return {operation.label: operation for operation in (found.ok() for found in schema.get_all_operations())}


def test_what_the_description_allows_is_answered_as_it_says(described: Described) -> None:
    for operation in described.values():
        _ask(operation.as_strategy(generation_mode=GenerationMode.POSITIVE))


def test_what_the_description_forbids_is_answered_as_it_says(described: Described) -> None:
    strict = [operation for operation in described.values() if _forbids(operation)]
    assert {"GET /api/v1/operations", "GET /api/v1/methods"} <= {operation.label for operation in strict}
    for operation in strict:
        _ask(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))


def test_every_address_of_the_api_is_described(described: Described) -> None:
    assert {"GET /api/v1/overview", "GET /api/v1/operations/{request_id}", "GET /api/v1/queues"} <= set(described)


def _forbids(operation: APIOperation) -> bool:
    """Numbers are asked for: a text of any length can hardly be wrong."""
    given = [parameter["schema"] for parameter in operation.definition.raw.get("parameters", [])]
    return any(kind.get("type") in ("integer", "number") for one in given for kind in (one, *one.get("anyOf", [])))


def _ask(cases: st.SearchStrategy[Case]) -> None:
    @bounded
    @given(case=cases)
    def ask(case: Case) -> None:
        answer = case.call_and_validate(checks=PROMISED)
        if answer.status_code >= 400:
            assert answer.headers["content-type"][0] == "application/problem+json"
            assert answer.json()["detail"]

    ask()
