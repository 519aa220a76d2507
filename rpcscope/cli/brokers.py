"""Which brokers are meant, and which of the other URLs belongs to which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rpcscope.errors import UsageError

if TYPE_CHECKING:
    from rpcscope_collectors.transport import Broker


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One broker, and who may be asked about it."""

    broker: Broker
    management_urls: tuple[str, ...] = ()
    prometheus_urls: tuple[str, ...] = ()


def places(
    transport_urls: Sequence[str],
    config_files: Sequence[Path],
    management_urls: Sequence[str],
    prometheus_urls: Sequence[str] = (),
) -> list[Place]:
    """The brokers in the order in which they were named, each once.

    Of one broker every URL is its own. Of several, a URL belongs to the brokers whose host it shares, or to those that
    `VHOST=URL`, `HOST=URL` or `HOST:PORT=URL` names.

    Raises:
        UsageError: no broker, the same one twice, or a URL of none or of nobody knows which.
    """
    brokers = _brokers(transport_urls, config_files)
    managing = _shared_out("--management-url", management_urls, brokers)
    measuring = _shared_out("--prometheus-url", prometheus_urls, brokers)
    return [
        Place(broker=broker, management_urls=tuple(managing[place]), prometheus_urls=tuple(measuring[place]))
        for place, broker in enumerate(brokers)
    ]


def places_beside(ears: Sequence[object], where: dict[str, Any], prometheus_urls: Sequence[str]) -> list[Place]:
    """The brokers of a command that may also hear what others tell; none, when that is all it does.

    Raises:
        UsageError: as `places`; or several brokers, and whose calls others tell of can not be known.
    """
    urls, files, managing = where["transport_urls"], where["config_files"], where["management_urls"]
    if not ears:
        return places(urls, files, managing, prometheus_urls)
    if not urls and not files:
        if managing or prometheus_urls:
            raise UsageError("--management-url and --prometheus-url belong to a broker: name it by --transport-url")
        return []
    found = places(urls, files, managing, prometheus_urls)
    if len(found) > 1:
        raise UsageError("what services tell does not say by which broker: start one recorder for each broker")
    return found


def one_place(where: dict[str, Any]) -> Place:
    """The broker of a command that has only one."""
    found = places(where["transport_urls"], where["config_files"], where["management_urls"])
    if len(found) > 1:
        raise UsageError("this command is for one broker: name one --transport-url or --config-file")
    return found[0]


def _brokers(transport_urls: Sequence[str], config_files: Sequence[Path]) -> list[Broker]:
    from rpcscope_collectors.transport import from_config_file, from_transport_url

    if bool(transport_urls) == bool(config_files):
        raise UsageError("name the broker by one of --transport-url and --config-file")
    found = [*map(from_transport_url, transport_urls), *map(from_config_file, config_files)]
    if len({str(broker) for broker in found}) < len(found):
        raise UsageError("the same broker and vhost is named twice: name each once")
    return found


def _shared_out(option: str, urls: Sequence[str], brokers: Sequence[Broker]) -> list[list[str]]:
    """URLs by the place of their broker."""
    shares: list[list[str]] = [[] for _ in brokers]
    for given in urls:
        whose, url = _split(given)
        for place in _owners(option, whose, url, brokers):
            shares[place].append(url)
    return shares


def _split(given: str) -> tuple[str, str]:
    """Who is named before `=`, and the URL; a `=` behind `://` is the URL's own."""
    whose, equals, url = given.partition("=")
    return (whose, url) if equals and "://" not in whose else ("", given)


def _owners(option: str, whose: str, url: str, brokers: Sequence[Broker]) -> list[int]:
    named = [place for place, broker in enumerate(brokers) if whose in _names(broker)]
    if whose and named:
        return named
    if not whose and len(brokers) == 1:
        return [0]
    host = "" if whose else _host(url)
    sharing = [place for place, broker in enumerate(brokers) if host and host in dict(broker.hosts)]
    if sharing and len({brokers[place].hosts for place in sharing}) == 1:  # vhosts of one cluster
        return sharing
    # Never the URL itself: it may hold a password.
    known = "; ".join(map(str, brokers))
    raise UsageError(f"which broker a {option} is of can not be told: write VHOST=URL or HOST:PORT=URL, of {known}")


def _names(broker: Broker) -> set[str]:
    hosts = {name for host, port in broker.hosts for name in (host, f"{host}:{port}")}
    return hosts | {broker.vhost}


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
