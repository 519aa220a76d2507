"""One kind of operation: what one costs, its usual call tree, the odd ones, its methods, and under which conditions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from rpcscope.model import Call
from rpcscope.query.cost import KindCost, kind_cost
from rpcscope.query.kind_sample import KindSample
from rpcscope.query.method_share import MethodShare, method_shares
from rpcscope.query.oddity import Odd, odd_ones
from rpcscope.query.operations import OperationView
from rpcscope.query.several import caused
from rpcscope.query.usual_tree import Traced, UsualTree, traced, usual_tree
from rpcscope.store.protocol import Reader

MOST_CALLS = 3_500
"""Calls that are read for the trees: as long as a page may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What the operations cost that were recorded under the same conditions."""

    conditions: str
    cost: KindCost

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {"conditions": self.conditions, "cost": self.cost.as_dict()}


@dataclass(frozen=True, slots=True, kw_only=True)
class KindShape:
    """What the newest operations of a kind are like."""

    kind: str
    sample: KindSample
    cost: KindCost
    tree: UsualTree  # of those that were done; of those that failed where none was done
    traced: tuple[tuple[OperationView, Traced], ...]  # whose calls were looked at: the newest
    odd: tuple[Odd, ...]  # of `traced`, the furthest from the others first
    methods: tuple[MethodShare, ...]  # of those that the tree is of
    conditions: tuple[Conditions, ...]  # the most frequent first

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        cost = self.cost.as_dict()
        del cost["methods"], cost["kind"]
        return {
            "kind": self.kind or "unattributed", "looked_at": len(self.sample.views), "all": self.sample.is_all,
            "traced": len(self.traced), "cost": cost, "tree": self.tree.as_dict(),
            "odd": [one.as_dict() for one in self.odd], "methods": [row.as_dict() for row in self.methods],
            "conditions": [_short(one) for one in self.conditions],
        }  # fmt: skip


def kind_shape(reader: Reader, kind: str, sample: KindSample, *, most_calls: int = MOST_CALLS) -> KindShape:
    """What some operations of a kind are like.

    Args:
        most_calls: so many calls are read for the trees at most, of the newest operations; of the newest, all.
    """
    chosen = _chosen(sample.views, most_calls)
    calls = caused(reader, {part: view.whole.request_id for view in chosen for part in view.ids})
    pairs = [(view, _traced(view, calls.get(view.whole.request_id, []))) for view in chosen]
    model = {view.whole.request_id for view in sample.model}
    models = [(view, one) for view, one in pairs if view.whole.request_id in model]
    tree = usual_tree([one for _, one in models])
    return KindShape(
        kind=kind,
        sample=sample,
        cost=kind_cost(kind, list(sample.views), []),
        tree=tree,
        traced=tuple(pairs),
        odd=tuple(odd_ones(pairs, tree)),
        methods=tuple(
            method_shares(
                chain.from_iterable(one.steps.values() for _, one in models), len(models),
                requests_only=any(view.requests_only for view, _ in models),
            )
        ),
        conditions=_by_conditions(kind, sample),
    )  # fmt: skip


def _traced(view: OperationView, calls: Sequence[Call]) -> Traced:
    return traced(view.whole.request_id, view.whole.started_ns, calls, frozenset(view.ids))


def _chosen(views: Sequence[OperationView], most_calls: int) -> list[OperationView]:
    found: list[OperationView] = []
    left = most_calls
    for view in views:
        left -= view.whole.by_cause.rpcs
        if found and left < 0:
            break
        found.append(view)
    return found


def _by_conditions(kind: str, sample: KindSample) -> tuple[Conditions, ...]:
    groups: defaultdict[str, list[OperationView]] = defaultdict(list)
    for view in sample.views:
        groups[sample.conditions_of(view)].append(view)
    rows = sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return tuple(Conditions(conditions=said, cost=kind_cost(kind, views, [])) for said, views in rows)


def _short(one: Conditions) -> dict[str, object]:
    said = one.as_dict()
    cost = dict(one.cost.as_dict())
    del cost["methods"], cost["kind"]
    return said | {"cost": cost}
