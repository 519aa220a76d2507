"""May a queue be looked into without harm? What the broker says of it decides, and all that is not known to be
harmless is refused.

Taking messages with basic.get and giving them back was tried on RabbitMQ 3.10.8: a classic queue without a consumer
puts them back into their places (see docs/queues.md). A quorum queue moved them to its end, counted each time as a
delivery that failed, and dropped them once its delivery limit was reached.
"""

from __future__ import annotations

import shlex
import time
import urllib.error
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from rpcscope.errors import BrokerError, UsageError
from rpcscope_collectors.bindings import PREFIX
from rpcscope_collectors.management import Management

_HARMLESS = frozenset(
    {
        *("queue-type", "expires", "message-ttl", "dead-letter-exchange", "dead-letter-routing-key"),
        *("queue-mode", "queue-version", "queue-master-locator", "single-active-consumer"),
    }
)
_POLICY = "effective_policy_definition"
_POLICY_S = 15.0  # the broker tells a queue's policy with its statistics, mostly every 5 seconds
_FACTS = ("type", "arguments", "exclusive", "consumers", "state", "message_stats", _POLICY)


class PeekApi(Management):
    """The management API, asked for one queue."""

    def check(self, vhost: str, queue: str) -> str:
        """The type of a queue that may be looked into: classic or stream.

        Raises:
            UsageError: it might be harmed; the sentence says by what, and what to do instead.
            BrokerError: there is no such queue, or no answer.
        """
        if queue.startswith(PREFIX):
            raise UsageError(f"{queue} belongs to a tap: `rpcscope status` tells how far behind its recorder is")
        facts = self._facts(vhost, queue)
        if facts.get("type") == "stream":
            return "stream"
        reason = _quorum(facts, vhost, queue) or _in_use(facts, queue) or _odd_setting(facts, queue)
        if reason:
            raise UsageError(reason)
        return "classic"

    def _facts(self, vhost: str, queue: str) -> Mapping[str, Any]:
        """What is known of a queue, with its policy: a queue that is new has to be waited for."""
        path = f"queues/{quote(vhost, safe='')}/{quote(queue, safe='')}"
        deadline = time.monotonic() + _POLICY_S
        while True:
            facts = self._get(path)
            if _POLICY in facts or facts.get("type") != "classic" or time.monotonic() > deadline:
                return facts
            time.sleep(0.5)

    def _refused(self, error: urllib.error.HTTPError) -> BrokerError:
        if error.code == 404:
            with error:
                return BrokerError("There is no such queue in this vhost: `rpcscope queues --all` lists them.")
        return super()._refused(error)


def in_use(queue: str, consumers: int) -> str:
    """The sentence for a queue that somebody consumes."""
    return (
        f"{queue} has {consumers:,} consumers, which would get other messages before those that are looked at: "
        "`rpcscope queues` with its name tells what waits in it, from what was recorded"
    )


def _quorum(facts: Mapping[str, Any], vhost: str, queue: str) -> str:
    kind = facts.get("type")
    if kind == "classic":
        return ""
    if kind != "quorum":
        return f"{queue} is of a type that is not known to be looked into without harm: read what was recorded instead"
    command = f"rabbitmq-queues peek --vhost {shlex.quote(vhost)} {shlex.quote(queue)} 1"
    return (
        f"{queue} is a quorum queue: a message that is taken and given back loses its place there, and counts as "
        f"failed; `{command}` on a node of the broker shows its first message and takes nothing"
    )


def _in_use(facts: Mapping[str, Any], queue: str) -> str:
    consumers = facts.get("consumers")
    if isinstance(consumers, int) and consumers:
        return in_use(queue, consumers)
    if facts.get("exclusive"):
        return f"{queue} is exclusive: the broker lets nobody but its own connection look into it"
    if facts.get("state") not in ("running", "idle", None):
        return f"{queue} is not running: bring its node back first"
    return ""


def _odd_setting(facts: Mapping[str, Any], queue: str) -> str:
    policy = facts.get(_POLICY)
    if policy is None:
        return f"which policy holds for {queue} is not known yet: try again in a few seconds"
    arguments = facts.get("arguments")
    settings = {str(key).removeprefix("x-") for key in arguments} if isinstance(arguments, dict) else set()
    settings |= set(policy) if isinstance(policy, dict) else set()
    odd = sorted(settings - _HARMLESS)
    if not odd:
        return ""
    return (
        f"{queue} has the setting {odd[0]!a}: that its messages come back unharmed is not proved for such a queue; "
        "read what was recorded instead"
    )
