"""Where a template's numbers come from, as far as the recordings tell."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime

from rpcscope.store.protocol import Reader
from rpcscope.templates.model import Provenance

_DRIVER = re.compile(r"\b(\w+)(?: virt)? driver\b")
_RELEASE = re.compile(r"\b(?:nova|cinder|neutron) \d[\w.]*(?: \(\d[\w.]*\))?")
_SECOND = 1_000_000_000


def provenance(reader: Reader, recordings: Collection[int], first_ns: int, told: Provenance) -> Provenance:
    """What is told, and where it is silent what the conditions of the recordings say.

    Args:
        recordings: Recording.id.
        first_ns: when the first operation began.
    """
    known = [info.recording for info in reader.recordings() if info.recording.id in recordings]
    conditions = "; ".join(dict.fromkeys(one.conditions for one in known if one.conditions))
    return Provenance(
        release=told.release or _found(_RELEASE, conditions, 0),
        driver=told.driver or _found(_DRIVER, conditions, 1),
        conditions=told.conditions or conditions,
        sources=tuple(sorted({one.label for one in known if one.label})),
        recorded=f"{datetime.fromtimestamp(first_ns // _SECOND, UTC):%Y-%m-%d}",
    )


def _found(pattern: re.Pattern[str], text: str, group: int) -> str:
    found = pattern.search(text)
    return found[group] if found else ""
