"""The ways of the bar: by right, four on a phone, the present one marked, what waits counted once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from makers_web import Town, settled_town

from controller.rights import Role
from controller.web.navigation import ON_A_PHONE, WAYS, Group, Way, laid


def way(name: str, group: Group = Group.COMMUNE, count: int = 0, in_row: bool = True) -> Way:
    return Way(f"{name}.page", "plan", f"nav_{name}", group, count=(lambda: count) if count else None, in_row=in_row)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


def test_the_first_four_stand_on_a_phone_whatever_their_group() -> None:
    made = laid([way("a"), way("b", Group.PROVINCE), way("c"), way("d"), way("e"), way("f", Group.STATION)], None)
    assert [each.way.name for _, some in made.groups for each in some if each.on_phone] == ["a", "c", "d", "b"]
    assert [group for group, _ in made.groups] == [Group.COMMUNE, Group.PROVINCE, Group.STATION]
    assert ON_A_PHONE == 4


def test_what_waits_behind_more_is_summed_there() -> None:
    made = laid([way("a", count=2), way("b"), way("c"), way("d"), way("e", count=3), way("f", count=4)], None)
    assert made.hidden_count == 7


def test_a_page_is_marked_also_by_what_belongs_to_it_and_in_more() -> None:
    ways = [*(way(name) for name in "abcd"), way("e", in_row=False)]
    assert laid(ways, "e").is_in_more
    assert laid(ways, "e").is_out_of_row
    assert not laid(ways, "a").is_in_more
    assert not laid(ways, None).is_in_more
    assert Way("x.page", "plan", "nav_x", Group.COMMUNE, within=("y",)).is_here("y")


def test_every_way_leads_to_a_page_that_opens_for_its_rights(town: Town) -> None:
    app = town.app()
    assert {each.view for each in WAYS} <= app.view_functions.keys()
    with app.test_request_context():
        paths = {each: app.url_map.bind("localhost").build(each.view) for each in WAYS}
    clients = [town.client(app, name) for name in ("quan-tri", "chu-tich", "van-hoa")]
    for path in paths.values():
        answers = [client.get(path) for client in clients]
        assert any(answer.status_code == 200 for answer in answers), path
        for answer in answers:
            linked = f'href="{path}"' in answer.text
            assert linked is (answer.status_code == 200), (path, answer.status_code)
            assert answer.status_code == 403 or 'aria-current="page"' in answer.text


def test_whoever_only_reads_is_shown_no_act(town: Town) -> None:
    town.person("khach", Role.VIEWER, "lang-son:dong-dang", "Khách")
    page = town.client(town.app(), "khach").get("/").text
    assert 'href="/lich"' in page
    for path in ("/soan", "/duyet", "/hop-tin", "/nguoi-dung", "/khoa"):
        assert f'href="{path}"' not in page, path
