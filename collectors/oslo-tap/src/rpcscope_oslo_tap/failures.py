"""How a call ended for its caller, and the class of what went wrong. Never its message or its traceback."""

from __future__ import annotations

_REMOTE = "_Remote"


def class_of(error: BaseException) -> str:
    """The class that the server raised, where the caller was told of one; else the caller's own."""
    remote = getattr(error, "exc_type", None)  # oslo.messaging's RemoteError, of a module that may not be loaded
    name = remote if isinstance(remote, str) and remote else type(error).__name__
    return name[: -len(_REMOTE)] if name.endswith(_REMOTE) else name


def outcome_of(error: BaseException | None, *, published: bool) -> str:
    """A name of `rpcscope.model.Outcome`, for a call."""
    if error is None:
        return "OK"
    if type(error).__name__ == "MessagingTimeout":
        return "TIMED_OUT"
    return "FAILED" if published else "UNANSWERED"
