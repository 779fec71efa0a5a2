"""Acts by token that pages have too: a yes undone, a sound stopped, loudspeakers and alarms seen to, alerts, rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from makers_api import COMMUNE, FOREIGN, PREFIX, Program, lend, problem
from makers_web import Town, settled_town

from controller.desk import Draft, Placing, Wish
from controller.rights import Role
from controller.store.alarm_rows import AlarmRow, MemberRow, Verdict
from controller.store.rows import AnnouncementState
from controller.store.unheard import Ailment
from schedules.calendars import Recurrence
from schedules.rulebook import Rulebook
from schedules.rulebook_text import Policy, write
from wire.plan import Level

GOLDEN = Path(__file__).parent / "golden" / "cap"
NODE = "dong-dang-1"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


def waiting(town: Town, hours: int = 4) -> str:
    """Sent by an editor, not yet approved."""
    start = town.now + timedelta(hours=hours)
    return town.desk.announce(Wish("Cắt điện.", (COMMUNE,), start), town.editor, town.now).announcement_id


def state_of(town: Town, announcement: str) -> AnnouncementState:
    held = town.store.announcements.get(announcement)
    assert held
    return held.state


def test_the_inbox_by_token_says_what_the_sender_wishes(town: Town, app: Flask) -> None:
    sender = town.person("so", Role.APPROVER, "lang-son", "Chu Thị Ngọc")
    rule = Recurrence("FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=10;BYMINUTE=0", but=("2026-12-03",))
    start = datetime(2026, 11, 26, 3, tzinfo=UTC)
    wish = Wish("Phòng cháy rừng.", ("lang-son",), start, recurrence=rule, times=2, drill=True, level=Level.PROVINCE)
    town.desk.announce(wish, sender, town.now)
    asks = Program(app, lend(town, town.editor, Role.EDITOR))
    (item,) = asks.get("/inbox").json["waiting"]
    assert (item["wished"], item["times"], item["drill"]) == ("2026-11-26T03:00:00Z", 2, True)
    assert (item["recurrence"]["rule"], item["recurrence"]["but"]) == (rule.rule, ["2026-12-03"])
    gone = asks.post(f"/inbox/{item['announcement']}/{COMMUNE}/refusal", {"reason": "Đã phát."}).json
    assert (gone["state"], gone["recurrence"]) == ("declined", item["recurrence"])


def test_a_yes_by_token_can_be_to_what_was_read_alone(town: Town, app: Flask) -> None:
    asks, held = Program(app, lend(town, town.approver, Role.APPROVER)), waiting(town)
    path = f"/announcements/{held}"
    read = asks.get(path).headers["ETag"]
    version = town.desk.return_(held, "Sửa lời.", town.approver, town.now).version
    town.desk.edit(held, version, Draft("Cắt nước."), town.editor, town.now)
    town.desk.submit(held, Placing((COMMUNE,), town.now + timedelta(hours=5)), town.editor, town.now)
    for old in (read, '"0"', '"none"', "*"):
        assert problem(asks.post(f"{path}/approval", If_Match=old)) == (412, "desk.unread")
    assert state_of(town, held) is AnnouncementState.SUBMITTED
    assert asks.post(f"{path}/approval", If_Match=asks.get(path).headers["ETag"]).json["state"] == "approved"


def test_a_yes_by_token_is_undone_within_seconds_and_once(town: Town, app: Flask) -> None:
    asks, held = Program(app, lend(town, town.approver, Role.APPROVER)), waiting(town)
    path = f"/announcements/{held}/approval"
    assert problem(asks.post(f"{path}/undo")) == (409, "desk.too_late_to_undo")
    assert asks.post(path).json["state"] == "approved"
    boss = Program(app, lend(town, town.person("pho-chu-tich", Role.APPROVER, COMMUNE, "Vi Văn Ba"), Role.APPROVER))
    assert problem(boss.post(f"{path}/undo")) == (409, "desk.too_late_to_undo"), "another's yes is not theirs to undo"
    first = asks.post(f"{path}/undo", Idempotency_Key="undo-1")
    assert (first.status_code, first.json["state"], first.json["approver"]) == (200, "submitted", None)
    assert state_of(town, held) is AnnouncementState.SUBMITTED
    again = asks.post(f"{path}/undo", Idempotency_Key="undo-1")
    assert (again.status_code, again.headers["Idempotency-Replayed"], again.json) == (200, "true", first.json)
    done = [each.what for each in town.store.acts.recent(9)]
    assert (done.count("took back approval"), done.count("approved")) == (1, 1)
    assert asks.post(path).status_code == 200
    town.now += timedelta(seconds=16)
    assert problem(asks.post(f"{path}/undo")) == (409, "desk.too_late_to_undo")
    assert state_of(town, held) is AnnouncementState.APPROVED


def test_what_sounds_is_stopped_and_what_is_not_for_the_public_page_is_kept_off(town: Town, app: Flask) -> None:
    asks = Program(app, lend(town, town.approver, Role.APPROVER))
    made = town.desk.announce(Wish("Họp.", (COMMUNE,), town.now + timedelta(hours=1)), town.approver, town.now)
    for listed in (False, False, True):
        told = asks.post(f"/announcements/{made.announcement_id}/listing", {"listed": listed})
        assert told.json == {"announcement": made.announcement_id, "listed": listed}
        assert (made.announcement_id in town.store.notices.unlisted([made.announcement_id])) is not listed
    assert problem(asks.post(f"/announcements/{made.announcement_id}/listing", {"listed": "no"}))[0] == 422
    stopped = asks.post(f"/bookings/{made.booking_id}/stop")
    assert (stopped.status_code, stopped.json["state"]) == (200, "withdrawn")


def test_what_a_sending_would_meet_is_told_and_nothing_is_kept(town: Town, app: Flask) -> None:
    asks = Program(app, lend(town, town.editor, Role.EDITOR))
    start = town.now + timedelta(hours=4)
    long = Wish("Cắt điện để sửa chữa đường dây. " * 20, (COMMUNE,), start, title="Cắt điện")
    town.desk.announce(long, town.approver, town.now)
    before = town.store.acts.head()
    wanted = {"text": "Họp thôn.", "placing": {"areas": [f"{COMMUNE}:thon-2"], "start": "2026-11-24T09:00:01Z"}}
    met = asks.post("/foresight", wanted).json
    assert (met["comings"], met["is_estimated"]) == (["2026-11-24T09:00:01Z"], True)
    assert [(each["title"], each["turn"]) for each in met["conflicts"]] == [("Cắt điện", "waits")]
    elsewhere = wanted | {"placing": {"areas": [COMMUNE], "start": "2026-11-24T18:00:00Z"}}
    assert problem(asks.post("/foresight", elsewhere))[0] == 409  # at night
    assert town.store.acts.head() == before


def test_a_loudspeaker_is_looked_after_by_a_program(town: Town, app: Flask) -> None:
    keeper = town.person("ky-thuat", Role.OPERATOR, COMMUNE, "Lộc Văn Tư")
    asks, path = Program(app, lend(town, keeper, Role.OPERATOR)), f"/nodes/{NODE}"
    bands = [{"since": "05:00", "volume_dbfs": -6}, {"since": "21:00", "volume_dbfs": -12.5}]
    told = asks.ask("PUT", f"{path}/volumes", {"bands": bands})
    assert (told.status_code, told.json["bands"]) == (200, bands)
    assert asks.get(f"{path}/upkeep").json == told.json
    for wrong in ({"since": "25:00", "volume_dbfs": -6}, {"since": "05:00", "volume_dbfs": 3}, {"since": "05:00"}):
        assert problem(asks.ask("PUT", f"{path}/volumes", {"bands": [wrong]}))[0] in (409, 422)
    until = "2026-11-25T05:00:00Z"
    kept = asks.ask("PUT", f"{path}/maintenance", {"until": until, "reason": "Sơn cột."}).json
    assert (kept["maintenance"], kept["maintenance_until"], kept["maintenance_reason"]) == (True, until, "Sơn cột.")
    assert problem(asks.post(f"{path}/tone")) == (409, "desk.tone_in_maintenance")
    far = {"until": "2028-01-01T00:00:00Z", "reason": "Sơn."}
    assert problem(asks.ask("PUT", f"{path}/maintenance", far)) == (409, "desk.bad_maintenance_end")
    assert asks.ask("DELETE", f"{path}/maintenance").status_code == 204
    assert asks.get(f"{path}/upkeep").json["maintenance"] is False
    tone = asks.post(f"{path}/tone", Idempotency_Key="tone-1")
    assert (tone.status_code, tone.json["areas"]) == (200, [NODE])
    assert asks.post(f"{path}/tone", Idempotency_Key="tone-1").json["id"] == tone.json["id"]
    assert [each["id"] for each in asks.get(f"/bookings?area={COMMUNE}").json["items"]] == [tone.json["id"]]
    here = {"latitude": 21.94, "longitude": 106.71}
    assert asks.ask("PUT", f"/positions/{NODE}", here).json["latitude"] == 21.94
    assert asks.get(f"/positions/{NODE}").json["longitude"] == 106.71
    turned = {"latitude": 80.0, "longitude": 21.94}
    assert problem(asks.ask("PUT", f"/positions/{NODE}", turned)) == (409, "desk.bad_position")
    assert problem(asks.ask("PUT", f"/positions/{NODE}", {"latitude": "21", "longitude": 106}))[0] == 422
    assert asks.ask("DELETE", f"/positions/{NODE}").status_code == 204
    assert problem(asks.get(f"/positions/{NODE}"))[0] == 404
    assert problem(asks.get("/positions/tam-thanh-1"))[0] == 404
    told = asks.ask("PUT", f"/areas/{COMMUNE}/other-stations", {"wired": 2, "fm": 1})
    assert (told.json["wired"], told.json["fm"], told.json["set_by"]) == (2, 1, "ky-thuat/may-chu")


def test_an_alarm_is_seen_given_and_kept_quiet_by_a_program(town: Town, app: Flask) -> None:
    keeper = town.person("ky-thuat", Role.OPERATOR, COMMUNE, "Lộc Văn Tư")
    asks, now = Program(app, lend(town, keeper, Role.OPERATOR)), town.now
    for name, place in (("al-1", COMMUNE), ("al-2", FOREIGN), ("al-3", COMMUNE)):
        row = AlarmRow(name, "offline" if name < "al-3" else "loud", place, "bad", now, now, now, 1, 1)
        town.store.alarms.enter(Verdict((row,), (MemberRow(name, NODE, now),)), now)
    first = asks.get("/alarms?limit=1")
    rest = asks.get(first.headers["Link"].partition(">")[0].removeprefix(f"<{PREFIX}"))
    assert [each["id"] for page in (first, rest) for each in page.json["items"]] == ["al-1", "al-3"]
    assert problem(asks.get("/alarms/al-2"))[0] == problem(asks.post("/alarms/al-2/acknowledgement"))[0] == 404
    seen = asks.post("/alarms/al-1/acknowledgement").json
    assert (seen["state"], seen["acknowledged_by"]) == ("acknowledged", "ky-thuat/may-chu")
    assert [each["member"] for each in seen["members"]] == [NODE]
    given = asks.post("/alarms/al-1/assignment", {"person": keeper.id, "deadline": "2026-11-26T10:00:00Z"}).json
    assert (given["assignee"], given["deadline"]) == (keeper.id, "2026-11-26T10:00:00Z")
    assert problem(asks.post("/alarms/al-1/assignment", {"person": "u-nobody"})) == (404, "desk.unknown_user")
    quiet = asks.ask("PUT", "/alarms/al-1/silence", {"until": "2026-11-25T05:00:00Z", "reason": "Chờ vật tư."}).json
    assert quiet["silence"]["reason"] == "Chờ vật tư."
    long = {"until": "2026-12-25T05:00:00Z", "reason": "Chờ."}
    assert problem(asks.ask("PUT", "/alarms/al-1/silence", long)) == (409, "desk.bad_silence")
    assert asks.ask("DELETE", "/alarms/al-1/silence").status_code == 204
    told = asks.get("/alarms/al-1").json
    assert told["silence"] is None
    assert [each["what"] for each in told["history"]][:4] == ["unsilenced", "silenced", "assigned", "acknowledged"]
    assert [each["id"] for each in asks.get("/alarms?state=raised").json["items"]] == ["al-3"]
    assert asks.get("/alarms?state=cleared").json["items"] == []


def test_an_alert_is_taken_in_and_waits_for_a_person(town: Town, app: Flask) -> None:
    asks = Program(app, lend(town, town.editor, Role.EDITOR))
    town.now -= timedelta(hours=2)
    client, raw = app.test_client(use_cookies=False), (GOLDEN / "thunderstorm.xml").read_bytes()

    def send(body: bytes, kind: str = "application/cap+xml"):  # type: ignore[no-untyped-def]
        headers = {"Authorization": f"Bearer {asks.secret}", "Content-Type": kind, "Idempotency-Key": "k"}
        return client.post(f"{PREFIX}/alerts", data=body, headers=headers | {"Accept-Language": "en"})

    made = send(raw)
    assert (made.status_code, made.json["areas"], made.json["unknown"]) == (201, [COMMUNE], ["Xã Na Dương"])
    held = town.store.announcements.get(made.json["announcement"])
    assert held
    assert (held.state, held.bulletin_class) == (AnnouncementState.SUBMITTED, "emergency")
    assert [each["identifier"] for each in asks.get("/alerts").json["items"]] == [made.json["identifier"]]
    assert send(raw).json == made.json  # the same key
    assert problem(asks.post(f"/announcements/{held.id}/approval"))[0] == 403
    headers = {"Authorization": f"Bearer {asks.secret}", "Content-Type": "application/cap+xml"}
    assert problem(client.post(f"{PREFIX}/alerts", data=raw, headers=headers)) == (409, "cap.known")
    assert problem(send(raw, "text/plain")) == (415, "http_415")
    for hostile in (b"", b"<", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b"<alert>" + b"x" * 600_000):
        answer = client.post(f"{PREFIX}/alerts", data=hostile, headers=headers)
        assert problem(answer)[1].startswith("cap."), hostile[:20]


def test_what_was_not_heard_is_answered_and_a_place_gets_its_rules_and_parts(town: Town, app: Flask) -> None:
    asks = Program(app, lend(town, town.editor, Role.EDITOR))
    for number in range(3):
        told_at = town.now + timedelta(seconds=number // 2)
        town.desk.tell_unheard(COMMUNE, Ailment.SILENT, f"Câu {number}", None, told_at)
    first = asks.get("/unheard?limit=2")
    rest = asks.get(first.headers["Link"].partition(">")[0].removeprefix(f"<{PREFIX}"))
    told = [each for page in (first, rest) for each in page.json["items"]]
    assert told[0]["words"] == "Câu 2"
    assert {each["words"] for each in told} == {"Câu 2", "Câu 1", "Câu 0"}, "two of the same moment are two"
    answered = asks.post(f"/unheard/{told[0]['id']}/answer", {"answer": "Đã chỉnh loa."}).json
    assert (answered["answer"], answered["answered_by"]) == ("Đã chỉnh loa.", town.editor.id)
    assert problem(asks.post(f"/unheard/{told[0]['id']}/answer", {"answer": "Nữa"})) == (409, "desk.unheard_answered")
    assert len(asks.get("/unheard").json["items"]) == 2
    assert len(asks.get("/unheard?which=all").json["items"]) == 3
    for cursor in ("WyIyMDI2IiwieCJd", "WyIyMDI2LTExLTI0VDA1OjAwOjAwIiwieCJd", "MQ"):  # 2026, no zone, a number
        assert problem(asks.get(f"/unheard?cursor={cursor}")) == (404, "api_no_page")
    chief = Program(app, lend(town, town.boss, Role.ADMINISTRATOR, "*"))
    made = chief.post("/areas", {"id": f"{COMMUNE}:thon-7", "name": "Thôn 7", "kind": "hamlet"})
    assert (made.status_code, made.json["parent"], made.json["nodes"]) == (201, COMMUNE, 0)
    assert made.headers["Location"].endswith("thon-7")
    again = {"id": f"{COMMUNE}:thon-7", "name": "Khác", "kind": "hamlet"}
    assert problem(chief.post("/areas", again)) == (409, "desk.name_taken")
    assert problem(chief.post("/areas", again | {"id": "x:y:z"})) == (404, "desk.unknown_area")
    assert problem(chief.post("/areas", again | {"kind": "planet"}))[0] == 422
    text = write(Policy(COMMUNE, town.now.date(), Rulebook()))
    put = chief.ask("PUT", f"/areas/{COMMUNE}/policy", {"text": text})
    assert (put.status_code, put.json["area"], put.json["since"]) == (200, COMMUNE, "2026-11-24")
    assert chief.get(f"/areas/{COMMUNE}/policy").json == put.json
    assert problem(chief.ask("PUT", f"/areas/{FOREIGN}/policy", {"text": text})) == (409, "programme_other_area")
    assert problem(chief.ask("PUT", f"/areas/{COMMUNE}/policy", {"text": "x = "}))[0] == 409


def test_a_token_cannot_place_what_an_alert_became_without_a_person(town: Town, app: Flask) -> None:
    town.now -= timedelta(hours=2)
    made = town.desk.take_in((GOLDEN / "thunderstorm.xml").read_bytes(), town.approver, town.now)
    assert made.announcement
    asks = Program(app, lend(town, town.approver, Role.APPROVER))
    assert problem(asks.post(f"/announcements/{made.announcement.id}/approval"))[0] == 403
    assert state_of(town, made.announcement.id) is AnnouncementState.SUBMITTED
