"""All pages of a handbook with their pictures, by the names of their files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rpcscope.query.census import census
from rpcscope.query.gaps import FOREVER
from rpcscope.query.kind import KindShape, kind_shape
from rpcscope.query.kind_sample import LOOKED_AT, KindSample, kind_sample
from rpcscope.query.times import iso
from rpcscope.store.protocol import Reader
from rpcscope_web.handbook.example import example
from rpcscope_web.handbook.picture import picture
from rpcscope_web.handbook.sheet import sheet, title
from rpcscope_web.handbook.text import counted, lasting, plain, sized, slug, table

INDEX = "README.md"
MOST = 5_000
"""Operations of a kind that are looked at, the newest; of each release LOOKED_AT."""
_INTRO = (
    "What operations of an OpenStack control plane cost in RPCs, as recorded on its message bus. Numbers are medians "
    "of one operation. They hold under the conditions beside them and mean little without."
)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One page."""

    name: str  # without its ending
    conditions: str
    shape: KindShape


def handbook(reader: Reader, kinds: Sequence[str] = (), *, background: bool = False) -> dict[str, str]:
    """Texts by the paths of their files, the index first. The same store gives the same texts.

    Args:
        kinds: only these; all that are stored when none is named.
        background: what timers and starts made, too. Kinds that are named are written whatever they are.
    """
    stored = census(reader, 0, FOREVER, background=background)
    wanted = list(kinds) or [kind for kind, _ in stored.kinds if kind]
    entries = [entry for kind in sorted(set(wanted)) for entry in _entries(reader, kind)]
    files = {INDEX: _index(entries, None if kinds else stored.since_ns)} if entries else {}
    for entry in entries:
        trace, place = example(reader, entry.shape), f"pictures/{entry.name}.svg"
        files[f"{entry.name}.md"] = sheet(entry.shape, entry.conditions, trace, place)
        if trace is not None:
            files[place] = picture(trace, f"{entry.shape.kind}: messages between the services")
    return files


def _entries(reader: Reader, kind: str) -> Iterator[_Entry]:
    """A page for all conditions under which some operations of the kind came to their end."""
    sample = kind_sample(reader, kind, most=MOST)
    said = Counter(sample.conditions_of(view) for view in sample.views)
    for conditions in sorted(said):
        mine = _newest(sample.under(conditions))
        if mine.model:
            name = slug(kind) if len(said) == 1 else f"{slug(kind)}--{slug(conditions)}"
            yield _Entry(name, conditions, kind_shape(reader, kind, mine))


def _newest(sample: KindSample) -> KindSample:
    return replace(sample, views=sample.views[:LOOKED_AT], is_all=sample.is_all and len(sample.views) <= LOOKED_AT)


def _index(entries: Sequence[_Entry], since_ns: int | None) -> str:
    rows = (_row(entry) for entry in entries)
    head = ["Kind", "Conditions", "Operations", "RPCs", "Messages", "Bodies", "Duration", "p95"]
    parts = ["# Handbook of operations", _INTRO, table(head, rows, names=2)]
    if since_ns is not None:
        parts.append(
            f"Kinds of which none began after {iso(since_ns)} are left out: `rpcscope handbook --kind` adds one."
        )
    return "\n\n".join(parts) + "\n"


def _row(entry: _Entry) -> list[str]:
    cost = entry.shape.cost
    return [
        f"[{title(entry.shape.kind)}]({entry.name}.md)", plain(entry.conditions), counted(cost.operations),
        counted(cost.rpcs.p50), counted(cost.messages.p50), sized(cost.bytes.p50), lasting(cost.duration_ms.p50),
        lasting(cost.duration_ms.p95),
    ]  # fmt: skip
