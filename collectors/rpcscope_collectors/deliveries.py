"""How many messages each queue has delivered, by the management API."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from rpcscope_collectors.management import Management


class DeliveryApi(Management):
    """The management API, asked for counters. The broker renews them every 5 seconds or so."""

    def delivered(self, vhost: str) -> dict[str, int]:
        """Deliveries by queue since its statistics began. Raises BrokerError when there is no answer.

        Counters rather than rates: the API's rates fall to zero now and then while messages flow.
        """
        query = urlencode({"columns": "name,message_stats.deliver_get"})
        answer = self._ask("GET", f"queues/{quote(vhost, safe='')}?{query}")
        if not isinstance(answer, list):
            raise self._not_the_api()
        return {str(item["name"]): _count(item) for item in answer if isinstance(item, dict) and item.get("name")}


def _count(item: dict[str, object]) -> int:
    stats = item.get("message_stats")
    count = stats.get("deliver_get") if isinstance(stats, dict) else None
    return count if type(count) is int else 0
