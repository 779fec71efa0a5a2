"""The condition of the station: what is read of it, how it is judged, and what the page and the command say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from makers_keys import change
from makers_loa import Loa, at_home, in_this_process
from makers_store import NOW, furnish
from makers_web import NOON, Town, form_key, settled_town

from controller import condition, keyring, keys, lockup, safe, vault, web_certificates
from controller.alarms import Surroundings, Watch
from controller.bootstrap import make_gauges
from controller.condition import Mark, Part
from controller.condition_facts import ClockFacts, Kept, Keys, Life, Line, Readings, Room, Voice
from controller.guestlist import Guestlist
from controller.keyring import Keyring
from controller.rights import Role
from controller.settings import Settings
from controller.store import Store, chain
from controller.store.alarm_rows import AlarmRow, Verdict
from controller.store.rows import Act
from controller.studio import Chain, Trouble, VoiceError
from controller.web import acts, raw
from controller.web.machine import TRIES
from words import LANGUAGES

GB, DAY = 10**9, timedelta(days=1)
WELL = Readings(
    life=Life("1.0", True, NOON - DAY, NOON),
    line=Line("mosquitto", "h", 8883, True, True, NOON - DAY),
    clock=ClockFacts("ntp", 1.0, 0.1, 10),
    rooms=[Room("state", "/srv", 50 * GB, 100 * GB)],
    database=("sqlite", 12_345_678),
    voices=[Voice("espeak")],
    papers={"broker": NOON + 300 * DAY},
    keys=Keys(("station",), second=1, second_wanted=True, trust_until=NOON + 90 * DAY),
    backup=Kept("loa.tar", NOON - timedelta(hours=3)),
)
WHY = VoiceError(Trouble.REFUSED, "studio.espeak_missing", program="espeak-ng")


@pytest.fixture
def loa(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Loa:
    at_home(monkeypatch, tmp_path / "station")
    return in_this_process(capsys)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


def ill(parts: tuple[Part, ...]) -> dict[str, Mark]:
    """What is not well: sentence -> mark."""
    return {each.key.removeprefix("condition."): each.mark for each in parts if each.mark is not Mark.GOOD}


def test_a_station_that_is_well_has_nothing_to_do() -> None:
    parts = condition.judge(WELL, NOON)
    assert ill(parts) == {}
    assert condition.worst(parts) is Mark.GOOD
    assert [each.advice for each in parts if each.advice] == []


AILING = [
    ({"life": Life("1", True, NOON - DAY, NOON - timedelta(minutes=2))}, {"station_silent": "bad"}),
    ({"life": Life("1", True, NOON)}, {"station_starting": "unknown"}),
    ({"life": Life("1", False)}, {"station_never": "unknown"}),
    ({"life": Life("1", False, None, NOON - timedelta(minutes=4))}, {"station_silent": "bad"}),
    ({"life": Life("1", False, None, NOON - timedelta(minutes=2))}, {}),
    ({"line": Line("nats", "h", 1, False, False)}, {"broker_away": "bad"}),
    ({"line": Line("nats", "h", 1, False, None, None, NOON - DAY)}, {"broker_lost": "bad"}),
    ({"line": Line("nats", "h", 1, False)}, {}),  # no alarm, and the station judges
    (
        {"line": Line("nats", "h", 1, False), "life": Life("1", False)},
        {"station_never": "unknown", "broker_unknown": "unknown"},
    ),
    ({"clock": ClockFacts("none")}, {"clock_free": "bad"}),
    ({"clock": ClockFacts()}, {"clock_unasked": "unknown"}),
    ({"clock": ClockFacts("ntp", -800.0)}, {"clock_off": "warn"}),
    ({"clock": ClockFacts("ntp", None, 2.1, 3)}, {"clock_ahead": "warn"}),
    ({"clock": ClockFacts("ntp", None, -31.0, 3)}, {"clock_behind": "bad"}),
    ({"voices": [Voice("gtts", True, WHY), Voice("espeak")]}, {"voice_resting": "warn"}),
    ({"voices": [Voice("gtts", False, WHY), Voice("espeak")]}, {"voice_missing": "warn"}),
    ({"voices": [Voice("espeak", False, WHY)]}, {"voice_missing": "bad"}),
    ({"rooms": [Room("state", "/", 9 * GB, 100 * GB)]}, {"disk_state": "warn"}),
    ({"rooms": [Room("shelf", "/", 2 * GB, 100 * GB)]}, {"disk_shelf": "bad"}),
    ({"rooms": [Room("backup", "/", 0, 0)]}, {"disk_backup": "bad"}),
    ({"backup": None}, {"backup_none": "warn"}),
    ({"backup": Kept("a", NOON - 9 * DAY)}, {"backup_aged": "warn"}),
    ({"backup": Kept("a", NOON - 32 * DAY)}, {"backup_aged": "bad"}),
    ({"papers": {}}, {"paper_none": "plain"}),
    ({"papers": {"web": None}}, {"paper_web_closed": "unknown"}),
    ({"papers": {"web": NOON + 29 * DAY}}, {"paper_web": "warn"}),
    ({"papers": {"web_given": NOON}}, {"paper_web_given": "bad"}),
    ({"papers": {"authority": NOON + 364 * DAY, "web_authority": NOON + 366 * DAY}}, {"paper_authority": "warn"}),
    ({"papers": {"station": NOON + 10 * DAY}}, {"paper_station": "warn"}),
    (
        {"keys": Keys((), False, True, 0, True)},
        {"trust_none": "bad", "lock_plain": "plain", "second_lacking": "bad"},
    ),
    (
        {"keys": Keys(None, trust_until=NOON)},
        {"trust_until": "bad", "lock_unread": "unknown", "second_not_wanted": "plain"},
    ),
    (
        {"keys": Keys((), here=False, trust_until=NOON + 9 * DAY)},
        {"trust_until": "warn", "lock_missing": "bad", "second_not_wanted": "plain"},
    ),
    ({"keys": replace(WELL.keys, named=False)}, {"trust_unnamed": "bad"}),
    ({"keys": replace(WELL.keys, named=False, cut=True)}, {"trust_cut": "bad"}),
    ({"keys": replace(WELL.keys, cut=True)}, {"trust_cut": "bad"}),
]


@pytest.mark.parametrize(("changed", "wanted"), AILING, ids=range(len(AILING)))
def test_each_ailment_is_told_with_what_to_do(changed: dict[str, object], wanted: dict[str, str]) -> None:
    parts = condition.judge(replace(WELL, **changed), NOON)  # type: ignore[arg-type]
    assert ill(parts) == wanted
    for each in parts:
        assert (each.mark is Mark.GOOD) == (not each.advice) or each.key == "condition.voice_ready"
        for language in LANGUAGES:
            assert "{" not in each.say(language, "UTC") + each.say_advice(language, "UTC")


def test_sizes_and_moments_are_written_for_people() -> None:
    told = condition.told({"free_bytes": 12_340_000_000, "at": NOON, "n": 1.25, "size_bytes": 12}, "vi", "UTC")
    assert told == {"free_bytes": "12,3 GB", "at": "24/11/2026 05:00", "n": "1,2", "size_bytes": "12 B"}


# --- what is read, of real things ---


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Settings, Store]]:
    """A station with keys and certificates, a broken-off link, no voice but espeak."""
    monkeypatch.setattr(keyring, "_opened", {})
    monkeypatch.setattr(safe, "_stretched", {})
    monkeypatch.setattr(safe, "LOG_N", 4)
    made = Settings(state_dir=tmp_path / "station", web_names=("radio.test",), broker_ca="ca.pem")
    made.state_dir.mkdir()
    store = Store(made.store_url)
    store.migrate()
    keys.establish(Keyring(made.keys_dir), store, ("*",), NOW)
    Guestlist(store, made).certify(["127.0.0.1"], NOW)
    web_certificates.keep(made, NOW)
    yield made, store
    store.close()


def test_real_keys_papers_and_disks_are_read(station: tuple[Settings, Store], monkeypatch: pytest.MonkeyPatch) -> None:
    settings, store = station
    found = make_gauges(settings, store).read(NOW)
    until = {name: (ends - NOW).days if ends else None for name, ends in found.papers.items()}
    assert until == {"web": 396, "web_authority": 3649, "authority": 7300, "broker": 365, "station": 365}
    assert (found.keys.locked, found.keys.here, found.keys.second_wanted) == ((), True, False)
    assert found.keys.trust_until
    assert found.database[0] == "sqlite"
    assert found.database[1] > 100_000
    assert [each.what for each in found.rooms] == ["state"]
    assert 0 < found.rooms[0].free_bytes <= found.rooms[0].total_bytes
    lockup.carry_out(lockup.locking(Keyring(settings.keys_dir), settings, "mười hai chữ cái trở lên", lockup.ALL))
    monkeypatch.setattr(keyring, "_opened", {})
    monkeypatch.setattr(safe, "_stretched", {})
    monkeypatch.setattr("controller.passphrases.asked", lambda prompt: pytest.fail(f"asked {prompt}"))
    locked = make_gauges(settings, store).read(NOW)  # another process, without the passphrase: nobody is asked
    assert locked.papers == {"web": None, "authority": None}
    assert "station" in (locked.keys.locked or ())


def test_a_key_that_the_trust_does_not_count_is_seen(
    station: tuple[Settings, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, store = station
    ring = Keyring(settings.keys_dir)

    def seen(now: datetime = NOW) -> tuple[bool, bool]:
        read = make_gauges(settings, store).read(now).keys
        return read.named, read.cut

    assert seen() == (True, False)
    assert seen(NOW + keys.TRUST_VALIDITY) == (False, False)
    old = ring.path(keyring.STATION).read_text()
    with monkeypatch.context() as patched:
        patched.setattr(Keyring, "promote", lambda *_: None)  # the power goes
        change(ring, store, NOW)
        assert seen() == (True, True)
        change(ring, store, NOW, stolen=True)
        assert seen() == (False, True)
    keys.establish(ring, store, (), NOW)
    assert seen() == (True, False)
    ring.path(keyring.STATION).write_text(old)  # out of an old backup
    assert seen() == (False, False)


def test_a_certificate_of_somebody_else_is_read_and_a_spoilt_one_is_unknown(station: tuple[Settings, Store]) -> None:
    settings, store = station
    given = replace(settings, web_certificate=str(settings.keys_dir / "mqtt.pem"), web_key="/x")
    assert make_gauges(given, store).read(NOW).papers["web_given"] == NOW.replace(microsecond=0) + 365 * DAY
    (settings.keys_dir / "mqtt.pem").write_bytes(b"\xff" * 100_000)
    assert make_gauges(given, store).read(NOW).papers == {"web": None, "authority": None}


def test_the_newest_backup_is_found_with_its_folder(
    station: tuple[Settings, Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, store = station
    monkeypatch.setattr("pyrage.passphrase.encrypt", lambda content, _passphrase: content)
    assert vault.newest(store) is None
    target = tmp_path / "nơi khác"
    target.mkdir()
    for number in (1, 2):
        at = NOW + number * DAY
        vault.note(store, vault.keep(settings, store, target / f"{number}.tar", "một cụm từ đủ dài", at), at)
    kept = vault.newest(store)
    assert kept
    assert (kept.name, kept.at, kept.folder) == ("2.tar", NOW + 2 * DAY, target)
    assert kept.size_bytes == (target / "2.tar").stat().st_size
    found = make_gauges(settings, store).read(NOW + 3 * DAY)
    assert found.backup == Kept("2.tar", NOW + 2 * DAY, str(target))


def test_the_clock_is_compared_with_loudspeakers_that_know_the_time(town: Town) -> None:
    gauges = make_gauges(town.settings, town.store)
    town.wake("dong-dang-1"), town.wake("dong-dang-2")
    assert gauges.read(town.now).clock.apart is None  # too few
    town.wake("dong-dang-3"), town.wake("dong-dang-4", clock_known=False)
    assert (gauges.read(town.now).clock.apart, gauges.read(town.now).clock.compared) == (0.0, 3)


def test_another_process_learns_of_station_and_broker_from_the_store(town: Town) -> None:
    gauges = make_gauges(town.settings, town.store)
    assert {"station_never", "broker_unknown"} <= ill(gauges.condition(NOON)).keys()
    Watch(town.store, town.settings).look(Surroundings(True), NOON)
    assert not {"station_never", "broker_unknown"} & ill(gauges.condition(NOON)).keys()
    town.store.alarms.enter(Verdict((AlarmRow("b", "broker", "*", "bad", NOON, NOON, NOON),)), NOON)
    assert ill(gauges.condition(NOON))["broker_lost"] is Mark.BAD


class Mute:
    """A voice that hangs."""

    name = "mute"

    def why_not(self) -> None:
        return None

    def speak(self, text: str, work_dir: Path) -> Path:
        raise VoiceError(Trouble.TEMPORARY, "studio.nothing_to_say")


def test_a_voice_that_failed_rests_and_says_why(tmp_path: Path) -> None:
    chain = Chain([Mute()])
    assert [(each.available, each.resting) for each in chain.states()] == [(True, False)]
    with pytest.raises(VoiceError):
        chain.speak(tmp_path, "Chào.")
    (state,) = chain.states()
    assert state.resting
    assert state.why_not
    assert state.why_not.key == "studio.nothing_to_say"


# --- the page, the command ---


def test_a_voice_is_heard_only_after_the_form_and_not_too_often(town: Town, app: Flask) -> None:
    client = town.client(app, "quan-tri")
    assert client.get("/thiet-lap/may/nghe/espeak").status_code == 404
    page = client.get("/thiet-lap/may?giong=espeak").text
    assert "<audio" not in page
    assert "Đang chạy, phiên bản" in page
    assert "mosquitto tại 127.0.0.1:1883" in page
    data = {"csrf_token": form_key(client, "/thiet-lap/may"), "giong": "espeak"}
    made = client.post("/thiet-lap/may/nghe", data=data)
    assert (made.status_code, made.location) == (303, "/thiet-lap/may?giong=espeak#voices")
    assert 'src="/thiet-lap/may/nghe/espeak"' in client.get(made.location).text
    heard = client.get("/thiet-lap/may/nghe/espeak")
    assert (heard.status_code, heard.mimetype, heard.data[:4]) == (200, "audio/ogg", b"OggS")
    assert len(heard.data) > 3000
    codes = [client.post("/thiet-lap/may/nghe", data=data).status_code for _ in range(TRIES)]
    assert codes == [303] * (TRIES - 1) + [429]
    for wrong in ("gtts", "../x", "", "x" * 9000):
        assert client.post("/thiet-lap/may/nghe", data=data | {"giong": wrong}).status_code == 404


def test_whoever_keeps_loudspeakers_sees_the_parts_and_not_the_settings(town: Town, app: Flask) -> None:
    town.person("tho", Role.OPERATOR, "lang-son:dong-dang", "Thợ")
    client = town.client(app, "tho")
    page = client.get("/thiet-lap/may")
    assert page.status_code == 200
    assert 'href="/thiet-lap"' not in page.text
    assert client.get("/thiet-lap").status_code == 403
    assert town.client(app, "van-hoa").get("/thiet-lap/may").status_code == 403


def test_the_command_says_the_same_and_fails_where_there_is_a_fault(loa: Loa) -> None:
    told = loa("status")
    assert told.code == 1
    assert "Fault" in told.out
    assert "loa key init" in told.out
    parts = json.loads(loa("status", "--json").out)
    assert {"station", "broker", "clock", "voice", "disk", "database", "backup"} <= {each["part"] for each in parts}
    assert all(each["said"] and each["mark"] in set(Mark) for each in parts)


def test_an_alarm_is_opened_down_to_what_its_loudspeakers_said(town: Town, app: Flask) -> None:
    watch = Watch(town.store, town.settings)
    watch.look(Surroundings(True), NOON)
    town.wake("dong-dang-1", throttled=1, cpu_celsius=61.5)
    watch.look(Surroundings(True), NOON)
    (alarm,) = [each for each in town.store.alarms.open() if each.cause == "undervoltage_now"]
    page = town.client(app, "quan-tri").get(f"/canh-bao/{alarm.id}").text
    for fact in ("health.vitals.cpu_celsius", "61.5", "presence.online", "health.boot_id", alarm.id):
        assert f"<code>{fact}</code>" in page


def test_a_line_of_the_audit_log_shows_its_place_in_the_chain_and_one_that_was_changed(town: Town, app: Flask) -> None:
    client = town.client(app, "quan-tri")
    links = town.store.acts.recent_links(3)
    assert [link.number for link, _ in links] == sorted((link.number for link, _ in links), reverse=True)
    assert links[0][1] == links[1][0].hash
    number = links[0][0].number
    assert town.store.acts.link(number) == links[0]
    listed = client.get("/nhat-ky").text
    assert f'href="/nhat-ky/{number}"' in listed
    assert links[0][0].hash not in listed, "the record is read when its line is opened"
    page = client.get(f"/nhat-ky/{number}").text
    assert links[0][0].hash in page
    assert links[0][1] in page
    assert "Khớp với dòng trước" in page
    assert "Không khớp" not in listed + page
    assert client.get("/nhat-ky/1").status_code == 200
    for wrong in ("0", "-1", "x", "9" * 30, str(town.store.acts.head()[0] + 1), "%D9%A1"):
        assert client.get(f"/nhat-ky/{wrong}").status_code == 404
    with town.store.database.engine.begin() as connection:
        triggers = connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        for name in triggers:
            connection.execute(sa.text(f"DROP TRIGGER {name}"))
        connection.execute(sa.text("UPDATE acts SET detail = 'khác' WHERE number = :n"), {"n": number})
    for path in ("/nhat-ky", f"/nhat-ky/{number}"):
        assert client.get(path).text.count("Không khớp với dòng trước") == 1


def test_the_audit_log_goes_on_to_its_first_line(
    town: Town, app: Flask, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(store)
    for number in range(7):
        store.acts.add(Act("lan", ("signed in", "approved")[number % 2], f"s{number}", "", NOON))
    head, _ = store.acts.head()
    every = store.acts.recent_links(100)
    assert [link.number for link, _ in every] == list(range(head, 0, -1))
    assert all(raw.follows(link, before) for link, before in every)
    assert every[-1][1] == chain.BEFORE_ALL
    assert store.acts.recent_links(100, below=4) == every[-3:]
    assert store.acts.recent_links(100, below=head + 9) == []
    some = store.acts.recent_links(2, ("approved",), below=head)
    assert [link.act.subject for link, _ in some] == ["s5", "s3"]
    assert [store.acts.link(number) for number in (head, 1, 0)] == [every[0], every[-1], None]
    client, many = town.client(app, "quan-tri"), town.store.acts.head()[0]
    monkeypatch.setattr(acts, "MOST_SHOWN", 3)
    seen: list[str] = []
    path = "/nhat-ky?loc="
    while path:
        page = client.get(path).text
        seen += re.findall(r'id="line-(\d+)"', page)
        onward = re.findall(r'href="(/nhat-ky\?[^"]*truoc=[^"]*)" rel="next"', page)
        path = onward[0].replace("&amp;", "&") if onward else ""
    assert [int(each) for each in seen] == list(range(many, 0, -1))
    assert client.get("/nhat-ky?truoc=x").status_code == 200
