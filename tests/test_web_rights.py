"""Six roles × every route × (own area, foreign area, a right that has ended): who gets in, and what stays untouched.

- `VERDICTS` says of each route which acts open it; the app names its routes, so that one without a verdict fails.
- Each role alone acts in Đồng Đăng; what is foreign lies in Tam Thanh.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from flask.testing import FlaskClient
from makers_web import NOON, Town, form_key, settled_town
from werkzeug.test import TestResponse

from controller import turned_away
from controller.desk import Enrolment, Giving, NewUser, Wish
from controller.rights import PERMISSIONS, Grant, Permission, Role
from controller.store.alarm_rows import AlarmRow, MemberRow
from controller.store.alarm_rows import Verdict as Judged
from controller.store.rows import Act, Announcement, AnnouncementState, User
from controller.store.unheard import Ailment
from controller.web import assets
from schedules import timetable
from schedules.programme import Programme
from schedules.rulebook import Rulebook
from schedules.rulebook_text import Policy
from schedules.rulebook_text import write as policy_text
from wire.plan import BulletinClass, Level

OWN, FOREIGN = "lang-son:dong-dang", "lang-son:tam-thanh"
UNTIL = NOON + timedelta(hours=1)
OPEN, SIGNED_IN = None, ""
AT = {
    "when": "at",
    "day": "2026-11-24",
    "hour": "17",
    "minute": "00",
    "bulletin_class": "ordinary",
    "choice": "keep",
}
SENT = AT | {"text": "Họp thôn.", "areas": "{area}", "key": "1" * 32}


@dataclass(frozen=True)
class Verdict:
    """``acts`` (``a|b``: one of them) that open a route; what it answers in one's own area, and about a foreign one."""

    acts: str | None
    own: int | tuple[int, ...] = 200
    foreign: int | tuple[int, ...] = 404
    data: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def codes(wanted: int | tuple[int, ...]) -> tuple[int, ...]:
        return wanted if isinstance(wanted, tuple) else (wanted,)


def v(
    acts: str | None, own: int | tuple[int, ...] = 200, foreign: int | tuple[int, ...] = 404, /, **data: str
) -> Verdict:
    return Verdict(acts, own, foreign, tuple(data.items()))


SAME = 200  # a route that is about no area
LOOKS_EVERYWHERE = ("GET /nhat-ky",)  # the audit log is one chain
VERDICTS = {
    "GET /": v(SIGNED_IN, 200, 200),
    "GET /soan": v("write|warn", 200, 200),
    "POST /soan": v("write|warn", (303, 422), 422, **SENT),
    "GET /static/<name>": v(OPEN, 200, 200),
    "GET /cum-loa/ban-do": v(Permission.READ.value, 200, 200),
    "GET /cum-loa/ban-do.json": v(Permission.READ.value, 200, 200),
    "GET /ngoai-tuyen": v(OPEN, 200, 200),
    "GET /ngoai-tuyen.js": v(OPEN, 200, 200),
    "GET /audio/<name>": v(OPEN, 404),
    "GET /audio/<name>.opus": v(OPEN, 404),
    "GET /suc-khoe": v(OPEN, 200, 200),
    "GET /chung-chi": v(OPEN, 404),
    "GET /chung-chi.crt": v(OPEN, 404),
    "GET /tieng/<wanted>": v(OPEN, 302, 302),
    "GET /chao/<token>": v(OPEN, 410, 410),
    "POST /chao/<token>": v(OPEN, 410, 410),
    "GET /dang-nhap": v(OPEN, 302, 302),
    "POST /dang-nhap": v(OPEN, 422, 422),
    "POST /dang-xuat": v(OPEN, 302, 302),
    "POST /ghi-danh": v(OPEN, 400, 400),
    "POST /gia-han/<node>": v(OPEN, 503, 503),
    "GET /nhat-ky-cong-khai": v(OPEN, 404),  # the station of the tests does not publish
    "GET /nhat-ky-cong-khai/<area>": v(OPEN, 404),
    "GET /nhat-ky-cong-khai/<area>/<day>.json": v(OPEN, 404),
    "GET /nhat-ky-cong-khai/<area>/<day>.csv": v(OPEN, 404),
    "GET /nhat-ky-cong-khai/chung-thuc/<day>.json": v(OPEN, 404),
    "GET /thong-bao": v(OPEN, 404),  # nor does it show its announcements to everybody
    "GET /thong-bao/<area>": v(OPEN, 404),
    "GET /thong-bao/<area>/<announcement>": v(OPEN, 404),
    "GET /thong-bao/<area>/atom.xml": v(OPEN, 404),
    "GET /thong-bao/<area>/podcast.xml": v(OPEN, 404),
    "GET /thong-bao/<area>/khong-nghe": v(OPEN, 404),
    "POST /thong-bao/<area>/khong-nghe": v(OPEN, 404),
    "POST /ban-tin/<announcement>/khong-dang": v("approve|warn", 404, 404),
    "GET /phan-anh": v("read", 200, 404, **{"dia-ban": "{area}"}),
    "POST /phan-anh/<unheard>/tra-loi": v("write|approve|equip", 422, 404),
    "GET /bao-cao": v("read", 200, 404, **{"dia-ban": "{area}"}),
    "GET /bao-cao/bang.<form>": v("read", 200, 404, **{"dia-ban": "{area}"}),
    "GET /su-kien": v(SIGNED_IN, 200, 200),
    "GET /so-viec": v(SIGNED_IN, 200, 200),
    "GET /tai-khoan": v(SIGNED_IN, 200, 200),
    "POST /tai-khoan/thoat": v(SIGNED_IN, 303, 303, noi="0"),
    "POST /tai-khoan/mat-khau": v(SIGNED_IN, 422, 422, new="a"),
    "GET /tai-khoan/khoa-api": v(SIGNED_IN, 200, 200),
    "POST /tai-khoan/khoa-api": v(SIGNED_IN, 422, 422, role="viewer", area="{area}", name="m"),
    "POST /tai-khoan/khoa-api/thu-hoi": v(SIGNED_IN, 422, 422, khoa="t0"),
    "POST /tai-khoan/ma": v(SIGNED_IN, 200, 200),
    "POST /tai-khoan/ma/xac-nhan": v(SIGNED_IN, 422, 422),
    "POST /tai-khoan/ma/bo": v(SIGNED_IN, 303, 303),
    "POST /tai-khoan/khoa": v(SIGNED_IN, 200, 200),
    "POST /tai-khoan/khoa/xong": v(SIGNED_IN, 422, 422),
    "POST /tai-khoan/khoa/bo": v(SIGNED_IN, 303, 303),
    "POST /tai-khoan/ma-du-phong": v(SIGNED_IN, 422, 422),
    "POST /khoa/hoi": v(OPEN, 404, 404),
    "GET /dang-nhap/buoc-hai": v(OPEN, 303, 303),
    "POST /dang-nhap/buoc-hai": v(OPEN, 303, 303),
    "POST /dang-nhap/khoa": v(OPEN, 422, 422),
    "GET /ke-hoach": v("read", 200, SAME),
    "GET /lich": v("read", 200, 404, **{"dia-ban": "{area}"}),
    "GET /ban-tin": v("read", 200, 404, **{"dia-ban": "{area}"}),
    "POST /ban-tin/<announcement>/dung-lai": v("write|warn", 303, 404),
    "GET /nhat-ky-phat": v("read", 200, 404, **{"dia-ban": "{area}"}),
    "GET /cum-loa": v("read", 200, 404, **{"dia-ban": "{area}"}),
    "GET /cum-loa/<name>": v("read"),
    "GET /cum-loa/<place>/nhung-ngay-toi": v("read"),
    "GET /cum-loa/<place>/nhung-ngay-toi.json": v("read"),
    "GET /dia-ban/<place>/nhung-ngay-toi": v("read"),
    "GET /dia-ban/<place>/nhung-ngay-toi.json": v("read"),
    "GET /hop-tin": v("read", 200, SAME),
    "GET /hop-tin/<announcement>/<area>/xep": v("read", 303, 303),
    "POST /hop-tin/<announcement>/<area>/xep": v("write", 303, 422, when="now", choice="keep"),
    "POST /hop-tin/<announcement>/<area>/khong": v("write", 422, 422, reason="Đã có bản khác."),
    "POST /hop-tin/thu-tu": v("write", 422, 422, own="{booking}", above="{booking}"),
    "GET /khung-chuong-trinh": v("read", 302, 302),
    "GET /khung-chuong-trinh/<area>": v("read"),
    "GET /khung-chuong-trinh/<area>/khung.toml": v("read"),
    "GET /khung-chuong-trinh/<area>/quy-che.toml": v("read"),
    "GET /khung-chuong-trinh/<area>/sua": v("programme"),
    "POST /khung-chuong-trinh/<area>/sua": v("programme", (200, 422), 404, act="check"),
    "GET /khung-chuong-trinh/<area>/van-ban": v("programme"),
    "POST /khung-chuong-trinh/<area>/van-ban": v("programme", 200, 404, text="{programme}", since="25/11/2026"),
    "GET /khung-chuong-trinh/<area>/quy-che": v("policy"),
    "POST /khung-chuong-trinh/<area>/quy-che": v("policy", 200, 404, text="{policy}"),
    "GET /lich-phat/<booking>": v("read"),
    "POST /lich-phat/<booking>/rut": v("write|warn", (303, 409), 404),
    "POST /lich-phat/<booking>/dung": v("write|warn", (303, 409), 404),
    "POST /lich-phat/<booking>/bo-ngay": v("write|warn", 422, 404, ngay="25/11/2026", biet="0"),
    "GET /duyet": v("approve|warn", 200, SAME),
    "POST /duyet/<announcement>/dong-y": v("approve|warn", (303, 422), 422, seen="1"),
    "POST /duyet/<announcement>/hoan-tac": v("approve|warn", (303, 422), 422),
    "POST /duyet/<announcement>/tra-lai": v("approve|warn", (303, 422), 422, reason="Sai ngày."),
    "GET /soan/<announcement>": v("write|warn"),
    "POST /soan/<announcement>/sua": v("write|warn", 303, 409),
    "POST /soan/<announcement>/bo": v("write|warn", (303, 409), 404),
    "POST /nghe-thu": v("write|warn", 422, 422),
    "GET /nghe-thu/<announcement>": v("write|warn"),
    "POST /nghe-thu/<announcement>/lai": v("write|warn", (200, 302, 303, 409), 404),
    "GET /nghe-thu/<announcement>/cau/<int:number>": v("read"),
    "GET /nghe-thu/<announcement>/thoi-luong": v("read"),
    "GET /song-am/<name>": v("read", 404),
    "POST /nghe-thu/day": v("write|warn", 422, 422),
    "POST /nghe-thu/sua": v("write|warn", 422, 422),
    "POST /xem-truoc": v("write|warn", (200, 422), 422, **SENT),
    "GET /dia-ban": v("places", 200, SAME),
    "POST /dia-ban": v("places", 303, 422, parent="{area}", name="Thôn Mới", kind="hamlet"),
    "POST /dia-ban/chuyen": v("places", 422, 422, area="{area}", to="{area}"),
    "POST /dia-ban/xem-tep": v("places", 422, 422),
    "POST /dia-ban/nhap": v("places", 422, 422, upload="none", province="20"),
    "GET /tin-cap": v("write|warn", 200, 200),
    "POST /tin-cap": v("write|warn", 422, 422),
    "GET /ban-ghi": v("write|warn", 200, 200),
    "POST /ban-ghi": v("write|warn", 422, 422),
    "POST /ban-ghi/tep": v("write|warn", 422, 422),
    "GET /ban-ghi/tep/<name>": v("write|warn", 404),
    "POST /ban-ghi/tep/<name>": v("write|warn", 404),
    "POST /ban-ghi/tep/<name>/xong": v("write|warn", 422, 422),
    "GET /tu-dien": v("read", 200, SAME),
    "POST /tu-dien": v("write", 303, 422, area="{area}", written="Nà Pàn", reading="Nà Pan"),
    "POST /tu-dien/bo": v("write", 303, 422, area="{area}", written="Bó Mu"),
    "GET /tu-dien/nghe": v("read", 404, 404, **{"dia-ban": "{area}", "tu": "Không có"}),
    "GET /cum-loa-moi": v("equip", 200, SAME),
    "POST /cum-loa-moi": v("equip", 200, 422, node="loa-moi", name="Cụm mới", home="{area}"),
    "POST /cum-loa-moi/bo": v("equip", 303, 409, code="{code}"),
    "POST /cum-loa/vi-tri": v("equip", 303, place="{node}", latitude="21.95", longitude="106.7"),
    "POST /cum-loa/<name>/thay": v("equip"),
    "POST /cum-loa/<name>/thu-hoi": v("equip", 422),
    "POST /cum-loa/<name>/am-luong": v("equip", 303),
    "POST /cum-loa/<name>/bao-tri": v("equip", 303, reason="Thay ắc quy", hours="4"),
    "POST /cum-loa/<name>/het-bao-tri": v("equip", 303),
    "POST /cum-loa/<name>/phat-thu": v("equip", 303, key="1" * 32),
    "GET /nguoi-dung": v("people", 200, SAME),
    "POST /nguoi-dung": v("people", 200, 422, name="moi", full_name="Người mới", role="editor", area="{area}"),
    "GET /nguoi-dung/<user>": v("people"),
    "GET /nguoi-dung/<user>/<path:act>": v("people", 303),
    "POST /nguoi-dung/<user>/quyen": v("people", 303, 404, role="editor", area="{area}", to="25/11/2026"),
    "POST /nguoi-dung/<user>/quyen/<grant>/rut": v("people", 303),
    "POST /nguoi-dung/<user>/lien-ket": v("people"),
    "POST /nguoi-dung/<user>/quen-xac-minh": v("people", 303),
    "POST /nguoi-dung/<user>/nghi": v("people", 303),
    "POST /nguoi-dung/<user>/tro-lai": v("people", 303),
    "GET /nhat-ky": v("audit", 200, SAME),
    "GET /nhat-ky/<number>": v("audit", 404, 404),  # there is no line 0
    "GET /thiet-lap": v("audit", 200, SAME),
    "GET /thiet-lap/may": v("audit|equip", 200, SAME),
    "POST /thiet-lap/may/nghe": v("audit|equip", 404, 404),
    "GET /thiet-lap/may/nghe/<voice>": v("audit|equip", 404, 404),
    "GET /khoa": v("keys", 200, SAME),
    "GET /canh-bao": v("read", 200, 404, **{"dia-ban": "{area}"}),
    "GET /canh-bao/<alarm>": v("read"),
    "GET /canh-bao/<alarm>/<act>": v("read", 303),
    "POST /canh-bao/<alarm>/nhan": v("equip", 303),
    "POST /canh-bao/<alarm>/giao": v("equip", 303, person="", days="3"),
    "POST /canh-bao/<alarm>/im-lang": v("equip", 303, hours="4", reason="Cắt điện theo lịch."),
    "POST /canh-bao/<alarm>/thoi-im-lang": v("equip", 303),
    "GET /tong-quan": v("read", 200, SAME),
    "GET /tong-quan/dai-khac": v("read", 303, 303),
    "POST /tong-quan/dai-khac": v("equip", 303, 422, area="{area}", wired="1", fm="0"),
}


@dataclass(frozen=True)
class Things:
    """What routes are about, in one area."""

    area: str
    node: str
    booking: str
    waiting: str
    offered: str
    draft: str
    user: str
    grant: str
    code: str
    alarm: str
    programme: str
    policy: str
    unheard: str

    def path(self, rule: str) -> str:
        """The rule with these things in it."""
        named = {"area": self.area, "booking": self.booking, "user": self.user, "grant": self.grant, "number": "0"}
        named["form"] = "csv"
        named["unheard"] = self.unheard
        named["alarm"] = self.alarm
        named |= {
            "act": "lien-ket",
            "token": "x" * 43,
            "wanted": "vi",
            "voice": "nobody",
            "day": "2026-11-24",
            "node": self.node,
            "name": "0" * 64,
        }
        if rule.startswith("/static/"):
            named["name"] = assets.manifest()["look.css"]
        if rule.startswith("/cum-loa/"):
            named |= {"name": self.node, "place": self.node}
        if rule.startswith("/dia-ban/"):
            named["place"] = self.area
        about = {"/duyet": self.waiting, "/hop-tin": self.offered}
        named["announcement"] = about.get("/" + rule.split("/")[1], self.draft)
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: named[found[1]], rule)

    def form(self, verdict: Verdict) -> dict[str, str]:
        """The verdict's data with these things in it."""
        return {name: value.format(**vars(self)) for name, value in verdict.data}


def things(town: Town, area: str, offered: str) -> Things:
    """One of everything in ``area``, a draft of the administrator among it."""
    desk, boss, now = town.desk, town.boss, town.now
    short = area.split(":")[1]
    sender = town.editor if area == OWN else town.stranger
    waiting = desk.announce(Wish("Cắt điện.", (area,), now + timedelta(hours=4)), sender, now)
    sounding = desk.announce(Wish("Thu gom rác.", (area,), now + timedelta(hours=5)), boss, now)
    assert sounding.booking_id is not None
    wished = Enrolment(f"{short}-9", "Cụm 9", f"{area}:thon-1")
    user = desk.add_user(NewUser(f"nguoi-{short}", Giving(Role.VIEWER, area)), boss, now)
    desk.teach(area, "Bó Mu", "Bó Mù", boss, now)
    programme = timetable.write(Programme(area, f"Khung {short}"))
    policy = Policy(area, now.date(), Rulebook())
    desk.apply_programme(programme, None, boss, now)
    desk.set_policy(policy, boss, now)
    code = desk.invite_node(wished, boss, now).name
    alarm = AlarmRow(f"al-{short}", "offline", area, "bad", now, now, now, 1, 1)
    town.store.alarms.enter(Judged((alarm,), (MemberRow(alarm.id, f"{short}-1", now),)), now)
    facts = (
        f"{short}-1",
        sounding.booking_id,
        waiting.announcement_id,
        offered,
        f"a-{boss.name}",
        user.id,
        user.grants[0].id,
    )
    unheard = desk.tell_unheard(area, Ailment.SILENT, "", None, now)
    assert unheard is not None
    return Things(area, *facts, code, alarm.id, programme, policy_text(policy), unheard.id)


def furnish(town: Town) -> tuple[Things, Things]:
    """A person for each role alone, each with a draft, and one of everything in their own area and the foreign one."""
    boss, now = town.boss, town.now
    for role in Role:
        grant = Grant(f"g-own-{role}", role, OWN, boss.id, now)
        town.store.people.add(User(f"u-{role}", f"n-{role}", OWN, now, grants=(grant,)))
    for author, name in [(f"u-{role}", f"n-{role}") for role in Role] + [(boss.id, boss.name)]:
        draft = Announcement(f"a-{name}", "Nháp", "Nháp của tôi.", author, now, now)
        town.store.announcements.create(draft, None)
    above = Wish("Tin tỉnh.", ("lang-son",), now + timedelta(hours=6), level=Level.PROVINCE)
    offered = town.desk.announce(above, boss, now).announcement_id
    return things(town, OWN, offered), things(town, FOREIGN, offered)


@cache
def furnished() -> tuple[bytes, Things, Things]:
    """Such a town's database, made once."""
    with TemporaryDirectory() as folder, settled_town(Path(folder)) as town:
        own, foreign = furnish(town)
        town.store.close()
        return (Path(folder) / "loa.db").read_bytes(), own, foreign


@dataclass
class Street:
    """A furnished town, somebody who walks in it, and what there is."""

    town: Town
    client: FlaskClient
    own: Things
    foreign: Things
    key: str = field(default="", init=False)

    def ask(self, route: str, about: Things) -> TestResponse:
        """That route, about these things, with the form's key."""
        method, rule = route.split(" ")
        form, path = about.form(VERDICTS[route]), about.path(rule)
        if method == "GET":
            return self.client.get(path, query_string=form or None, buffered=rule != "/su-kien")
        return self.client.post(path, data=form | {"csrf_token": self.key})

    def enter(self, page: str) -> None:
        """Look at a page with a form; its key is this browser's."""
        self.key = form_key(self.client, page)

    def written(self) -> int:
        """How many acts were written down, beside that somebody was turned away."""
        return sum(each.act.what not in turned_away.KINDS for each in self.town.store.acts.links())


@pytest.fixture
def street(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Street]:
    """Walked by the person of the test's role, or by a stranger where it has none."""
    kept, own, foreign = furnished()
    role = request.node.callspec.params["role"] if hasattr(request.node, "callspec") else None
    with settled_town(tmp_path, kept) as town:
        made = Street(town, town.client(town.app(), f"n-{role}" if role else None), own, foreign)
        made.own = replace(own, draft=f"a-n-{role}") if role else own
        made.enter("/tai-khoan" if role else "/dang-nhap")
        yield made


def gated() -> list[str]:
    """The routes that have a door."""
    return [route for route, verdict in VERDICTS.items() if verdict.acts is not OPEN]


def opens(role: Role, acts: str | None) -> bool:
    """Whether a role opens a route."""
    return not acts or any(Permission(act) in PERMISSIONS[role] for act in acts.split("|"))


def test_every_route_of_the_app_has_a_verdict_and_every_verdict_a_route(street: Street) -> None:
    rules = [rule for rule in street.client.application.url_map.iter_rules() if not rule.endpoint.startswith("api.")]
    routes = {f"{method} {rule.rule}" for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    assert routes == VERDICTS.keys()


def test_a_stranger_is_led_to_the_door_of_every_route_that_has_one(street: Street) -> None:
    before = street.written()
    for route in gated():
        answer = street.ask(route, street.own)
        kept = "Chưa gửi được, nhưng không mất" in answer.text  # what was written is shown back, and nothing done
        assert answer.status_code == (401 if kept or route == "GET /su-kien" else 302), route
    assert street.written() == before


def test_what_has_no_door_answers_a_stranger_and_writes_nothing(street: Street) -> None:
    before = street.written()
    for route in VERDICTS.keys() - set(gated()):
        street.enter("/dang-nhap")
        code = street.ask(route, street.own).status_code
        assert code in (*Verdict.codes(VERDICTS[route].own), 200), route
    assert street.written() == before


@pytest.mark.parametrize("role", Role)
def test_a_role_opens_what_is_its_own_in_its_own_area(street: Street, role: Role) -> None:
    wrong = []
    for route in gated():
        code = street.ask(route, street.own).status_code
        expected = Verdict.codes(VERDICTS[route].own) if opens(role, VERDICTS[route].acts) else (403,)
        if code not in expected:
            wrong.append(f"{route}: {code}, not {expected}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", Role)
def test_no_role_reaches_into_a_foreign_area(street: Street, role: Role) -> None:
    wrong = []
    for route in gated():
        before, answer = street.written(), street.ask(route, street.foreign)
        expected = Verdict.codes(VERDICTS[route].foreign) if opens(role, VERDICTS[route].acts) else (403,)
        if answer.status_code not in expected:
            wrong.append(f"{route}: {answer.status_code}, not {expected}")
        if street.written() != before:
            wrong.append(f"{route}: something was written")
        if route not in (*LOOKS_EVERYWHERE, "GET /su-kien") and "Cụm loa Tam Thanh" in answer.text:
            wrong.append(f"{route}: shows what is foreign")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", Role)
def test_a_right_that_has_ended_opens_nothing_while_the_session_lives(street: Street, role: Role) -> None:
    town = street.town
    act = Act("quan-tri", "took a right", f"n-{role}", "", town.now)
    town.store.people.end_grant(f"g-own-{role}", UNTIL, act)
    assert street.client.get("/ke-hoach").status_code == 200
    town.now, before = UNTIL, street.written()
    for route in gated():
        if VERDICTS[route].acts:
            assert street.ask(route, street.own).status_code == 403, route
    assert street.client.get("/").status_code == 403
    assert "Hiện không có quyền nào" in street.client.get("/tai-khoan").text
    assert street.written() == before


@pytest.mark.parametrize("role", [Role.EMERGENCY])
def test_an_emergency_is_ordered_by_its_officer_alone_who_decides_nothing_else(street: Street, role: Role) -> None:
    client = street.client
    sent = street.own.form(VERDICTS["POST /soan"]) | {"csrf_token": street.key, "bulletin_class": "emergency"}
    answer = client.post("/soan", data=sent | {"confirm": "Xã Đồng Đăng"})
    assert answer.status_code == 303, answer.text
    town = street.town
    made = town.store.announcements.get(town.announcement_of(answer.location.split("/")[-1].split("?")[0]))
    assert made is not None
    assert (made.state, made.bulletin_class) == (AnnouncementState.APPROVED, BulletinClass.EMERGENCY)
    assert street.own.waiting not in client.get("/duyet").text
