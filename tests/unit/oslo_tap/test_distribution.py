"""The tap is a distribution of its own that fits into any service's environment."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3] / "collectors" / "oslo-tap"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=PROJECT, check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as opened:
        yield opened


def test_it_needs_nothing_and_runs_on_the_python_of_old_services(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith("/METADATA")]
    metadata = Parser().parsestr(wheel.read(name).decode())
    assert metadata.get_all("Requires-Dist") is None
    assert metadata["Requires-Python"] == ">=3.8"


def test_oslo_messaging_finds_its_driver(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith("/entry_points.txt")]
    assert wheel.read(name).decode().split("\n") == [
        "[oslo.messaging.drivers]",
        "rpcscope = rpcscope_oslo_tap.driver:load",
        "",
    ]


def test_it_holds_its_own_package_alone(wheel: zipfile.ZipFile) -> None:
    assert {name.partition("/")[0].partition("-")[0] for name in wheel.namelist()} == {"rpcscope_oslo_tap"}
    assert "rpcscope_oslo_tap/py.typed" in wheel.namelist()
