"""The page of areas: add one, move one, bring official units in; each shown before it is done."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import makers_units
import pytest
from flask.testing import FlaskClient
from makers_web import Town, form_key, settled_town

from controller.roster import Area, AreaKind
from controller.store.positions import Position

HAMLET, TO = "lang-son:dong-dang:thon-1", "lang-son:tam-thanh"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def client(town: Town) -> FlaskClient:
    return town.client(town.app(), "quan-tri")


def send(client: FlaskClient, path: str, **data: object):  # type: ignore[no-untyped-def]
    return client.post(path, data=data | {"csrf_token": form_key(client, "/tai-khoan")})


def test_an_area_is_added_and_one_that_is_there_is_not(town: Town, client: FlaskClient) -> None:
    new = {"parent": TO, "name": "Khu phố Chợ", "kind": "hamlet"}
    assert send(client, "/dia-ban", **new).status_code == 303
    assert town.store.roster.area("lang-son:tam-thanh:khu-pho-cho")
    assert send(client, "/dia-ban", **new).status_code == 422
    assert "Khu phố Chợ" in client.get("/dia-ban").text


def test_a_move_is_shown_and_then_done(town: Town, client: FlaskClient) -> None:
    wanted = {"area": HAMLET, "to": f"{TO}:thon-2", "how": "into"}
    seen = send(client, "/dia-ban/chuyen", **wanted)
    assert (seen.status_code, f"{HAMLET} → {TO}:thon-2" in seen.text) == (200, True)
    assert town.store.roster.area(HAMLET)
    assert send(client, "/dia-ban/chuyen", **wanted, do="1").status_code == 303
    assert town.store.roster.area(HAMLET) is None
    node = town.store.roster.node("dong-dang-1")
    assert node
    assert node.home == f"{TO}:thon-2"


def test_a_merge_says_who_is_called_otherwise_and_a_tree_that_changed_is_shown_again(
    town: Town, client: FlaskClient
) -> None:
    for area in (HAMLET, f"{TO}:thon-1"):
        town.store.roster.add_area(Area(area, "Thôn 1", AreaKind.HAMLET))
    wanted = {"area": "lang-son:dong-dang", "to": TO, "how": "into"}
    seen = send(client, "/dia-ban/chuyen", **wanted).text
    assert "Thôn 1 thành Thôn 1 (Đồng Đăng)" in seen
    (mark,) = re.findall(r'name="seen" value="([0-9a-f]+)"', seen)
    assert send(client, "/dia-ban", parent="lang-son:dong-dang", name="Thôn 9", kind="hamlet").status_code == 303
    again = send(client, "/dia-ban/chuyen", **wanted, seen=mark, do="1")
    assert (again.status_code, "vừa thay đổi" in again.text) == (200, True)
    assert town.store.roster.area(HAMLET)
    (mark,) = re.findall(r'name="seen" value="([0-9a-f]+)"', again.text)
    assert send(client, "/dia-ban/chuyen", **wanted, seen=mark, do="1").status_code == 303
    assert town.store.roster.area(f"{TO}:thon-1-dong-dang")
    page = client.get("/dia-ban").text
    assert "Thôn 1 (Đồng Đăng)" in page
    assert re.search(r'href="/nguoi-dung/[^"]+">[^<]+</a>: ', page)  # who holds what, and where


def test_units_are_shown_and_then_enter_and_whatever_is_no_list_is_refused(
    town: Town, client: FlaskClient, tmp_path: Path
) -> None:
    wheel = makers_units.wheel(tmp_path).read_bytes()
    told = {"province": "20", "former": "1"}
    town.store.positions.put([Position("lang-son:dong-dang", 21.95, 106.69, town.boss.id, town.now)])
    seen = send(client, "/dia-ban/xem-tep", file=(io.BytesIO(wheel), "units.whl"), **told)
    assert seen.status_code == 200
    assert "Phường Kỳ Lừa" in seen.text
    assert town.store.roster.area("lang-son:ky-lua") is None
    (upload,) = re.findall(r'name="upload" value="([0-9a-f]+)"', seen.text)
    assert send(client, "/dia-ban/nhap", upload=upload, **told).status_code == 303
    assert town.store.roster.area("lang-son:ky-lua")
    placed = {area: (at.latitude, at.longitude) for area, at in town.store.positions.all().items()}
    assert placed["lang-son:ky-lua"] == (21.8, 106.7)  # so that the map has it
    assert placed["lang-son:dong-dang"] == (21.95, 106.69)  # what somebody entered stands
    page = client.get("/dia-ban").text
    assert "GSO=06187" in page
    assert "Xã Hồng Phong, Huyện Bình Gia (cũ)" in page
    assert "một phần" in page
    assert send(client, "/dia-ban/nhap", upload=upload, **told).status_code == 422  # it is there no more
    for content in (b"", b"PK\3\4 no wheel", b"a,b\n"):
        assert send(client, "/dia-ban/xem-tep", file=(io.BytesIO(content), "x"), **told).status_code == 422
    for file, says in ((None, "Hãy chọn một tệp."), ((io.BytesIO(b""), "x.csv"), "Tệp này rỗng. Hãy chọn lại.")):
        without = send(client, "/dia-ban/xem-tep", **told, **({"file": file} if file else {}))
        assert (without.status_code, says in without.text, "Tệp ghi âm rỗng" in without.text) == (422, True, False)
    large = client.post("/dia-ban/xem-tep", data=bytes(17 << 20), content_type="multipart/form-data; boundary=x")
    assert large.status_code == 413
