"""Operations of a server as a picture."""

from __future__ import annotations

from rpcscope.query.instance import instance_view
from rpcscope.store import Store
from rpcscope_web.timeline import timeline
from tests.unit.query.test_instance import FOREVER, lived


def test_bars_are_within_the_picture_and_do_not_cover_each_other(empty: Store) -> None:
    lived(empty)
    drawn = timeline(instance_view(empty.reader(), "vm", 0, FOREVER))
    assert drawn is not None
    taken: dict[int, float] = {}
    for bar in drawn.bars:
        left, width = float(bar.x.rstrip("%")), float(bar.width.rstrip("%"))
        assert 0 <= left <= left + width <= 100.001
        assert left >= taken.get(bar.y, 0) - 0.01
        taken[bar.y] = left + width
    assert [bar.deed.names_it for bar in drawn.bars] == [True, False, True, False, True]
    assert len(drawn.shades) == 1
    assert timeline(instance_view(empty.reader(), "no such server", 0, FOREVER)) is None
