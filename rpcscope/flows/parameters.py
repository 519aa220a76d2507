"""What flows may be asked to do: records of which options and a JSON schema are made.

Times are seconds of the world, shares 0 to 1.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from rpcscope.errors import UsageError
from rpcscope.flows.pacing import parse_pace


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one flow; each field's annotation says what it means."""


def said(text: str) -> Meta:
    """What a parameter means, for help and schema."""
    return Meta(description=text)


Some: TypeAlias = Annotated[int, Meta(ge=1)]
Count: TypeAlias = Annotated[int, Meta(ge=0)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=1e9)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Speed: TypeAlias = Annotated[float, Meta(ge=0)]
_SECRET = ("webhook", "detach_command", "attach_command")
"""Fields that may hold passwords."""
PACE_HELP = "when each is asked for: a rate per second such as 5, poisson:5, ramp:1:20:60 or sine:10:5:3600"
Pace: TypeAlias = Annotated[str, said(PACE_HELP)]


def read(kind: type[Parameters], values: dict[str, object]) -> Parameters:
    """Parameters from what a user wrote. Raises UsageError that names the one which is wrong."""
    try:
        parameters = msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"The flow's parameters can not be used: {error}.") from None
    pace = getattr(parameters, "pace", None)
    if pace is not None:
        parse_pace(pace)
    return parameters


def shown(parameters: Parameters) -> dict[str, object]:
    """All of them as JSON has them, to be kept and shown; of what may hold secrets only that it was given."""
    values: dict[str, object] = msgspec.json.decode(msgspec.json.encode(parameters))
    return {name: "given" if name in _SECRET and value else value for name, value in values.items()}
