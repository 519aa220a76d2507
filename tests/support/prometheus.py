"""A real Prometheus of the test's own, which scrapes what it is told and is asked by its HTTP API."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rpcscope.free_ports import free_port

GIVE_UP_S = 120.0


@dataclass(frozen=True)
class Prometheus:
    """One that runs."""

    url: str
    log: Path

    def ask(self, path: str, **parameters: str) -> Any:
        """The data of an answer of its API."""
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(address, timeout=30) as answer:
            told = json.load(answer)
        assert told["status"] == "success", told
        return told["data"]

    def values(self, expression: str, *labels: str) -> dict[tuple[str, ...], float]:
        """What an expression gives now, by some labels."""
        found = self.ask("query", query=expression)["result"]
        return {tuple(one["metric"].get(label, "") for label in labels): float(one["value"][1]) for one in found}

    def wait(self, expression: str, value: float) -> None:
        """Until an expression gives this one value."""
        self._until(lambda: self.values(expression) == {(): value}, f"{expression} = {value}", expression)

    def _until(self, is_so: Callable[[], bool], words: str, expression: str) -> None:
        deadline = time.monotonic() + GIVE_UP_S
        while not is_so():
            assert time.monotonic() < deadline, f"never was {words}, but {self.values(expression)}"
            time.sleep(0.2)


@contextmanager
def prometheus(folder: Path, targets: Mapping[str, Mapping[str, Any]], rules: str = "") -> Iterator[Prometheus]:
    """Scrapes each job every second. `targets` has what the configuration says of each job besides its name."""
    port = free_port()
    jobs = [
        {"job_name": name, "scrape_interval": "1s", "scrape_timeout": "1s", **told} for name, told in targets.items()
    ]
    config: dict[str, Any] = {"global": {"evaluation_interval": "1s"}, "scrape_configs": jobs}
    if rules:
        (folder / "rules.yaml").write_text(rules)
        config["rule_files"] = [str(folder / "rules.yaml")]
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    found = Prometheus(f"http://127.0.0.1:{port}", folder / "prometheus.log")
    with found.log.open("w") as log:
        process = subprocess.Popen(
            ["prometheus", f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'tsdb'}",
             f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log,
        )  # fmt: skip
    try:
        _wait_ready(found, process)
        yield found
    finally:
        process.terminate()
        process.wait(60)


def _wait_ready(found: Prometheus, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    while True:
        assert process.poll() is None, found.log.read_text()
        assert time.monotonic() < deadline, found.log.read_text()
        try:
            with urllib.request.urlopen(f"{found.url}/-/ready", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
