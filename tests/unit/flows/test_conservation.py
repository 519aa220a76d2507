"""Whatever flow plays on whatever fleet: no server is lost or doubled, no host gives more memory than it has."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpcscope.fleet.model import Flavor, FleetFile
from rpcscope.flows.catalog import FLOWS
from tests.unit.flows.support import play, small_fleet

FLAVORS = {
    "web": Flavor(memory_gib=8.0, vcpus=8, dirty_mb_s=100.0, cpu=(0.2, 1.0)),
    "big": Flavor(memory_gib=24.0, vcpus=16, dirty_mb_s=900.0, cpu=(0.9,)),
    "hot": Flavor(memory_gib=4.0, dirty_mb_s=3000.0, working_set_gib=2.0),
    "db": Flavor(memory_gib=16.0, vcpus=8, role="db", dirty_mb_s=300.0),
}
QUICK: dict[str, dict[str, object]] = {
    "boot-storm": {"count": 20, "pace": "poisson:2"},
    "churn": {"count": 30, "pace": "poisson:2"},
    "live-migration": {"count": 9},
    "drain": {"abort_after_s": 100, "fallback": "cold"},
    "rolling-update": {"abort_after_s": 100, "fallback": "stop", "failures": 2, "tries": 2},
    "evacuation": {"return_s": 300, "zone": "nova"},
    "rebalance": {"parallel": 3, "for_s": 60, "detach_s": 20, "detach_refused": 0.3, "host_rest_s": 30},
    "host-lifecycle": {"failing": 2},
}
host = st.fixed_dictionaries(
    {}, optional={"web": st.integers(1, 2), "big": st.just(1), "hot": st.just(1), "db": st.just(1)}
)


@st.composite
def fleets(draw: st.DrawFn) -> FleetFile:
    return small_fleet(
        *draw(st.lists(host, min_size=2, max_size=6)),
        flavors=FLAVORS,
        migration={"max_concurrent": draw(st.integers(1, 3)), "permit_auto_converge": draw(st.booleans())},
        timing={"failure_share": draw(st.sampled_from([0.0, 0.5]))},
        seed=draw(st.integers(0, 100)),
        diskless=True,
        cores=16,
    )


@pytest.mark.parametrize("name", FLOWS)
def test_servers_are_conserved(name: str) -> None:
    @given(fleets())
    @settings(max_examples=12, deadline=None, database=None)
    def conserved(file: FleetFile) -> None:
        played = play(name, file, **QUICK.get(name, {}))  # looks after every event
        kinds = played.count.kinds
        booted = kinds["create"].done if "create" in kinds else 0
        deleted = kinds["delete"].done if "delete" in kinds else 0
        before = sum(count for group in file.hosts for count in group.servers.values())
        assert len(played.fleet.servers) == before + booted - deleted
        assert all(server.host for server in played.fleet.servers.values())

    conserved()
