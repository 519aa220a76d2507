"""A RabbitMQ of one's own: on free ports of 127.0.0.1, in a folder of its own, gone afterwards.

It shares nothing with a broker that already runs on the machine: node name, Erlang port mapper, cookie,
configuration, users and data are all its own.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from rpcscope.errors import BrokerError
from rpcscope.free_ports import free_ports

# Debian's program in PATH refuses everybody but root and rabbitmq, so the one behind it comes first.
_FOLDERS = ("/usr/lib/rabbitmq/bin", "/usr/local/lib/rabbitmq/bin", "/opt/rabbitmq/sbin")
_START_S = 90.0
_STOP_S = 30.0
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy does not reach 127.0.0.1
_HELLO = b"AMQP\x00\x00\x09\x01"


class PrivateBroker:
    """A broker for a demo, a test or an emulated cloud; a context manager.

    `user` and `password` are an administrator with every right on "/". `port` speaks AMQP, `management_port`
    the management API (when its plugin is among `plugins`).
    """

    user: str
    password: str
    _cookie: str

    def __init__(
        self,
        folder: Path | None = None,
        plugins: Sequence[str] = ("rabbitmq_management",),
        *,
        settings: Mapping[str, str] | None = None,
        cluster_with: PrivateBroker | None = None,
    ) -> None:
        """Nothing is started yet.

        `settings` are lines of rabbitmq.conf that win over the defaults here. `cluster_with` makes it a second
        node of a running private broker. `folder` is where its own temporary folder is made; `close` removes it.
        """
        self.user = cluster_with.user if cluster_with else "rpcscope"
        self.password = cluster_with.password if cluster_with else secrets.token_hex(16)
        self.node = f"rpcscope-{secrets.token_hex(4)}@localhost"
        self.plugins = tuple(plugins)
        self.port, self.management_port, self._dist_port, self._epmd_port = free_ports(4)
        self._parent, self._peer = folder, cluster_with
        self._settings = dict(settings or {})
        self._cookie = cluster_with._cookie if cluster_with else secrets.token_hex(16)
        if cluster_with:
            self._epmd_port = cluster_with._epmd_port
        self._folder: Path | None = None
        self._epmd: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._children: list[subprocess.Popen[bytes]] = []
        self._ended: weakref.finalize[..., Any] | None = None

    @staticmethod
    def available() -> bool:
        """RabbitMQ is installed on this machine."""
        return _program("rabbitmq-server") is not None and _epmd_program() is not None

    @property
    def folder(self) -> Path:
        """Its data, its configuration and its logs, while it is open."""
        if self._folder is None:
            raise BrokerError("This private broker is not running: enter it with `with` or call start() first.")
        return self._folder

    @property
    def management_url(self) -> str:
        """Where the management API is, without user and password."""
        return f"http://127.0.0.1:{self.management_port}"

    def transport_url(self, vhost: str = "/") -> str:
        """The administrator's transport URL in oslo.messaging's syntax; it holds the password."""
        return f"rabbit://{self.user}:{self.password}@127.0.0.1:{self.port}/{quote(vhost, safe='')}"

    def start(self) -> None:
        """Start the node, and return when it serves clients. After `stop` or `kill` the data is still there.

        Raises BrokerError when RabbitMQ is not installed or does not come up.
        """
        server = _need(_program("rabbitmq-server"))
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="rpcscope-broker-", dir=self._parent))
            self._ended = weakref.finalize(self, _end, self._children, self._folder)
            self._write_configuration(self._folder)
        if self._epmd is None and self._peer is None:
            self._epmd = self._spawn([_need(_epmd_program()), "-port", str(self._epmd_port), "-address", "127.0.0.1"])
            _wait(self._epmd_answers, self._epmd, "its port mapper did not start", self.folder)
        self._server = self._spawn([server])
        _wait(self._serves, self._server, "it did not come up", self.folder)

    def stop(self) -> None:
        """End the node in order; its data stays for `start`."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the node as a crash does; its data stays for `start`."""
        self._signal(signal.SIGKILL)

    def restart(self) -> None:
        """`stop`, then `start` on the same ports with the same data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End all its processes and remove its folder."""
        self.kill()  # the data goes too, so there is nothing to put in order
        if self._ended is not None:
            self._ended()
        self._epmd = self._folder = None

    def __enter__(self) -> Self:
        """Start it, or leave nothing behind."""
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        """Close it."""
        self.close()

    def add_vhost(self, vhost: str) -> None:
        """Make a vhost; the administrator has every right on it."""
        self._send("PUT", f"vhosts/{quote(vhost, safe='')}", {})
        self.grant(self.user, vhost)

    def remove_vhost(self, vhost: str) -> None:
        """Take a vhost away, with all that is in it."""
        self._send("DELETE", f"vhosts/{quote(vhost, safe='')}", {})

    def add_user(self, name: str, password: str, *, tags: str = "") -> None:
        """Make a user without any right; `tags` such as "administrator" or "monitoring"."""
        self._send("PUT", f"users/{quote(name, safe='')}", {"password": password, "tags": tags})

    def grant(self, user: str, vhost: str = "/", *, configure: str = ".*", write: str = ".*", read: str = ".*") -> None:
        """Give a user rights on a vhost, as regular expressions of names."""
        rights = {"configure": configure, "write": write, "read": read}
        self._send("PUT", f"permissions/{quote(vhost, safe='')}/{quote(user, safe='')}", rights)

    def ctl(self, *arguments: str) -> str:
        """What `rabbitmqctl` prints when it is run on this node; takes about two seconds."""
        command = [_need(_program("rabbitmqctl")), "-n", self.node, *arguments]
        done = subprocess.run(command, env=self._environment(), capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise BrokerError(f"rabbitmqctl {arguments[0]} failed on the private broker: {_last_line(done.stderr)}")
        return done.stdout

    def _send(self, verb: str, path: str, content: dict[str, str]) -> None:
        request = urllib.request.Request(  # noqa: S310 (http, to ourselves)
            f"{self.management_url}/api/{path}",
            json.dumps(content).encode(),
            {"Content-Type": "application/json", "Authorization": self._authorization()},
            method=verb,
        )
        try:
            _direct.open(request, timeout=30).close()
        except (urllib.error.URLError, OSError) as error:
            kind = path.partition("/")[0]
            raise BrokerError(f"The private broker did not take the {kind}; its logs are in its folder.") from error

    def _authorization(self) -> str:
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def _write_configuration(self, folder: Path) -> None:
        lines = {
            "listeners.tcp.default": f"127.0.0.1:{self.port}",
            "default_user": self.user,
            "default_pass": self.password,
            "vm_memory_high_watermark.absolute": "512MB",
            "disk_free_limit.absolute": "50MB",
        }
        if "rabbitmq_management" in self.plugins:
            lines |= {"management.tcp.ip": "127.0.0.1", "management.tcp.port": str(self.management_port)}
        if self._peer is not None:
            lines["cluster_formation.peer_discovery_backend"] = "classic_config"
            lines["cluster_formation.classic_config.nodes.1"] = self._peer.node
            lines["cluster_formation.classic_config.nodes.2"] = self.node
        lines |= self._settings
        (folder / "rabbitmq.conf").write_text("".join(f"{name} = {value}\n" for name, value in lines.items()))
        (folder / "enabled_plugins").write_text(f"[{','.join(self.plugins)}].\n")
        (folder / ".erlang.cookie").write_text(self._cookie)
        (folder / ".erlang.cookie").chmod(0o400)

    def _environment(self) -> dict[str, str]:
        folder = self.folder
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_CRASH_DUMP": str(folder / "erl_crash.dump"),
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONFIG_FILES": str(folder / "conf.d"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.folder / "output").open("ab") as output:
            child = subprocess.Popen(  # noqa: S603
                command,
                env=self._environment(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for us, and the shell around the node dies with it
            )
        self._children.append(child)
        return child

    def _epmd_answers(self) -> bool:
        with socket.create_connection(("127.0.0.1", self._epmd_port), timeout=5):
            return True

    def _serves(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as client:
            client.sendall(_HELLO)
            if not client.recv(1):
                return False
        if "rabbitmq_management" not in self.plugins:
            return True
        request = urllib.request.Request(  # noqa: S310
            f"{self.management_url}/api/whoami", headers={"Authorization": self._authorization()}
        )
        with _direct.open(request, timeout=10) as answer:
            return bool(answer.status == 200)

    def _signal(self, number: signal.Signals) -> None:
        if self._server is not None:
            _end_child(self._server, number)
            self._server = None


def _end(children: list[subprocess.Popen[bytes]], folder: Path) -> None:
    for child in reversed(children):
        _end_child(child, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def _end_child(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """A child leads a process group of its own, so the group is ended and nobody else's process."""
    for each in (number, signal.SIGKILL):
        if child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, each)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_STOP_S)


def _wait(ready: Callable[[], bool], child: subprocess.Popen[bytes], fault: str, folder: Path) -> None:
    deadline = time.monotonic() + _START_S
    while child.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if ready():
                return
        time.sleep(0.1)
    said = _last_line((folder / "output").read_text(errors="replace"))
    raise BrokerError(f"A private RabbitMQ was started, but {fault}; the last thing it said was: {said}")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "nothing"


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join(_FOLDERS)) or shutil.which(name)


def _epmd_program() -> str | None:
    bundled = sorted(str(path) for path in Path("/usr/lib/erlang").glob("erts-*/bin/epmd"))
    return shutil.which("epmd") or (bundled[-1] if bundled else None)


def _need(program: str | None) -> str:
    if program is None:
        raise BrokerError("RabbitMQ is not installed here: install your distribution's package rabbitmq-server.")
    return program
