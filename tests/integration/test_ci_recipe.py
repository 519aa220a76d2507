"""The recipe of docs/compare.md, run as it stands there: a private broker, real services, a boot that got dearer."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

import rpcscope.demo
from rpcscope.demo.player import Player
from rpcscope.demo.scenes import Scene, Step, scenes
from rpcscope.store import open_store
from rpcscope.store.protocol import OperationFilter
from tests.support.cli import PROGRAM, Cli, new_cli
from tests.support.dashboard import import_captures
from tests.support.rabbitmq import Cloud

pytestmark = [pytest.mark.server, pytest.mark.long]

ROOT = Path(__file__).parents[2]
BOOT = Path(rpcscope.demo.__file__).parent / "recordings" / "01_boot_1.jsonl.zst"
GIVE_UP_S = 240


def recipe() -> str:
    """The commands of the page."""
    found = re.search(r"## In a CI job\n.*?```sh\n(.*?)```", (ROOT / "docs" / "compare.md").read_text(), re.DOTALL)
    assert found
    return found[1]


def recorded_boot(path: Path) -> Scene:
    with open_store(str(path), create=True) as store:
        import_captures(store, BOOT)
        reader = store.reader()
        (boot,) = reader.operations(OperationFilter(kind="create"))
        (scene,) = scenes([boot], reader.calls(cause_ids=[boot.id]), reader.processes().values())
    return scene


def dearer(step: Step, method: str) -> Step:
    """A step of which every compute's first call is made twice, the second time of another method."""
    children = tuple(dearer(child, method) for child in step.children)
    if step.method == "build_and_run_instance":
        children = (*children, replace(children[0], method=method, children=()))
    return replace(step, children=children)


@contextmanager
def booting(cloud: Cloud, folder: Path, scene: Scene) -> Iterator[None]:
    """Whoever runs `openstack` has real services play a boot."""
    for name in ("asked", "done"):
        os.mkfifo(folder / name)
    script = folder / "bin" / "openstack"
    script.parent.mkdir()
    script.write_text(f"#!/bin/bash\necho boot > {folder}/asked\nread -r < {folder}/done\n")
    script.chmod(0o755)
    (folder / "bin" / "rpcscope").symlink_to(PROGRAM)
    with Player(cloud.server.transport_url(cloud.vhost), computes=1, conductors=1, schedulers=1) as player:

        def serve() -> None:
            while (folder / "asked").read_text().strip() == "boot":
                player.play(scene)
                (folder / "done").write_text("done\n")

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        (folder / "asked").write_text("enough\n")
        thread.join(GIVE_UP_S)


def run(cloud: Cloud, cli: Cli, scene: Scene) -> subprocess.CompletedProcess[str]:
    (cli.folder / "nova.conf").write_text(
        f"[DEFAULT]\ntransport_url = {cloud.server.transport_url(cloud.vhost)}\n", encoding="utf-8"
    )
    text = recipe().replace("/etc/nova/nova.conf", str(cli.folder / "nova.conf"))
    own = {"MANAGEMENT_URL": cloud.server.management_url, "CHANGE": "I1234"}
    environment = cli.environment() | own | {"PATH": f"{cli.folder / 'bin'}:{os.environ['PATH']}"}
    with booting(cloud, cli.folder, scene):
        return subprocess.run(
            ["bash", "-c", text], env=environment, cwd=cli.folder, text=True, capture_output=True, check=False,
            timeout=GIVE_UP_S,
        )  # fmt: skip


@pytest.mark.parametrize("new", ["", "object_action(Planted.save)"])
def test_the_recipe_lets_a_boot_pass_as_it_was_and_stops_one_with_an_rpc_more(
    cloud: Cloud, tmp_path: Path, new: str
) -> None:
    cli = new_cli(tmp_path)
    scene = recorded_boot(tmp_path / "boot.known.sqlite")
    cli.ok("budget", "write", tmp_path / "boot.known.sqlite", "-o", "budgets.yaml")
    (tmp_path / "budgets.yaml").write_text(
        re.sub(
            "duration_p95_s:\n *at_most: .*\n",
            "duration_p95_s: {at_most: 60}\n",
            (tmp_path / "budgets.yaml").read_text(),
        )
    )
    done = run(cloud, cli, replace(scene, roots=tuple(dearer(r, new) for r in scene.roots)) if new else scene)
    failed = [case.get("name") for case in ElementTree.parse(tmp_path / "budget.xml").iter("testcase") if len(case)]
    status = cli.ok("db", "status", "--db", tmp_path / "boot.sqlite")
    assert "change=I1234" in status
    if new:
        assert (done.returncode, "rpcs at most 15" in failed) == (1, True), done
        assert f"16 in 3 of 3 operations: conductor {new} (1) is new" in done.stdout
    else:
        assert (done.returncode, failed) == (0, []), done
