"""Five roles × every operation × (own area, foreign area, an ended right): what a token opens, and what it never does.

- `VERDICTS` says of each operation which acts open it; the app names its routes, so that one without a verdict fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from makers_api import FOREIGN, Program, lend, problem
from makers_web import Town, settled_town
from test_web_rights import OWN, UNTIL, Things, Verdict, furnished, v

from controller import turned_away
from controller.desk.api_tokens import ROLES
from controller.rights import PERMISSIONS, Permission, Role
from controller.store.rows import Act

SAME = 200  # about no area
AHEAD = "2026-11-25T10:00:00Z"
VERDICTS = {
    "GET /openapi.json": v(None, 200, 200),
    "GET /status": v("", 200, SAME),
    "GET /me": v("", 200, SAME),
    "GET /announcements": v("read", 200, 404, area="{area}"),
    "POST /announcements": v("write|warn", 201, 403, text="Họp.", areas="{area}"),
    "GET /announcements/<announcement>": v("read"),
    "PATCH /announcements/<announcement>": v("write|warn", (403, 409), 404, text="Họp.", version="1"),
    "POST /announcements/<announcement>/submission": v("write|warn", (409, 403), 404, areas="{area}"),
    "POST /announcements/<announcement>/approval": v("approve|warn", (200, 409), 404),
    "POST /announcements/<announcement>/return": v("approve|warn", (200, 409), 404, reason="Sai."),
    "POST /announcements/<announcement>/withdrawal": v("write|warn|approve", (200, 403), 404),
    "POST /announcements/<announcement>/listing": v("approve|warn", (200, 403), 404, listed="1"),
    "POST /announcements/<announcement>/voice": v("write|warn|approve", (200, 403), 404),
    "GET /announcements/<announcement>/audio": v("read", 409, 404),
    "POST /announcements/<announcement>/approval/undo": v("approve|warn", 409, 404),  # it was taken back above
    "POST /foresight": v("write|warn", (200, 403), 403, text="Họp.", areas="{area}"),
    "POST /uploads": v("write|warn", 201, SAME, size_bytes="9"),
    "GET /uploads/<upload>": v("write|warn", 404),
    "PUT /uploads/<upload>": v("write|warn", 404),
    "POST /recordings": v("write|warn", 404, upload="x", file_name="y"),
    "GET /recordings/<recording>": v("write|warn", 404),
    "GET /bookings": v("read", 200, 404, area="{area}"),
    "GET /bookings/<booking>": v("read"),
    "POST /bookings/<booking>/withdrawal": v("write|warn|approve", (200, 403), 404),
    "POST /bookings/<booking>/stop": v("write|warn|approve", (200, 403), 404),
    "POST /bookings/<booking>/exceptions": v("write|warn|approve", (403, 409), 404, day="2026-11-25", known="0"),
    "GET /areas": v("read", 200, SAME),
    "POST /areas": v("places", 201, 403, id="{area}:thon-99", name="Thôn 99", kind="hamlet"),
    "GET /areas/<area>": v("read"),
    "PUT /areas/<area>/other-stations": v("equip", 200, 404, wired="2", fm="1"),
    "GET /areas/<area>/plan": v("read"),
    "GET /areas/<area>/programme": v("read"),
    "PUT /areas/<area>/programme": v("programme", 412, 404, text="{programme}"),
    "GET /areas/<area>/policy": v("read"),
    "PUT /areas/<area>/policy": v("policy", 200, 404, text="{policy}"),
    "GET /nodes": v("read", 200, 404, area="{area}"),
    "GET /nodes/<node>": v("read"),
    "GET /nodes/<node>/plan": v("read"),
    "GET /nodes/<node>/health": v("read"),
    "GET /nodes/<node>/upkeep": v("read"),
    "PUT /nodes/<node>/volumes": v("equip"),
    "PUT /nodes/<node>/maintenance": v("equip", 200, 404, until=AHEAD, reason="Sơn cột."),
    "DELETE /nodes/<node>/maintenance": v("equip", 204, 404),
    "POST /nodes/<node>/tone": v("equip"),
    "GET /positions/<place>": v("read", 404),
    "PUT /positions/<place>": v("equip", 200, 403, latitude="21.9", longitude="106.7"),
    "DELETE /positions/<place>": v("equip", 204, 403),
    "GET /alarms": v("read", 200, 404, area="{area}"),
    "GET /alarms/<alarm>": v("read"),
    "POST /alarms/<alarm>/acknowledgement": v("equip"),
    "POST /alarms/<alarm>/assignment": v("equip", 200, 404, deadline=AHEAD),
    "PUT /alarms/<alarm>/silence": v("equip", 200, 404, until=AHEAD, reason="Chờ thợ."),
    "DELETE /alarms/<alarm>/silence": v("equip", 204, 404),
    "GET /as-run": v("read", 200, 404, area="{area}"),
    "GET /inbox": v("read", 200, SAME),
    "POST /inbox/<announcement>/<area>/placement": v("write", (200, 409), 403, start=AHEAD),
    "POST /inbox/<announcement>/<area>/refusal": v("write", (200, 409), 403, reason="Trùng."),
    "POST /inbox/order": v("write", 409, 409, own="{booking}", above="{booking}"),
    "GET /alerts": v("write|warn", 200, SAME),
    "POST /alerts": v("write|warn", 409, 409),
    "GET /unheard": v("read", 200, 404, area="{area}"),
    "POST /unheard/<unheard>/answer": v("write|approve|equip", 200, 404, answer="Đã chỉnh."),
    "GET /lexicon": v("read", 200, SAME),
    "PUT /lexicon": v("write", 200, 403, area="{area}", written="Nà Pàn", spoken="Nà Pan"),
    "DELETE /lexicon": v("write", 204, 403, area="{area}", written="Bó Mu"),
    "POST /spoken": v("read", 200, 404, text="7h30", area="{area}"),
    "GET /people": v("people", 200, SAME),
    "GET /people/<user>": v("people"),
    "GET /audit": v("audit", 200, SAME),
    "GET /settings": v("audit", 200, SAME),
    "GET /audit/export": v("audit", 200, SAME),
}
WHOLE = ("version", "size_bytes", "known", "wired", "fm")
REAL = ("latitude", "longitude")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path, furnished()[0]) as made:
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


def program(town: Town, app: Flask, role: Role) -> Program:
    """Of the person who has that role alone."""
    person = town.store.people.by_name(f"n-{role}")
    assert person
    return Program(app, lend(town, person, role, OWN))


def ask(town: Town, program: Program, route: str, about: Things):  # type: ignore[no-untyped-def]
    """That operation, about these things."""
    method, rule = route.split(" ")
    named = {"area": about.area, "booking": about.booking, "user": about.user, "node": about.node}
    named |= {"alarm": about.alarm, "unheard": about.unheard, "place": about.node}
    named |= {"announcement": about.offered if rule.startswith("/inbox") else about.waiting}
    path = re.sub(r"<(\w+)>", lambda found: named.get(found[1], "0" * 32), rule)
    data: dict[str, object] = {
        name: int(value) if name in WHOLE else float(value) if name in REAL else value.format(**vars(about))
        for name, value in VERDICTS[route].data
    }
    if rule.endswith("/volumes"):
        data["bands"] = [{"since": "05:00", "volume_dbfs": -6}]
    if "listed" in data:
        data["listed"] = False
    if rule in ("/announcements", "/foresight") and method == "POST":
        data["placing"] = {"areas": [data.pop("areas")], "start": AHEAD}
    if "areas" in data:
        data["areas"] = [data["areas"]]
    if rule == "/inbox/order":
        data["own_first"] = True
    if method in ("GET", "DELETE"):
        query = "&".join(f"{name}={value}" for name, value in data.items())
        return program.ask(method, f"{path}?{query}")
    if rule.startswith("/uploads/"):
        return program.ask(method, f"{path}?offset=0", Content_Type="application/octet-stream")
    if (method, rule) == ("POST", "/alerts"):
        return program.ask(method, path, Content_Type="application/cap+xml")
    bare = rule.endswith(("approval", "undo", "withdrawal", "stop", "voice", "tone", "acknowledgement"))
    seen = {"If_Match": '"none"'} if method == "PUT" else {}
    return program.ask(method, path, None if bare else data, **seen)


def written(town: Town) -> int:
    """How many acts were written down, beside that somebody, or an alert, was turned away."""
    kept = {*turned_away.KINDS, "refused alert"}
    return sum(each.act.what not in kept for each in town.store.acts.links())


def opens(role: Role, acts: str | None) -> bool:
    return not acts or any(Permission(act) in PERMISSIONS[role] for act in acts.split("|"))


def test_every_operation_has_a_verdict_and_every_verdict_an_operation(app: Flask) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")]
    routes = {f"{method} {rule.rule[7:]}" for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    assert routes == VERDICTS.keys()


def test_without_a_token_nothing_opens_and_no_cookie_helps(town: Town, app: Flask) -> None:
    own, before = furnished()[1], town.store.acts.head()
    for secret in ("", "x" * 43, "loa_" + "y" * 43):
        for route in VERDICTS.keys() - {"GET /openapi.json"}:
            assert problem(ask(town, Program(app, secret), route, own)) == (401, "no_token"), route
    assert town.store.acts.head() == before
    client = town.client(app, "quan-tri")
    before = town.store.acts.head()
    answer = client.get("/api/v1/me")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="loa"')
    assert "Set-Cookie" not in answer.headers
    assert town.store.acts.head() == before


@pytest.mark.parametrize("role", ROLES)
def test_a_token_opens_what_its_role_does_in_its_own_area_and_nothing_elsewhere(
    town: Town, app: Flask, role: Role
) -> None:
    asks, (_, own, foreign) = program(town, app, role), furnished()
    wrong = []
    for route, verdict in VERDICTS.items():
        for about, codes in ((foreign, verdict.foreign), (own, verdict.own)):
            before = written(town)
            answer = ask(town, asks, route, about)
            expected = Verdict.codes(codes) if opens(role, verdict.acts) else (403,)
            if answer.status_code == 201 and route == "POST /uploads":
                continue
            if answer.status_code not in expected:
                wrong.append(f"{route} {about.area}: {answer.status_code}, not {expected}: {answer.text[:200]}")
            if about is foreign and written(town) != before:
                wrong.append(f"{route}: something foreign was written")
            if about is foreign and "/audit" not in route and "Cụm loa Tam Thanh" in answer.text:
                wrong.append(f"{route}: shows what is foreign")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", [Role.EDITOR, Role.ADMINISTRATOR])
def test_a_token_ends_with_the_right_that_it_is_part_of_and_with_its_maker(town: Town, app: Flask, role: Role) -> None:
    asks, own = program(town, app, role), furnished()[1]
    town.store.people.end_grant(f"g-own-{role}", UNTIL, Act("quan-tri", "took a right", f"n-{role}", "", town.now))
    assert asks.get("/areas").status_code == 200
    town.now = UNTIL
    for route, verdict in VERDICTS.items():
        if verdict.acts:
            assert problem(ask(town, asks, route, own)) == (403, "not_allowed"), route
    town.desk.dismiss(f"n-{role}", town.boss, town.now)
    assert problem(asks.get("/me")) == (401, "no_token")


def test_a_token_proves_nothing_so_an_emergency_is_refused_to_it(town: Town, app: Flask) -> None:
    asks, before = Program(app, lend(town, town.approver, Role.APPROVER)), len(town.store.announcements.list(500))
    urgent = {"text": "Lũ quét.", "bulletin_class": "emergency", "placing": {"areas": [OWN]}}
    assert problem(asks.post("/announcements", urgent)) == (403, "needs_person")
    assert len(town.store.announcements.list(500)) == before
    person = town.desk.by_token(asks.secret, town.now)
    assert person
    assert not person.is_fresh(town.now)


def test_a_token_of_somebody_who_owes_a_second_factor_opens_nothing(tmp_path: Path) -> None:
    from controller.desk import ProofRules, SecondFactor

    with settled_town(tmp_path) as town:
        asks = Program(town.app(), lend(town, town.editor, Role.EDITOR))
        assert asks.get("/me").status_code == 200
        town.desk.proving_by(replace(ProofRules(), policy=SecondFactor.EVERYBODY))
        assert problem(asks.get("/me")) == (403, "factor_needed")


def test_every_no_to_a_program_stands_in_the_log_under_its_person_s_name(town: Town, app: Flask) -> None:
    asks = Program(app, lend(town, town.editor, Role.EDITOR, name="cong-dan"))
    assert problem(asks.get("/audit")) == (403, "not_allowed")  # at the door
    assert problem(asks.post("/announcements", {"text": "Họp.", "placing": {"areas": [FOREIGN]}}))[0] == 403  # the desk
    town.desk.turned_away.close(town.now)
    asks = Program(app, lend(town, town.approver, Role.APPROVER, name="duyet"))
    urgent = {"text": "Lũ quét.", "bulletin_class": "emergency", "placing": {"areas": [OWN]}}
    assert problem(asks.post("/announcements", urgent)) == (403, "needs_person")
    found = [each for each in town.store.acts.recent(20) if each.what in turned_away.KINDS]
    assert [each.subject for each in found] == ["chu-tich", "van-hoa", "van-hoa"]
    assert [each.what for each in found] == [turned_away.NO_RIGHT] * 3
    for act, told in zip(found, ("why=no_person token=duyet", "token=cong-dan", "page=api.read_audit"), strict=True):
        assert told in act.detail
    assert all("token=" in each.detail for each in found)
    assert not any("loa_" in each.detail for each in found)


def test_acts_of_a_program_bear_its_name_and_its_person_s(town: Town, app: Flask) -> None:
    asks = Program(app, lend(town, town.editor, Role.EDITOR, name="cong-dan"))
    made = asks.post("/announcements", {"text": "Họp thôn."})
    assert made.status_code == 201
    assert made.json
    assert made.json["author"] == town.editor.id
    newest = town.store.acts.recent(1)[0]
    assert (newest.who, newest.what) == ("van-hoa/cong-dan", "drafted")
    assert "Hoàng Thị Mai (khóa cong-dan)" in town.client(app, "quan-tri").get("/nhat-ky").text
