"""An end that the broker gave a reason for."""

from __future__ import annotations

from rpcscope.errors import BrokerError


class Refused(BrokerError):
    """The broker closed the connection or its channel. Its message is a whole sentence.

    `code` is AMQP's reply code (403 access refused, 404 not found, 406 precondition failed, 320 forced, 541 internal
    error...), 0 for a cancelled consumer; `text` the broker's words, bounded, without control and bidi characters.
    """

    def __init__(self, sentence: str, code: int, text: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.text = text
