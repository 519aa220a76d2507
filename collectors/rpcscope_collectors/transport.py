"""Where a broker is and how to log in, read from what oslo.messaging reads: a transport URL or a nova.conf."""

from __future__ import annotations

import ssl
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rpcscope.errors import UsageError

_SCHEMES = ("rabbit", "kombu", "kombu+rabbit", "rpcscope+rabbit", "rpcscope+kombu")
_GROUP = "oslo_messaging_rabbit"
_SHAPE = "it has to look like rabbit://user:password@host:5672/vhost, with user and password %-escaped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """TLS as oslo.messaging does it: without `ca_file` the broker's certificate is not verified."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""

    def context(self) -> ssl.SSLContext:
        """A client's context. Raises UsageError for a file that is missing or is no certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            if self.ca_file:
                context.load_verify_locations(self.ca_file)
            else:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            if self.cert_file:
                context.load_cert_chain(self.cert_file, self.key_file or None)
        except OSError as error:  # ssl.SSLError is one
            raise UsageError(
                "The TLS files can not be used: check ssl_ca_file, ssl_cert_file and ssl_key_file "
                f"({error.strerror or error.__class__.__name__})."
            ) from error
        return context


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """One broker (a cluster has several hosts) and one of its vhosts. Its `str` has no password in it."""

    hosts: tuple[tuple[str, int], ...]
    username: str = "guest"
    password: str = field(default="guest", repr=False)
    vhost: str = "/"
    tls: Tls | None = None

    def __str__(self) -> str:
        """The hosts and the vhost, for people and for a recording's scope."""
        return f"{self.address} vhost {self.vhost}"

    @property
    def address(self) -> str:
        """Its hosts and ports."""
        return ",".join(f"{host}:{port}" for host, port in self.hosts)


def from_transport_url(url: str) -> Broker:
    """The broker of an oslo.messaging transport URL.

    Several hosts, TLS options in the query, kombu and the tap inside services (rpcscope+rabbit) are understood; an
    empty vhost is "/". Raises UsageError, which never repeats the URL: it holds the password.
    """
    if not url:
        raise UsageError(f"The transport URL is empty; {_SHAPE}.")
    return _broker(_options(), url)


def from_config_file(path: Path | str) -> Broker:
    """The broker of a service's configuration, such as /etc/nova/nova.conf.

    Reads [DEFAULT] transport_url and the TLS options of [oslo_messaging_rabbit]; options in the URL win.
    Raises UsageError.
    """
    from oslo_config import cfg

    conf = _options()
    try:
        conf(args=[], default_config_files=[str(path)], default_config_dirs=[], use_env=False)
        return _broker(conf, None)
    except cfg.ConfigFilesNotFoundError:
        raise UsageError(f"{path} does not exist: give the path of a service's configuration file.") from None
    except cfg.ConfigFilesPermissionDeniedError:
        raise UsageError(f"{path} may not be read by this user: run as a user who may.") from None
    except (cfg.Error, ValueError):  # their texts quote the file, and with it the password
        raise UsageError(f"{path} is not a configuration file that oslo.config can read.") from None


def _options() -> Any:
    from oslo_config import cfg

    conf = cfg.ConfigOpts()
    conf.register_opts(
        [
            cfg.BoolOpt("ssl", default=False, deprecated_name="rabbit_use_ssl"),
            cfg.StrOpt("ssl_ca_file", default="", deprecated_name="kombu_ssl_ca_certs"),
            cfg.StrOpt("ssl_cert_file", default="", deprecated_name="kombu_ssl_certfile"),
            cfg.StrOpt("ssl_key_file", default="", deprecated_name="kombu_ssl_keyfile"),
        ],
        group=_GROUP,
    )
    return conf


def _broker(conf: Any, url: str | None) -> Broker:
    parsed = _parse(conf, url)
    if parsed.transport not in _SCHEMES:
        raise UsageError(
            f"The transport URL begins with {parsed.transport}://, but rpcscope taps RabbitMQ only: use rabbit://."
        )
    if not parsed.hosts or not all(host.hostname for host in parsed.hosts):
        raise UsageError(f"The transport URL names no host; {_SHAPE}.")
    accounts = {(host.username, host.password) for host in parsed.hosts if host.username}
    if len(accounts) > 1:
        raise UsageError("The hosts of the transport URL have different users or passwords: give one account for all.")
    username, password = accounts.pop() if accounts else ("guest", "guest")
    return Broker(
        hosts=tuple((host.hostname, host.port or 5672) for host in parsed.hosts),
        username=username,
        password=password or "",
        vhost=parsed.virtual_host or "/",
        tls=_tls(conf, parsed.query),
    )


def _parse(conf: Any, url: str | None) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importing it warns about eventlet, which is not in use here
        import oslo_messaging

    try:
        return oslo_messaging.TransportURL.parse(conf, url)
    except (oslo_messaging.InvalidTransportURL, ValueError):  # their texts quote the URL
        raise UsageError(f"The transport URL can not be read; {_SHAPE}.") from None


def _tls(conf: Any, query: dict[str, str]) -> Tls | None:
    from oslo_config import types

    configured = conf[_GROUP]
    try:
        wanted = types.Boolean()(query.get("ssl", configured.ssl))
    except ValueError:
        raise UsageError("The option ssl has to be true or false.") from None
    if not wanted:
        return None
    return Tls(
        ca_file=query.get("ssl_ca_file", configured.ssl_ca_file),
        cert_file=query.get("ssl_cert_file", configured.ssl_cert_file),
        key_file=query.get("ssl_key_file", configured.ssl_key_file),
    )
