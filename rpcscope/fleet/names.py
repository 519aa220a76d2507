"""What the hosts of a fleet file are called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rpcscope.fleet.model import Hosts

_NUMBER = re.compile(r"\{n(?::0([1-9]))?\}", re.ASCII)
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*", re.ASCII)
LONGEST = 200
"""Characters of a host's name: the queue `compute-alt.<host>` must fit into AMQP's 255."""


def host_names(groups: Sequence[Hosts]) -> Iterator[tuple[str, Hosts]]:
    """Every host with its group, in the order of the file; {n} counts from 1 over the whole file."""
    number = 1
    for group in groups:
        before, places, after = _parts(group.name)
        for n in range(number, number + group.count):
            yield f"{before}{n:0{places}}{after}" if places is not None else before, group
        number += group.count


def wrong_name(group: Hosts, last_number: int) -> str | None:
    """What is wrong with a group's pattern of names, in a few words; None: nothing.

    Args:
        group: that has it.
        last_number: of its last host.
    """
    before, places, after = _parts(group.name)
    if "{" in before + after or "}" in before + after:
        return "may hold {n} once, or with a width as in {n:04}, and no other braces"
    if places is None and group.count > 1:
        return "must hold {n}, the number of the host"
    last = f"{before}{last_number:0{places}}{after}" if places is not None else before
    if not _NAME.fullmatch(last) or len(last) > LONGEST:
        return f"must make names of lower-case letters, digits, hyphens and dots, at most {LONGEST} characters"
    return None


def _parts(pattern: str) -> tuple[str, int | None, str]:
    """Text before the number, its width, text after it; no width: there is no number."""
    found = _NUMBER.search(pattern)
    if found is None:
        return pattern, None, ""
    return pattern[: found.start()], int(found[1] or 1), pattern[found.end() :]
