"""Files of templates: written for people, read with care."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rpcscope.errors import UsageError
from rpcscope.templates.files import load, save, shipped, shipped_names, stem
from rpcscope.templates.model import Provenance, Step, Template, Variant, walk
from rpcscope.templates.written import FAKE, text

ROOT: dict[str, Any] = {"method": "go", "kind": "cast", "topic": "conductor", "sender": "api"}
CALL: dict[str, Any] = {"method": "get", "kind": "call", "topic": "conductor"}


def written(folder: Path, values: Any) -> Path:
    path = folder / "t.yaml"
    path.write_text(json.dumps(values))
    return path


def whole(**root: Any) -> dict[str, Any]:
    """A small template, with something set in its root."""
    return {"format": 1, "kind": "thing", "variants": [{"operations": 1, "share": 1.0, "roots": [ROOT | root]}]}


@pytest.mark.parametrize("name", shipped_names())
def test_what_ships_is_read_back_as_it_was_written(name: str, tmp_path: Path) -> None:
    kind, _, servers = name.rpartition("-")
    template = shipped(kind, int(servers)) if servers.isdigit() else shipped(name)
    path = tmp_path / f"{stem(template)}.yaml"
    save(template, path)
    assert path.stem == name
    assert load(path) == template
    assert text(load(path)) == path.read_text()
    assert FAKE in path.read_text()
    assert (template.provenance.driver, template.provenance.release) == ("fake", "nova 34.0 (2026.2)")


def test_a_kind_that_does_not_ship_is_one_sentence_with_those_that_do() -> None:
    with pytest.raises(
        UsageError, match="no template of no\\?such comes with rpcscope: learn it, or choose among create,"
    ):
        shipped("no\x07such")
    with pytest.raises(UsageError, match="no template of create of 7 servers"):
        shipped("create", 7)
    assert shipped("create", 5).instances == 5
    assert shipped("periodic:report_state").interval_s == 10.0


def test_a_file_says_what_it_is_and_where_it_comes_from() -> None:
    root = Step(method="go", kind="cast", topic="conductor", sender="api")
    variant = Variant(operations=3, share=1.0, roots=(root,))
    known = Provenance(release="nova 29", driver="libvirt", operations=3, recorded="2026-11-20", sources=("a", "b"))
    made = text(Template(kind="reboot", variants=(variant,), provenance=known))
    head = [line for line in made.splitlines() if line.startswith("#")]
    assert "of the kind reboot do on the bus" in head[0]
    assert head[1:3] == ["# Learned from 3 recorded operations of nova 29.", "# Driver: libvirt."]
    assert FAKE not in made
    assert "recorded: '2026-11-20'" in made  # else YAML makes a date of it
    assert list(yaml.safe_load(made)) == ["format", "kind", "provenance", "variants"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "wrong at its top: expected `object`, got `array`"),
        ({"kind": "x"}, "wrong at its top: object missing required field `variants`"),
        (whole() | {"format": 2}, "is of format 2, and this rpcscope reads 1: use a newer one"),
        (whole() | {"format": 0}, "wrong at format: format 0 is not known here"),
        (whole() | {"kind": ""}, "wrong at kind: it is empty"),
        (whole() | {"kind": "a\nb"}, "wrong at kind: it must be printable"),
        (whole() | {"variants": []}, "wrong at variants: there is none"),
        (whole() | {"interval_s": 0}, "wrong at interval_s: it must be above 0"),
        (whole() | {"colour": 1}, "wrong at its top: object contains unknown field `colour`"),
        (whole(method=""), r"wrong at variants\[0\].roots\[0\].method: it is empty"),
        (whole(method=7), r"wrong at variants\[0\].roots\[0\].method: expected `str`, got `int`"),
        (whole(kind="shout"), r"wrong at variants\[0\].roots\[0\].kind: invalid enum value 'shout'"),
        (whole(sender=""), r"roots\[0\].sender: a root must say which service sends it"),
        (whole(after=0), r"roots\[0\].after: 0 is no sibling before it: give -1 to -1"),
        (whole(host="compute-7"), r"roots\[0\].host: a host is source or dest, never a name"),
        (whole(delay={"quantiles_s": [-1]}), r"delay.quantiles_s: a value is negative"),
        (whole(delay={"quantiles_s": [2, 1]}), r"delay.quantiles_s: the values must not fall"),
        (whole(delay={"quantiles_s": [0.0] * 102}), "it has more than 101 values"),
        (whole(delay={"fit": {"mu": 0, "sigma": -1, "ks": 0}}), r"delay.fit: mu must lie within"),
        (whole(request={"quantiles": [1 << 31]}), "no body has more than"),
        (whole(reply={"quantiles": [5]}), "a cast has no reply and no failure"),
        (whole(failure="NoValidHost"), "a cast has no reply and no failure"),
        (whole(kind="fanout", exchange="nova"), "a fanout goes to all of its topic"),
        (whole(timeout_s=0), "timeout_s: it must be above 0"),
        (whole(instance=1), "instance: there are 1 servers: give 0 to 0"),
        (whole(repeats_s=5), "repeats_s: a step that repeats must name the wait"),
        (whole(steps=[CALL | {"sender": "api"}]), r"steps\[0\].sender: only a root has a sender"),
        (whole(steps=[CALL | {"after": -2}]), r"steps\[0\].after: -2 is no sibling before it"),
        (
            whole(steps=[CALL | {"wait": "copy", "repeats_s": 5.0}]),
            r"steps\[0\].wait: no step beside it ends the wait copy",
        ),
        (
            whole(steps=[CALL | {"wait": "copy", "repeats_s": 5.0}, CALL | {"wait": "copy", "after": 0}]),
            r"steps\[1\].after: step 0 repeats, so nothing can wait for its end",
        ),
        (
            {"kind": "x", "variants": [{"operations": 1, "share": 0.4, "roots": [ROOT]}] * 2},
            "variants: their shares add up to 0.8 and not to 1",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_hole_is_one_sentence_that_says_where(values: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words) as error:
        load(written(tmp_path, values))
    assert str(error.value).startswith("the template t.yaml ")
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_yaml_or_a_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    for said, words in [
        (b"a: &a [1, 1]\nb: &b [*a, *a]\nc: [*b, *b]\n", "anchors and aliases"),
        (b"{" * 100_000, "inside one another"),
        (b"kind: [\n", "can not be read"),
        (b"x" * (17 << 20), "more than the 16,777,216 bytes"),
    ]:
        path.write_bytes(said)
        with pytest.raises(UsageError, match=words):
            load(path)


def test_a_file_that_can_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the template none.yaml can not be written: No such file"):
        save(shipped("delete"), tmp_path / "nowhere" / "none.yaml")


def places(values: Any) -> list[tuple[Any, ...]]:
    """The path of every value inside."""
    inner = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    return [(), *((key, *rest) for key, value in inner for rest in places(value))]


SMALL = msgspec.json.decode(msgspec.json.encode(shipped("create-no-valid-host")))
PLACES = [place for place in places(SMALL) if place]
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("call"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.just("drop") | ODD), min_size=1, max_size=3))
def test_whatever_a_hand_changes_is_a_template_or_one_sentence(
    tmp_path: Path, changes: list[tuple[tuple[Any, ...], Any]]
) -> None:
    values = copy.deepcopy(SMALL)
    for (*way, last), value in changes:
        inner = values
        try:
            for key in way:
                inner = inner[key]
            if value == "drop":
                del inner[last]
            else:
                inner[last] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took it away
    path = tmp_path / "t.yaml"
    path.write_text(yaml.safe_dump(values, allow_unicode=True), "utf-8")
    made, said = None, ""
    try:
        made = load(path)
    except UsageError as error:
        said = str(error)
    assert said.isprintable()
    assert len(said) < 700
    if made is not None:
        save(made, path)
        assert load(path) == made
        assert all(step.method for variant in made.variants for step in walk(variant.roots))


def test_every_field_is_explained() -> None:
    page = (Path(__file__).parents[3] / "docs" / "templates.md").read_text()
    names = {field.name for record in (Template, Variant, Step, Provenance) for field in msgspec.structs.fields(record)}
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []
