"""The options by which a recorder takes notifications, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from rpcscope.errors import UsageError

if TYPE_CHECKING:
    from rpcscope_collectors.notifications import NotificationTap
    from rpcscope_collectors.transport import Broker

_SAME = "same"


def notification_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--notifications, and what they are called where services were told other names."""
    options = (
        click.option("--notifications", is_flag=False, flag_value=_SAME, metavar="[URL]",
                     help="Also what services notify of, by a queue of our own on this transport URL; without a URL on "
                     "the broker that is recorded."),
        click.option("--notification-exchange", "notification_exchanges", multiple=True, metavar="NAME",
                     help="Control exchange that notifies. Default: nova, neutron, openstack, ..."),
        click.option("--notification-topic", "notification_topics", multiple=True, metavar="NAME",
                     help="Default: notifications and versioned_notifications."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def notifications_of(where: dict[str, Any]) -> NotificationTap | None:
    """Takes these options out of a command's; None when nobody wants notifications.

    Raises:
        UsageError: a URL can not be used, is missing, or others name what is not wanted.
    """
    url = where.pop("notifications")
    exchanges, topics = where.pop("notification_exchanges"), where.pop("notification_topics")
    if url is None:
        if exchanges or topics:
            raise UsageError("--notification-exchange and --notification-topic are for --notifications: give it, too")
        return None
    from rpcscope_collectors.notifications import NotificationTap

    return NotificationTap(_broker(url, where), name=where["name"], exchanges=exchanges, topics=topics)


def _broker(url: str, where: dict[str, Any]) -> Broker:
    from rpcscope_collectors.transport import from_config_file, from_transport_url

    if url != _SAME:
        return from_transport_url(url)
    found = [*map(from_transport_url, where["transport_urls"]), *map(from_config_file, where["config_files"])]
    if len(found) != 1:
        raise UsageError("--notifications does not say from where: give it a transport URL")
    return found[0]
