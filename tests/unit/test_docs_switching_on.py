"""What services are told on the page about switching on, they understand: sections, options and values."""

from __future__ import annotations

import configparser
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # importing it warns about eventlet, which is not in use here
    import oslo_messaging.opts
    from oslo_config import cfg
    from oslo_messaging._tracing import client as tracing

from rpcscope.cli.main import COMMANDS
from rpcscope_collectors.transport import from_transport_url
from tests.unit.test_docs_production import options, said_commands, the_command
from tests.unit.test_house import ROOT

PAGE = ROOT / "docs" / "switching-on.md"
TEXT = PAGE.read_text()
OF_NOVA = {"notifications"}
"""Sections that nova itself defines; the others are oslo.messaging's."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def known() -> dict[str, list[Any]]:
    """What oslo.messaging registers, by section."""
    found: dict[str, list[Any]] = {"oslo_messaging_tracing": tracing.oslo_messaging_tracing}
    for group, its in oslo_messaging.opts.list_opts():
        found.setdefault(str(group or "DEFAULT"), []).extend(its)
    return found


@pytest.mark.parametrize("text", blocks("ini"))
def test_a_file_says_nothing_that_oslo_messaging_would_not_take(text: str, tmp_path: Path) -> None:
    (tmp_path / "service.conf").write_text(text)
    conf, defined = cfg.ConfigOpts(), known()
    for section, its in defined.items():
        conf.register_opts(its, group=None if section == "DEFAULT" else section)
    conf(["--config-file", str(tmp_path / "service.conf")], project="nova", default_config_dirs=[])
    said = configparser.ConfigParser(default_section="", interpolation=None)
    said.read_string(text)
    for section in set(said.sections()) - OF_NOVA:
        assert set(said[section]) <= {option.dest for option in defined[section]}, section
        for key, value in said[section].items():
            read = (conf if section == "DEFAULT" else conf[section])[key]
            assert read in ([value], value, value == "true")


def test_every_section_is_tried() -> None:
    said = {name for text in blocks("ini") for name in re.findall(r"^\[(\w+)\]", text, re.MULTILINE)}
    assert said == {"DEFAULT", "notifications", *known()} - {"oslo_messaging_rabbit", "oslo_messaging_kafka"}


def test_a_value_that_is_none_of_the_choices_would_be_found(tmp_path: Path) -> None:
    wrong = next(text for text in blocks("ini") if "otlp_protocol" in text).replace("http/protobuf", "http/json")
    with pytest.raises(cfg.ConfigFileValueError):
        test_a_file_says_nothing_that_oslo_messaging_would_not_take(wrong, tmp_path)


def test_the_overrides_of_openstack_helm_say_what_the_files_say() -> None:
    conf, endpoints = map(yaml.safe_load, blocks("yaml"))
    sections = conf["conf"]["nova"]
    assert set(sections) == {"notifications", "oslo_messaging_notifications"}
    for section, its in sections.items():
        for key, value in its.items():
            assert re.search(rf"^\[{section}\]\n(?:.*\n)*?{key} = {value}$", blocks("ini")[0], re.MULTILINE)
    assert endpoints["endpoints"]["oslo_messaging"]["scheme"] == "rpcscope+rabbit"


def test_the_template_of_a_cell_gives_the_url_back() -> None:
    (template,) = blocks("text")
    fields = {
        "scheme": "rpcscope+rabbit", "username": "nova", "password": "secret", "hostname": "rabbit1", "port": 5672,
        "path": "nova", "query": "ssl=0",
    }  # fmt: skip
    filled = template.strip().format(**fields)
    assert filled == "rpcscope+rabbit://nova:secret@rabbit1:5672/nova?ssl=0"
    assert from_transport_url(filled).vhost == "nova"


def test_every_command_of_rpcscope_is_there_with_its_options(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(re.sub(r"^```.*?^```", "", TEXT, flags=re.MULTILINE | re.DOTALL))
    found = said_commands(tmp_path / "page.md")
    assert {name for name, _ in found} >= {"record", "doctor", "status"}
    for name, given in found:
        assert name in COMMANDS
        assert given <= options(the_command(name)), name
