"""Operations of one kind become its template."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from rpcscope.templates.background import interval_s
from rpcscope.templates.known import Known
from rpcscope.templates.model import Provenance, Step, Template, Variant, walk
from rpcscope.templates.seen import Seen, Structure, structure
from rpcscope.templates.steps import steps

MOST_VARIANTS = 20
"""Of a kind; operations of rarer shapes are left out."""
_DIGITS = 6


def template(several: Sequence[Seen], known: Known, provenance: Provenance) -> tuple[Template, int]:
    """The template of operations of one kind, about as many servers each; and how many were of too rare a shape.

    Args:
        provenance: its number of operations is set here.
    """
    first = several[0]
    kept = _alike(several)[:MOST_VARIANTS]
    count = sum(map(len, kept))
    made = Template(
        kind=first.kind,
        instances=first.instances,
        background=first.background,
        interval_s=interval_s(first.kind, [one.roots[0] for one in several], known) if first.background else None,
        provenance=Provenance(
            release=provenance.release,
            driver=provenance.driver,
            conditions=provenance.conditions,
            sources=provenance.sources,
            operations=count,
            recorded=provenance.recorded,
        ),
        variants=tuple(_variant(mine, count, known) for mine in kept),
    )
    return made, len(several) - count


def _alike(several: Sequence[Seen]) -> list[list[Seen]]:
    """Those of one structure together: what is done before what failed, then the most frequent."""
    groups: defaultdict[tuple[str, Structure], list[Seen]] = defaultdict(list)
    for seen in several:
        groups[seen.error, structure(seen, seen.roots, roots=True)].append(seen)
    return [groups[key] for key in sorted(groups, key=lambda key: (key[0] != "", -len(groups[key]), key))]


def _variant(mine: Sequence[Seen], count: int, known: Known) -> Variant:
    roots = steps(mine, known)
    return Variant(
        operations=len(mine),
        share=round(len(mine) / count, _DIGITS),
        error=mine[0].error,
        note=_note(roots, mine),
        roots=roots,
    )


def _note(roots: Sequence[Step], mine: Sequence[Seen]) -> str:
    """What of it was not recorded."""
    repeated = [step for step in walk(roots) if step.repeats_s is not None]
    if not repeated or any(node.repeats for seen in mine for node in seen.nodes()):
        return ""
    names = " and ".join(step.method for step in repeated)
    return (
        f"{names} every {repeated[0].repeats_s:g} s of {repeated[0].wait}: no wait recorded was so long; known of nova"
    )
