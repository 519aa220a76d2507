"""How numbers, times and names are written."""

from __future__ import annotations

import pytest

from rpcscope.query.cost import Spread
from rpcscope_web import words
from rpcscope_web.pictures import spark, split
from rpcscope_web.render import address


@pytest.mark.parametrize(
    "write", [words.number, words.size, words.took, words.lasted, words.share, words.rate, words.when]
)
def test_what_is_not_known_is_never_written_as_zero(write: object) -> None:
    assert write(None) == words.UNKNOWN  # type: ignore[operator]
    assert "0" not in words.UNKNOWN


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (words.number(12_345), "12,345"),
        (words.size(999), "999 B"),
        (words.size(114_800), "114.8 kB"),
        (words.size(85_000_000), "85.0 MB"),
        (words.size(3e15), "3,000.0 TB"),
        (words.took(0.25), "0.2 ms"),
        (words.took(504.4), "504 ms"),
        (words.took(2_194), "2.19 s"),
        (words.took(64_000), "1 min 4 s"),
        (words.share(0.045), "4.5 %"),
        (words.share(0), "0 %"),
        (words.share(1), "100 %"),
        (words.plural(1, "gap"), "1 gap"),
        (words.plural(2_000, "event waits", "events wait"), "2,000 events wait"),
    ],
)
def test_numbers_have_units_and_their_thousands_apart(text: str, shown: str) -> None:
    assert text.replace("\N{NO-BREAK SPACE}", " ") == shown


def test_a_spread_is_one_number_when_all_agree() -> None:
    assert ">15<" in words.spread(Spread.of([15, 15, 15]))
    differing = words.spread(Spread.of([15] * 10 + [40] * 10))
    assert "<small>40</small>" in differing
    assert "most 40" in differing
    assert words.spread(Spread.of([])) == words.UNKNOWN


def test_names_are_escaped_bounded_and_show_what_is_not_seen() -> None:
    assert words.name("<b>&\"'") == "<bdi class='name'>&lt;b&gt;&amp;&#34;&#39;</bdi>"
    assert words.name("a\u202eb\u0000c\ud800") == "<bdi class='name'>a\ufffdb\ufffdc\ufffd</bdi>"
    assert len(words.name("x" * 10_000)) < words.LONGEST + 40
    assert words.visible("Zürich, 東京 🙂") == "Zürich, 東京 🙂"


def test_pictures_say_in_words_what_they_show() -> None:
    drawn = spark((0, 3, 1), 'Operations "begun"')
    assert 'aria-label="Operations &#34;begun&#34;: 0, 3, 1"' in drawn
    assert spark((), "nothing")
    assert 'aria-label="12 call, 2 cast"' in split({"call": 12, "cast": 2, "fanout": None})
    assert split({"call": None}) == ""


def test_addresses_leave_out_what_is_empty_and_escape_the_rest() -> None:
    assert address("/operations", {"kind": "a&b=c", "host": "", "offset": None, "live": 1}) == (
        "/operations?kind=a%26b%3Dc&live=1"
    )
