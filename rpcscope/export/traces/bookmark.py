"""Where an export stopped, in a file, so that the next one goes on behind it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from rpcscope.errors import UsageError
from rpcscope.store.places import Place

MOST_LEFT = 10_000
"""Operations that were not over whose names are kept; more are not: they were not exported, and it is said."""
_FORMAT = 1


class Bookmark(msgspec.Struct, frozen=True, kw_only=True):
    """What a resume file holds."""

    choice: str  # digest of what was to be exported
    after: tuple[int, int] | None = None  # Place of the last operation that is exported
    left: tuple[str, ...] = ()  # request ids of those before it that were not over
    operations: int = 0
    spans: int = 0
    format: int = _FORMAT

    @property
    def place(self) -> Place | None:
        """From where to go on."""
        return Place(*self.after) if self.after is not None else None


def read(file: Path, choice: str) -> Bookmark:
    """What the file says; a new bookmark when there is none.

    Raises:
        UsageError: it can not be read, is none, or is of another export.
    """
    try:
        found = msgspec.json.decode(file.read_bytes(), type=Bookmark)
    except FileNotFoundError:
        return Bookmark(choice=choice)
    except OSError as error:
        raise UsageError(f"{file} can not be read ({error.strerror}): name another file") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = None
    if found is None or found.format != _FORMAT:
        raise UsageError(f"{file} is no resume file of this rpcscope: name another one, or remove it")
    if found.choice != choice:
        raise UsageError(f"{file} is of an export with another database, endpoint or choice: name one for this")
    return found


def write(file: Path, bookmark: Bookmark) -> None:
    """Replaces the file in one step.

    Raises:
        UsageError: it can not be written.
    """
    new = file.with_name(f"{file.name}.new")
    try:
        new.write_bytes(msgspec.json.encode(bookmark))
        new.replace(file)
    except OSError as error:
        raise UsageError(f"{file} can not be written ({error.strerror}): name another file") from None
