"""The house: what is packaged, locked, promised by README and linked by the docs."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "rpcscope": ROOT / "rpcscope",
    "rpcscope_collectors": ROOT / "collectors/rpcscope_collectors",
    "rpcscope_web": ROOT / "web/rpcscope_web",
    "rpcscope_migrations": ROOT / "alembic/rpcscope_migrations",
}
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of the files in the wheel that is built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as opened:
        return set(opened.namelist())


def tracked(folder: Path) -> list[Path]:
    """Files of a package as git has them."""
    listed = subprocess.run(["git", "ls-files", "-z", "."], cwd=folder, capture_output=True, text=True, check=True)
    return [Path(name) for name in listed.stdout.split("\0") if name and (folder / name).exists()]


def test_the_wheel_holds_four_packages_and_nothing_beside_them(wheel: set[str]) -> None:
    top = {name.partition("/")[0] for name in wheel}
    assert {name for name in top if not name.endswith(".dist-info")} == PACKAGES.keys()
    assert len(top) == len(PACKAGES) + 1


@pytest.mark.parametrize("package", PACKAGES)
def test_the_wheel_holds_every_file_of_a_package_with_its_data(wheel: set[str], package: str) -> None:
    files = {f"{package}/{name.as_posix()}" for name in tracked(PACKAGES[package])}
    assert files
    assert files - wheel == set()


@pytest.mark.parametrize(
    "data",
    [
        "rpcscope/rules/nova.toml",
        "rpcscope/demo/recordings/",
        "rpcscope/py.typed",
        "rpcscope_migrations/script.py.mako",
        "rpcscope_migrations/versions/",
    ],
)
def test_what_is_no_module_is_shipped_too(wheel: set[str], data: str) -> None:
    assert any(name.startswith(data) for name in wheel)


def test_the_command_is_installed_by_the_wheel(wheel: set[str]) -> None:
    assert any(name.endswith(".dist-info/entry_points.txt") for name in wheel)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_no_host(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert not re.search(r"^\s*(-|#)[^\n]*", text.replace("    --hash=", ""), re.MULTILINE)
    assert not re.search(r"\b[a-z0-9-]+\.(org|com|net|io|dev|internal|local)\b", text)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_line_of_a_lock_is_one_version_with_its_hashes(lock: Path) -> None:
    requirements = lock.read_text().replace("\\\n", "").splitlines()
    assert len(requirements) > 20
    pinned = re.compile(r"[a-z0-9-]+==[\w.!+-]+( ; [^#@]+?)?\s+(--hash=sha256:[0-9a-f]{64}\s*)+")
    assert [line for line in requirements if not pinned.fullmatch(line)] == []


def test_both_locks_agree_on_every_version() -> None:
    run, dev = (
        set(re.findall(r"^[a-z0-9-]+==\S+", (ROOT / "requirements" / name).read_text(), re.MULTILINE))
        for name in ("run.txt", "dev.txt")
    )
    assert run
    assert run <= dev


def test_every_make_command_that_the_pages_name_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {(page.name, target) for page in PAGES for target in make_commands(page.read_text())}
    assert named
    assert {(page, target) for page, target in named if target not in targets} == set()


def make_commands(text: str) -> list[str]:
    """Targets of the `make` commands in code: fenced, indented or inline."""
    fenced = "\n".join(block for _, block in re.findall(r"^(```|~~~)(.*?)^\1", text, re.MULTILINE | re.DOTALL))
    in_blocks = re.findall(r"^\s*(?:\$ )?make ([a-z-]+)", fenced, re.MULTILINE)
    return in_blocks + re.findall(r"(?:^(?: {4}|\t)(?:\$ )?|`)make ([a-z-]+)", text, re.MULTILINE)


def test_commands_are_found_wherever_code_is() -> None:
    page = "Say `make one`.\n\n    make two  # now\n\n```sh\nmake three\n```\nmake no mistake\n"
    assert sorted(make_commands(page)) == ["one", "three", "two"]


@pytest.mark.parametrize("script", ["run", "venv", "servers", "apt", "lock"])
def test_the_scripts_can_be_run_and_are_bash(script: str) -> None:
    path = ROOT / ".ci" / script
    assert path.stat().st_mode & 0o111 == 0o111
    assert subprocess.run(["bash", "-n", str(path)], check=False).returncode == 0


def test_missing_servers_are_named_when_they_can_not_be_installed(tmp_path: Path) -> None:
    (tmp_path / "apt").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "apt").chmod(0o755)
    (tmp_path / "servers").write_text((ROOT / ".ci/servers").read_text().replace("rabbitmq-server)", "no-such-server)"))
    done = subprocess.run(
        ["bash", str(tmp_path / "servers"), "rabbitmq-server"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "apt-get install rabbitmq-server" in done.stderr


def test_every_link_of_the_pages_leads_somewhere() -> None:
    assert {f"{page.name}: {link}" for page in PAGES for link in dead_links(page)} == set()


def dead_links(page: Path) -> list[str]:
    """Links to files that are not there, or to headings that no page has."""
    text = re.sub(r"^(```|~~~).*?^\1", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)", text)
    return [link for link in links if not re.match(r"https?:|mailto:", link) and not leads_somewhere(page, link)]


def leads_somewhere(page: Path, link: str) -> bool:
    """The file is there, and so is the heading behind `#`."""
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    if not target.exists():
        return False
    return not anchor or anchor in anchors(target)


def anchors(page: Path) -> set[str]:
    """Headings as links name them: lower case, without punctuation, hyphens for spaces."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_a_dead_link_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One thing\n[good](#one-thing) [bad](#another) [gone](gone.md)\n")
    assert dead_links(page) == ["#another", "gone.md"]
