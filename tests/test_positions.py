"""Where areas and nodes stand: entered by hand or from a file, by whoever equips there; and the map that is drawn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from makers_web import NOON, Town, form_key, settled_town

from controller.desk import DeskError
from controller.desk.locating import MOST_FILE_BYTES, degrees
from controller.rights import Role
from controller.settings import Settings
from controller.store import Store
from controller.store.positions import Position
from controller.web import outline
from wire.presence import State

COMMUNE, OTHER = "lang-son:dong-dang", "lang-son:tam-thanh"
HEAD = b"id,latitude,longitude\n"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


def test_positions_are_kept_replaced_and_forgotten_on_either_database(store: Store) -> None:
    one, two = Position("a", 21.5, 106.5, "u1", NOON), Position("b", 22.0, 107.0, "u1", NOON)
    store.positions.put([one, two])
    assert store.positions.all() == {"a": one, "b": two}
    moved = Position("a", 21.6, 106.6, "u2", NOON + timedelta(hours=1))
    store.positions.put([moved])
    assert store.positions.all()["a"] == moved
    assert store.positions.drop("b") is True
    assert store.positions.drop("b") is False
    store.positions.put([])
    assert store.positions.all() == {"a": moved}


@pytest.mark.parametrize(
    ("typed", "found"), [(("21,9463", " 106.6965"), (21.9463, 106.6965)), (("8", "111.9"), (8, 111.9))]
)
def test_degrees_are_read_as_people_type_them(typed: tuple[str, str], found: tuple[float, float]) -> None:
    assert degrees(*typed) == found


@pytest.mark.parametrize(
    "typed",
    [
        ("106.69", "21.94"),
        ("nan", "106"),
        ("inf", "106"),
        ("", "106"),
        ("21_9", "106"),
        ("２１", "106"),
        ("1e400", "106"),
        ("21", "9" * 400),
        ("0x15", "106"),
        ("21;DROP", "106"),
        ("21\0", "106"),
    ],
)
def test_what_is_no_place_in_this_country_is_refused_in_words(typed: tuple[str, str]) -> None:
    with pytest.raises(DeskError) as wrong:
        degrees(*typed)
    assert "đổi chỗ" in wrong.value.say("vi")


def test_only_who_equips_there_enters_a_position_and_it_is_written_down(town: Town) -> None:
    fitter = town.person("ky-thuat", Role.OPERATOR, COMMUNE, "Triệu Văn Páo")
    town.desk.locate("dong-dang-1", "21.95", "106.70", fitter, town.now)
    assert town.store.positions.all()["dong-dang-1"].latitude == 21.95
    (act,) = [each for each in town.store.acts.recent(50) if each.what == "located"]
    assert (act.subject, act.detail) == ("dong-dang-1", "21.95000, 106.70000")
    for who, place in ((fitter, OTHER), (fitter, "tam-thanh-1"), (fitter, "nowhere"), (town.editor, COMMUNE)):
        with pytest.raises(DeskError):
            town.desk.locate(place, "21.95", "106.70", who, town.now)
    town.desk.locate_nowhere("dong-dang-1", fitter, town.now)
    assert town.store.positions.all() == {}


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00",
        b'id,latitude,longitude\n"lang-son,21,106\n',
        HEAD + b"lang-son\n",
        HEAD + b"lang-son,21.9,106.7,extra\n",
        HEAD + b"lang-son,21.9,106.7\nnowhere,21.9,106.7\n",
        HEAD + b"lang-son,21.9,106.7\nlang-son:dong-dang,106.7,21.9\n",
        b"x" * (MOST_FILE_BYTES + 1),
        HEAD + b"lang-son,21.9,106.7\n" + b"\0" * 50,
    ],
)
def test_a_file_with_anything_wrong_enters_nothing(town: Town, content: bytes) -> None:
    with pytest.raises(DeskError) as wrong:
        town.desk.locate_all(content, town.boss, town.now)
    assert "Chưa ghi vị trí nào" in wrong.value.say("vi")
    assert town.store.positions.all() == {}


def test_a_file_of_another_area_is_refused_with_its_line(town: Town) -> None:
    fitter = town.person("ky-thuat", Role.OPERATOR, COMMUNE, "Triệu Văn Páo")
    content = HEAD + b"dong-dang-1,21.9,106.7\n\ntam-thanh-1,21.9,106.7\n"
    with pytest.raises(DeskError, match="Line 4"):
        town.desk.locate_all(content, fitter, town.now)
    assert town.desk.locate_all(content[:46], fitter, town.now) == 1


def test_the_map_s_points_are_arrays_of_what_this_person_sees(town: Town, app: Flask) -> None:
    town.desk.locate_all(
        HEAD + f"{COMMUNE},21.94,106.69\n{OTHER},21.85,106.75\ndong-dang-1,21.951,106.701\n".encode(),
        town.boss,
        town.now,
    )
    town.wake("dong-dang-1")
    town.wake("dong-dang-2", State.OFFLINE)
    client = town.client(app, "quan-tri")
    told = client.get("/cum-loa/ban-do.json").json
    assert told["points"][0] == ["dong-dang-1", 21.951, 106.701, "online", "Cụm loa Đồng Đăng 1"]
    assert len(told["points"]) == 12
    assert len({(latitude, longitude) for _, latitude, longitude, _, _ in told["points"]}) == 12  # none upon another
    assert ["Xã Đồng Đăng", 21.94, 106.69, 6] in told["communes"]
    assert (told["outline"], told["nowhere"]) == ([], 0)
    only = client.get(f"/cum-loa/ban-do.json?dia-ban={COMMUNE}&trang-thai=offline").json
    assert [each[0] for each in only["points"]] == ["dong-dang-2"]
    mine = town.client(app, "van-hoa").get("/cum-loa/ban-do.json").json
    assert {each[0].rpartition("-")[0] for each in mine["points"]} == {"dong-dang"}
    assert [each[0] for each in mine["communes"]] == ["Xã Đồng Đăng"]
    for hostile in (f"dia-ban={OTHER}", "trang-thai=x", "dia-ban=%00", "trang-thai=" + "9" * 500):
        assert town.client(app, "van-hoa").get(f"/cum-loa/ban-do.json?{hostile}").status_code in (400, 404), hostile
    town.store.positions.drop(OTHER)
    assert client.get("/cum-loa/ban-do.json").json["nowhere"] == 6


def test_a_position_is_entered_on_a_page_without_a_script(town: Town, app: Flask) -> None:
    client = town.client(app, "quan-tri")
    form = {"csrf_token": form_key(client, "/cum-loa/ban-do"), "place": "dong-dang-1"}
    answer = client.post("/cum-loa/vi-tri", data=form | {"latitude": "21,95", "longitude": "106,7"})
    assert (answer.status_code, answer.location) == (303, "/cum-loa/dong-dang-1")
    assert "Đang ở 21.95, 106.7" in client.get("/cum-loa/dong-dang-1").text
    wrong = client.post("/cum-loa/vi-tri", data=form | {"latitude": "106,7", "longitude": "21,95"})
    assert wrong.status_code == 422
    assert 'value="106,7"' in wrong.text
    answer = client.post("/cum-loa/vi-tri", data=form | {"place": COMMUNE, "latitude": "", "longitude": " "})
    assert answer.location == "/cum-loa/ban-do"
    assert "Vị trí trên bản đồ" not in town.client(app, "van-hoa").get("/cum-loa/ban-do").text


# --- the outline ---------------------------------------------------------------------------------------------------

SQUARE = [[106.0, 21.0], [107.0, 21.0], [107.0, 22.0], [106.0, 21.0]]


@pytest.mark.parametrize(
    "told",
    [
        {"type": "Polygon", "coordinates": [SQUARE]},
        {"type": "Feature", "geometry": {"type": "MultiPolygon", "coordinates": [[SQUARE]]}},
        {
            "type": "FeatureCollection",
            "features": [{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [SQUARE]}}],
        },
    ],
)
def test_an_outline_is_read_in_every_form_it_comes_in(told: object) -> None:
    assert outline.parsed(json.dumps(told).encode()) == [[[21.0, 106.0], [21.0, 107.0], [22.0, 107.0], [21.0, 106.0]]]


HOSTILE = [
    b"",
    b"no json",
    b"[" * 100_000,
    b"[]",
    b'{"type": "FeatureCollection", "features": 1}',
    b'{"type": "Polygon", "coordinates": [[["a", 1]]]}',
    b'{"type": "Polygon", "coordinates": [[[true, 1]]]}',
    b'{"type": "Polygon", "coordinates": [[[1e999, 1]]]}',
    b'{"type": "Polygon", "coordinates": [[[400, 1]]]}',
    b'{"type": "Point", "coordinates": [1, 1]}',
    b'{"type": "Polygon", "coordinates": [[' + b"[1,1]," * 30_001 + b"[1,1]]]}",
    b" " * (outline.MOST_BYTES + 1),
]


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_outline_is_said_on_the_page_and_the_map_goes_on(town: Town, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "outline.geojson").write_bytes(content)
    town.settings = Settings(state_dir=tmp_path, web_outline=str(tmp_path / "outline.geojson"))
    client = town.client(town.app(), "quan-tri")
    page = client.get("/cum-loa/ban-do")
    assert page.status_code == 200
    assert "outline.geojson không dùng được" in page.text
    assert client.get("/cum-loa/ban-do.json").json["outline"] == []
