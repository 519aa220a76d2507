"""YAML that people write."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpcscope.errors import UsageError
from rpcscope.plain_yaml import DEEPEST, parse_yaml, read_yaml


def test_plain_values_are_read_from_yaml_and_from_json() -> None:
    assert parse_yaml(b"a: 1\nb: [x, 2.5, true, null]\n") == {"a": 1, "b": ["x", 2.5, True, None]}
    assert parse_yaml(b'{"a": {"b": [1]}}') == {"a": {"b": [1]}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"a: &x [1]\nb: *x\n", r"anchors and aliases \(& and \*\) are not taken \(line 1, column 4\)"),
        (b"[" * (DEEPEST + 1), "more than 64 lists and tables are inside one another"),
        (b"[" * 1_000_000, "more than 64 lists and tables are inside one another"),
        (b"a: 1\na: 2\n", r"the key 'a' is there twice \(line 1, column 1\)"),
        (b"a: .nan\n", r"'.nan' is no number to work with \(line 1, column 4\)"),
        (b"a: -.inf\n", "'-.inf' is no number to work with"),
        (b"a: 1.0e+999\n", "is no number to work with"),
        (b"a: \xff\n", "byte 4 is not UTF-8"),
        (b"a: \x00\n", "character that YAML does not allow"),
        (b"a: [1\nb: 2\n", r"\(line 2, column 2\)"),
        (b"a: !!python/object/apply:os.system [ls]\n", "could not determine a constructor"),
        (b"a: " + b"9" * 5000, "Exceeds the limit"),
    ],
    ids=lambda value: repr(value[:12]),
)
def test_what_is_no_plain_yaml_is_refused_with_its_place(text: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_yaml(text)


def test_a_file_that_is_not_there_too_large_or_a_folder_is_one_sentence(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    large.write_bytes(b"a: 1\n" * 100)
    for path, words in [
        (tmp_path / "none.yaml", "the fleet file none.yaml can not be read: No such file"),
        (tmp_path, "can not be read: Is a directory"),
        (tmp_path / "nul\0.yaml", "can not be read"),
        (large, "it has more than the 100 bytes that are read"),
    ]:
        with pytest.raises(UsageError, match=words):
            read_yaml(path, what="fleet file", most_bytes=100)


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(alphabet="{}[]:,-&*!|>'\"#%@`\n\t ab1.", max_size=60).map(str.encode))
def test_any_bytes_give_values_or_a_few_words(text: bytes) -> None:
    said = ""
    try:
        parse_yaml(text)
    except ValueError as error:
        said = str(error)
    assert said.isprintable()
    assert len(said) < 300
