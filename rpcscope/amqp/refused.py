"""An end that the broker gave a reason for, and its sentence."""

from __future__ import annotations

from pamqp.commands import Basic, Channel, Connection

from rpcscope.amqp.where import Where
from rpcscope.errors import BrokerError

_LONGEST = 200
_ADVICE = {
    320: "somebody closed it at the broker, or the broker is stopping",
    402: "give the queue or the user what it asks for",
    403: "give the user that right (rabbitmqctl set_permissions), or take another name",
    404: "make what is missing first",
    405: "the queue is another connection's own: take another name",
    406: "what exists has other properties: delete it, or declare it as it is",
    530: "read the broker's limits and the user's rights",
    541: "read the broker's log",
}


class Refused(BrokerError):
    """The broker closed the connection or its channel, or cancelled a consumer. Its message is a whole sentence.

    `code` is AMQP's reply code (403 access refused, 404 not found, 406 precondition failed, 320 forced, 541 internal
    error...), 0 for a cancelled consumer; `text` the broker's words, bounded, without control and bidi characters.
    """

    def __init__(self, sentence: str, code: int, text: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.text = text


def refusal(method: Connection.Close | Channel.Close, name: str) -> Refused:
    """What a close that the broker sent means for the connection of that name."""
    text, code = shown(method.reply_text), method.reply_code or 0
    what = "channel" if isinstance(method, Channel.Close) else "connection"
    advice = _ADVICE.get(code, "read the broker's log")
    return Refused(f"The broker closed the {what} of {shown(name)} ({code} {text}): {advice}.", code, text)


def cancelled(method: Basic.Cancel, name: str) -> Refused:
    """What it means that the broker cancelled a consumer."""
    tag = shown(method.consumer_tag)
    return Refused(
        f"The broker cancelled consumer {tag} of {shown(name)}: its queue was deleted or has moved, declare it again.",
        0,
        "consumer cancelled",
    )


def not_let_in(refused: Refused, where: Where) -> Refused | None:
    """The sentence for a close that came before the connection was open; None when its own says it."""
    if refused.code == 403:
        said = f"The broker at {where} refuses user {shown(where.username)}: check user and password."
    elif refused.code == 530 and refused.text.endswith("not found"):
        said = f"The broker at {where} has no vhost {shown(where.vhost)}: make it first, or take another."
    elif refused.code == 530 and "refused for user" in refused.text:
        said = f"User {shown(where.username)} may not use vhost {shown(where.vhost)} at {where}: give access to it."
    else:
        return None
    return Refused(said, refused.code, refused.text)


def shown(text: object) -> str:
    """What somebody else wrote, fit for a sentence: printable, not too long."""
    if isinstance(text, bytes | bytearray):
        text = text.decode("utf-8", "replace")
    return "".join(filter(str.isprintable, str(text or "")[:_LONGEST]))
