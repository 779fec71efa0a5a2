"""Who listens to what."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from makers_store import COMMUNE, GROUP, HAMLET, OTHER_COMMUNE, PROVINCE, node

from controller.roster import ancestors, areas_of, nodes_under
from wire.names import lies_within

PATHS = st.lists(st.sampled_from(["a", "b", "thon-1"]), min_size=1, max_size=5).map(":".join)


def test_the_ancestors_of_a_hamlet_are_its_commune_and_its_province() -> None:
    assert ancestors(HAMLET) == (COMMUNE, PROVINCE)
    assert ancestors(PROVINCE) == ()


def test_a_node_listens_to_itself_its_home_what_that_lies_in_and_its_groups() -> None:
    assert areas_of(node("loa-1", HAMLET, (GROUP,))) == ("loa-1", HAMLET, COMMUNE, PROVINCE, GROUP)


def test_a_commune_reaches_its_own_nodes_and_not_the_neighbours() -> None:
    nodes = [node("loa-1"), node("loa-2", COMMUNE, (GROUP,)), node("loa-3", OTHER_COMMUNE)]
    assert [each.id for each in nodes_under(nodes, [COMMUNE])] == ["loa-1", "loa-2"]
    assert [each.id for each in nodes_under(nodes, [GROUP, "loa-3"])] == ["loa-2", "loa-3"]
    assert nodes_under(nodes, []) == []


@given(home=PATHS, area=PATHS)
def test_a_node_hears_an_area_exactly_when_its_home_lies_within_it(home: str, area: str) -> None:
    heard = nodes_under([node("loa-1", home)], [area])
    assert bool(heard) == lies_within(home, area)
