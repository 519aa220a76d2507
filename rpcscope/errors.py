"""What can go wrong, for those who call rpcscope. Each message is one sentence that says what to do."""


class RpcscopeError(Exception):
    """Base of all errors that a user can act on. `exit_code` is what the command ends with."""

    exit_code = 1


class UsageError(RpcscopeError):
    """An argument or a configuration is wrong."""

    exit_code = 2


class DecodeError(RpcscopeError):
    """An event is not an oslo.messaging message. `reason` is a short fixed word, never wire text."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CaptureError(RpcscopeError):
    """A capture file can not be read."""

    exit_code = 3


class StoreError(RpcscopeError):
    """The database can not be used."""

    exit_code = 4


class BrokerError(RpcscopeError):
    """The broker or its management API refuses or can not be reached."""

    exit_code = 5
