"""`rpcscope serve`: the dashboard."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rpcscope.cli.export_metrics import label_options
from rpcscope.cli.options import db_option, opened
from rpcscope.cli.output import heading
from rpcscope.errors import UsageError

if TYPE_CHECKING:
    from rpcscope.store.store import Store
    from rpcscope_web import Settings

PORT = 8765
"""Where the dashboard is unless told otherwise."""
SHORTEST = 12
"""Characters of a password."""
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("serve")
@db_option()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65_535), default=PORT, show_default=True, help="0: any that is free.")
@click.option("--password-file", type=_FILE, help="Ask for the password that is the first line of this file.")
@click.option("--trust-proxy-header", metavar="NAME", help="A proxy in front asks who it is and sets this header.")
@click.option("--allow-host", multiple=True, metavar="NAME", help="A further name under which it is reached.")
@click.option("--tls-cert", type=_FILE, help="Certificate chain (PEM): serve https.")
@click.option("--tls-key", type=_FILE, help="Its key (PEM).")
@click.option(
    "--stuck-after", type=click.FloatRange(0), default=60.0, show_default=True, help="Seconds without a step."
)
@label_options
def serve_command(
    db: str | None,
    host: str,
    port: int,
    password_file: Path | None,
    trust_proxy_header: str | None,
    allow_host: tuple[str, ...],
    tls_cert: Path | None,
    tls_key: Path | None,
    stuck_after: float,
    metrics_hosts: bool,
    oslo_metrics_compat: bool,
) -> int:
    """Serve the dashboard until Ctrl-C, also while a recorder writes into the same database.

    It only reads: a database role that may SELECT is enough. /metrics is for Prometheus. On 127.0.0.1 it asks nobody
    who they are; elsewhere it wants a --password-file, or a proxy in front that asks.
    """
    from rpcscope_web import Settings
    from rpcscope_web.server import check_tls

    if (tls_cert is None) != (tls_key is None):
        raise UsageError("--tls-cert and --tls-key belong together: name both")
    if tls_cert and tls_key:
        check_tls(tls_cert, tls_key)
    settings = Settings(
        host=host, port=port, secret=_secret(password_file) if password_file else "",
        proxy_header=trust_proxy_header or "", allowed_hosts=allow_host, stuck_after_s=stuck_after,
        metrics_hosts=metrics_hosts, oslo_metrics=oslo_metrics_compat,
    )  # fmt: skip
    settings.check()
    with opened(db) as store:
        return serve_store(store, settings, tls_cert, tls_key)


def serve_store(store: Store, settings: Settings, tls_cert: Path | None = None, tls_key: Path | None = None) -> int:
    """Serve the dashboard of an open store until a signal; says where. Raises UsageError when the port is taken."""
    from rpcscope_web import create_app
    from rpcscope_web.server import listen, run

    with listen(settings.host, settings.port) as listener:
        port = listener.getsockname()[1]
        scheme = "https" if tls_cert else "http"
        name = f"[{settings.host}]" if ":" in settings.host else settings.host
        where = f"rpcscope shows {store.shown} at {scheme}://{name}:{port}/ until Ctrl-C"
        # Said not before a Ctrl-C is a good end.
        run(create_app(store, settings), listener, tls_cert, tls_key, on_ready=lambda: click.echo(where, err=True))
    return 0


def serve_anywhere(store: Store) -> int:
    """Serve it at the usual port, or at any other when somebody has that, under a heading."""
    from rpcscope_web import Settings

    heading("The dashboard")
    try:
        return serve_store(store, Settings(port=PORT))
    except UsageError:
        return serve_store(store, Settings(port=0))


def _secret(path: Path) -> str:
    """The password in a file that nobody else may read."""
    try:
        with path.open(encoding="utf-8") as file:
            mode = path.stat().st_mode
            lines = file.read(4_096).splitlines()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"the password file {path} can not be read: correct --password-file") from None
    if stat.S_IMODE(mode) & 0o077:
        raise UsageError(f"others may read the password file {path}: run `chmod 600 {path}`")
    password = lines[0].strip() if lines else ""
    if len(password) < SHORTEST:
        raise UsageError(
            f"the password in {path} is too short: write at least {SHORTEST} characters into its first line"
        )
    return password
