"""The page about captures says what the code does."""

import json
import re
from pathlib import Path

from rpcscope.capture import Header, own
from rpcscope.capture.lines import MAX_LINE
from rpcscope.capture.pieces import MAX_WINDOW
from rpcscope.capture.rebuilt import body_of
from rpcscope.capture.window import WINDOW
from rpcscope.capture.writer import FRAME_BYTES, FRAME_LINES, FRAME_SECONDS
from rpcscope.decode import Decoder
from rpcscope.model import GapCause, Message, Observation
from rpcscope.rules import load_rules
from tests.support.wire import INSTANCE, enveloped, request, seen

PAGE = (Path(__file__).parents[2] / "docs" / "captures.md").read_text()


def test_the_header_on_the_page_has_the_keys_of_a_header() -> None:
    shown = re.search(r'\{"rpcscope_capture".*?\}', PAGE, re.DOTALL)
    assert shown is not None
    assert set(json.loads(shown[0])) == set(json.loads(own.header_line(Header())))


def test_the_lines_on_the_page_have_the_keys_of_lines() -> None:
    line = json.loads(own.line(Observation(at_ns=1, exchange="", routing_key="", headers={}, body=b"", size=0)))
    for key in line:
        assert f'"{key}": ' in PAGE
    for cause in GapCause:
        assert cause.name in PAGE


def test_every_key_that_scrubbing_keeps_of_a_body_is_named() -> None:
    message = Decoder(load_rules()).decode(
        seen(enveloped(request(namespace="n", _context_global_request_id="req-" + INSTANCE)), routing_key="scheduler")
    )
    assert isinstance(message, Message)
    inner = json.loads(body_of(message, enveloped=False))
    in_words = {"_context_request_id", "_context_global_request_id", "_context_project_id"}
    assert [key for key in inner if key not in in_words and f"`{key}`" not in PAGE] == []


def test_the_numbers_on_the_page_are_those_of_the_code() -> None:
    assert f"after {FRAME_LINES:,} lines, {FRAME_BYTES >> 20} MB or {FRAME_SECONDS:.0f} seconds" in PAGE
    assert f"up to {WINDOW:,} events" in PAGE
    assert f"may have {MAX_LINE >> 20} MB; a zstd window {MAX_WINDOW >> 20} MB" in PAGE
