"""An open page asks for its live parts alone: the same as on the whole page, and nothing beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from makers_web import Town, settled_town

PART = re.compile(r'<(\w+) id="([^"]+)"[^>]*data-live')
PATHS = ("/", "/lich", "/ke-hoach", "/canh-bao", "/cum-loa", "/tong-quan", "/nhat-ky", "/nhat-ky-phat")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with settled_town(tmp_path_factory.mktemp("town")) as made:
        booked = made.booked(made.client(made.app(), "chu-tich"))
        made.booked(made.client(made.app(), "van-hoa"), key="1" * 32, title="Chờ duyệt", hour="18")
        made.voice(made.announcement_of(booked))
        made.wake("dong-dang-1")
        yield made


def parts(page: str) -> dict[str, str]:
    """What stands in each live part, up to where the next one begins; but for keys of forms."""
    page = re.sub(r'name="csrf_token" value="[^"]*"', "", page)
    found = {}
    for match in PART.finditer(page):
        inside, depth, at = match[1], 0, match.start()
        for tag in re.finditer(rf"<(/?){inside}\b[^>]*>", page[at:]):
            depth += -1 if tag[1] else 1
            if not depth:
                found[match[2]] = page[at : at + tag.end()]
                break
    return found


def test_live_parts_are_those_of_the_whole_page(town: Town) -> None:
    client = town.client(town.app(), "quan-tri")
    for path in PATHS:
        whole, alone = client.get(path).text, client.get(path, headers={"X-Live": "page"}).text
        shown = parts(whole)
        assert len(shown) > 3, path
        again = parts(alone)
        assert {name: again.get(name) for name in shown} == shown, path
        assert len(alone) < len(whole) - 3000, path
        assert "<nav" not in alone.partition("<main")[0], path
        assert "account-box" not in alone, path


def test_what_waits_in_the_bar_can_be_asked_for_alone(town: Town) -> None:
    client = town.client(town.app(), "chu-tich")
    bar = {name: part for name, part in parts(client.get("/lich").text).items() if name.endswith("-count")}
    alone = parts(client.get("/so-viec", headers={"X-Live": "page"}).text)
    assert bar
    assert "1<span" in bar["approval-count"]
    assert {name: alone.get(name) for name in bar} == bar
    page = client.get("/lich").text
    assert 'data-bar="/so-viec"' in page


def test_a_stranger_is_told_so(town: Town) -> None:
    client = town.client(town.app())
    assert client.get("/so-viec", headers={"X-Live": "page"}).status_code == 401
    assert client.get("/so-viec").status_code == 302
