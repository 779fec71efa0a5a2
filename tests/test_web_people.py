"""The pages of people: entered with a link, given rights for a time, let go and taken back; also on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from browser import CHROMIUM, DESKTOP, PHONE, chromium, overflow, place, small_targets, violations
from flask.testing import FlaskClient
from makers_web import HAMLET, NOON, PASSWORD, Town, form_key, settled_town

from controller.desk import Giving
from controller.rights import DAY, DutyHours, Grant, Role
from controller.store.rows import User

OWN = "lang-son:dong-dang"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def boss(town: Town) -> FlaskClient:
    return town.client(town.app(), "quan-tri")


def post(client: FlaskClient, path: str, **typed: object):  # type: ignore[no-untyped-def]
    return client.post(path, data={"csrf_token": form_key(client, "/nguoi-dung")} | typed)


def held(town: Town, name: str) -> tuple[Grant, ...]:
    found = town.store.people.by_name(name)
    assert found is not None
    return found.grants


def mai(town: Town) -> User:
    found = town.store.people.by_name("van-hoa")
    assert found is not None
    return found


def test_somebody_is_entered_and_comes_in_by_the_link_that_is_shown_once(town: Town, boss: FlaskClient) -> None:
    typed = {"name": "moi", "full_name": "Vi Văn Mới", "role": "operator", "area": HAMLET}
    page = post(boss, "/nguoi-dung", **typed).text
    found = re.search(r"http://[^<\s]+/chao/([\w-]{43})", page)
    assert found
    assert found[1] not in boss.get("/nguoi-dung").text
    [grant] = held(town, "moi")
    assert (grant.role, grant.area, grant.until, grant.hours) == (Role.OPERATOR, HAMLET, None, None)
    guest = town.app().test_client()
    path = f"/chao/{found[1]}"
    chosen = {"csrf_token": form_key(guest, path), "password": PASSWORD, "again": PASSWORD}
    assert guest.post(path, data=chosen).location == "/"
    assert guest.get("/").status_code == 200
    assert "Thêm cụm loa" in guest.get("/cum-loa").text
    assert "Soạn bản tin" not in guest.get("/cum-loa").text
    assert guest.post(path, data=chosen | {"csrf_token": form_key(guest, "/tai-khoan")}).status_code == 410


def test_a_right_is_given_for_days_and_hours_and_the_page_says_so(town: Town, boss: FlaskClient) -> None:
    path = f"/nguoi-dung/{town.editor.id}"
    typed = {"role": "emergency", "area": OWN, "from": "01/12/2026", "to": "15/12/2026", "bound": "1"}
    answer = post(boss, f"{path}/quyen", **typed, since="18:00", until="06:00", day=["0", "1", "2", "3", "4"])
    assert answer.status_code == 303
    given = next(each for each in held(town, "van-hoa") if each.role is Role.EMERGENCY)
    first = NOON.replace(day=30, hour=17)  # midnight in Việt Nam
    assert (given.since, given.until) == (first, first + 15 * DAY)
    assert given.hours == DutyHours((0, 1, 2, 3, 4), "18:00", "06:00", "Asia/Ho_Chi_Minh")
    page = boss.get(path).text
    assert "từ Thứ Ba 01/12 đến hết Thứ Ba 15/12" in page
    assert "18:00–06:00, Thứ Hai – Thứ Sáu" in page
    assert "Chưa bắt đầu" in page


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"role": "king"}, "role"),
        ({"role": ""}, "role"),
        ({"area": ""}, "area"),
        ({"area": "x" * 9000}, "area"),
        ({"from": "32/13/2026"}, "from"),
        ({"to": "<script>"}, "to"),
        ({"to": "01/01/9999"}, "to"),
        ({"to": "23/11/2026"}, "to"),
        ({"to": "01/01/2099"}, "to"),
        ({"bound": "1", "since": "25:00", "until": "06:00", "day": "0"}, "hours"),
        ({"bound": "1", "since": "18:00", "until": "06:00"}, "hours"),
        ({"bound": "1", "since": "18:00", "until": "06:00", "day": ["9", "²", "-1"]}, "hours"),
    ],
)
def test_what_cannot_be_read_is_said_beside_its_field(
    town: Town, boss: FlaskClient, changed: dict[str, object], field: str
) -> None:
    before, path = held(town, "van-hoa"), f"/nguoi-dung/{town.editor.id}"
    answer = post(boss, f"{path}/quyen", **({"role": "operator", "area": OWN} | changed))
    assert answer.status_code == 422
    assert f'id="{field}-wrong"' in answer.text
    assert "<script>" not in answer.text
    assert held(town, "van-hoa") == before


def test_a_right_is_taken_and_its_holder_is_out_with_the_next_click(town: Town, boss: FlaskClient) -> None:
    client = town.client(boss.application, "van-hoa")
    assert client.get("/").status_code == 200
    [grant] = held(town, "van-hoa")
    assert post(boss, f"/nguoi-dung/{town.editor.id}/quyen/{grant.id}/rut").status_code == 303
    assert client.get("/").status_code == 403
    assert client.get("/tai-khoan").status_code == 200
    assert "Đã hết" in boss.get(f"/nguoi-dung/{town.editor.id}").text


def test_leaving_is_one_act_and_coming_back_needs_a_link(town: Town, boss: FlaskClient) -> None:
    client = town.client(boss.application, "van-hoa")
    assert post(boss, f"/nguoi-dung/{town.editor.id}/nghi").status_code == 303
    assert client.get("/").location.startswith("/dang-nhap")
    assert "Đã nghỉ" in boss.get(f"/nguoi-dung/{town.editor.id}").text
    dead = post(boss, f"/nguoi-dung/{town.editor.id}/lien-ket")
    assert (dead.status_code, "/chao/" in dead.text) == (422, False)
    assert "Hoàng Thị Mai đã nghỉ nên liên kết sẽ không mở được gì." in dead.text
    assert post(boss, f"/nguoi-dung/{town.editor.id}/tro-lai").status_code == 303
    assert not mai(town).disabled
    assert client.get("/").location.startswith("/dang-nhap")


def test_the_last_who_governs_is_told_so_and_stays(town: Town, boss: FlaskClient) -> None:
    answer = post(boss, f"/nguoi-dung/{town.boss.id}/nghi")
    assert answer.status_code == 422
    assert "người quản trị cuối cùng" in answer.text
    [first] = [each for each in held(town, "quan-tri") if each.role is Role.ADMINISTRATOR]
    assert "cuối cùng" in post(boss, f"/nguoi-dung/{town.boss.id}/quyen/{first.id}/rut").text
    assert boss.get("/nguoi-dung").status_code == 200


def test_an_administrator_of_a_commune_sees_their_own_and_what_they_hold_there(town: Town) -> None:
    town.person("xa", Role.ADMINISTRATOR, OWN, "Quản trị xã")
    town.desk.give("tam-thanh", Giving(Role.VIEWER, OWN), town.boss, town.now)
    here = town.client(town.app(), "xa")
    page = here.get("/nguoi-dung").text
    assert "Hoàng Thị Mai" in page
    assert "Vi Thị Lan" not in page
    assert "Tất cả địa bàn" not in page
    shared = here.get(f"/nguoi-dung/{town.stranger.id}").text
    assert "Người soạn" not in shared.partition("Giao thêm quyền")[0]
    assert "lien-ket" not in shared
    assert here.get(f"/nguoi-dung/{town.boss.id}").status_code == 404


def test_hours_of_duty_open_and_close_the_day_s_pages(town: Town) -> None:
    town.person("truc", Role.VIEWER, OWN, "Người trực")
    night = ((0, 1, 2, 3, 4, 5, 6), "18:00", "06:00")
    town.desk.give("truc", Giving(Role.EMERGENCY, OWN, hours=night), town.boss, town.now)
    client = town.client(town.app(), "truc")
    assert client.get("/duyet").status_code == 403
    town.now = NOON + timedelta(hours=6)
    assert client.get("/duyet").status_code == 200
    assert "Trực khẩn cấp" in client.get("/duyet").text


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")
def test_people_are_managed_without_scripts_and_fit_a_phone_and_a_desk() -> None:
    with chromium() as browser, place(browser) as here:
        for screen in (PHONE, DESKTOP):
            page = here.visitor("quan-tri", screen)
            for path in ("/nguoi-dung", f"/nguoi-dung/{here.town.editor.id}"):
                page.goto(here.address + path)
                page.eval_on_selector("details.time", "each => { each.open = true }")
                assert (overflow(page), violations(page), small_targets(page)) == (0, [], []), path
        plain = here.visitor("quan-tri", PHONE, scripts=False)
        plain.goto(f"{here.address}/nguoi-dung/{here.town.editor.id}")
        plain.check("input[name=role][value=approver]")
        plain.select_option("#area", OWN)
        plain.click("details.time > summary")
        plain.fill("#to", "15/12/2026")
        plain.click("text=Giao quyền")
        plain.get_by_text("Đã giao quyền cho Hoàng Thị Mai.").wait_for()
        assert here.troubles == []


def test_a_lost_second_factor_is_taken_away_by_whoever_answers_for_the_person(town: Town, boss: FlaskClient) -> None:
    path = f"/nguoi-dung/{mai(town).id}"
    assert "quen-xac-minh" not in boss.get(path).text
    token = town.session("van-hoa")
    person = town.desk.signed_in(token, town.now)
    assert person
    codes = pyotp.TOTP(town.desk.begin_code(person, "Đài", town.now).secret)
    town.desk.confirm_code(person, codes.at(town.now), town.now)
    assert "quen-xac-minh" in boss.get(path).text
    answer = post(boss, f"{path}/quen-xac-minh")
    assert answer.status_code == 303
    assert "chỉ còn mật khẩu" in boss.get(path).text
    assert town.desk.signed_in(token, town.now) is None
    assert not town.store.factors.held(mai(town).id).code
