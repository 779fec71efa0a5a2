"""What has gone wrong elsewhere, by name: each incident that the radio was designed against, at a whole node.

`INCIDENTS` names for every one the test that stands for it; those that are about time rules are in
`test_reenactments`. The bugs of shipped products have theirs in `SHIPPED`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import makers_store as made
import msgspec
import pytest
from makers_emergency import spoken_emergency
from makers_evil import EVIL
from makers_node import (
    COMMUNE,
    NODE,
    after,
    config_message,
    make_asset,
    make_config,
    make_emergency,
    make_job,
    make_plan,
    plan_message,
    sealed,
)
from makers_radio import Radio
from makers_station import furnished, online
from makers_web import Town

from controller.store import Store
from controller.store.facts import Condition
from controller.studio import tones
from controller.web.nodes import state_of
from controller.worries import worries
from edge_node.own_voice import OwnVoice
from wire import topics
from wire.config import QuietHours, VolumeBand
from wire.errors import Reason
from wire.health import Vitals
from wire.plan import BulletinClass, Lane, Late, Level
from wire.presence import State
from wire.receipt import Step
from words import say

NOW = made.NOW
HERE = "test_incidents"
INCIDENTS = {
    "Nghệ An, Trung Lộc 2025: woken at 03:15": (
        "test_reenactments",
        "test_trung_loc_0315_the_node_alone_refuses_the_relay",
    ),
    "Đà Nẵng, Hội An, Huế, Hà Tĩnh 2016: a foreign station": (HERE, "test_da_nang_2016_a_stranger_on_the_same_air"),
    "Dallas 2017: 156 sirens by a replay": (HERE, "test_dallas_2017_a_recorded_alarm_sent_again"),
    "SirenJack 2018: a protocol without seals": (HERE, "test_sirenjack_2018_an_alarm_that_nobody_sealed"),
    "Hawaii 2018: a drill like the real thing, 38 minutes": (HERE, "test_hawaii_2018_a_drill_is_no_alarm"),
    "Hawaii 2018: taken back late": (HERE, "test_hawaii_2018_what_was_wrong_is_silenced_at_once"),
    "Japan: false broadcasts during maintenance": (HERE, "test_japan_maintenance_reaches_no_other_node"),
    "Germany 2020: 52 alerts in place of one": (HERE, "test_germany_2020_fifty_two_times_the_same_alert"),
    "Germany 2020: half an hour late": (HERE, "test_germany_2020_an_alert_behind_four_thousand_items"),
    "Nha Trang 2025: silent without the servers": (HERE, "test_nha_trang_2025_days_without_any_server"),
    "Aceh 2018: broken, and nobody knew": (HERE, "test_aceh_2018_a_siren_that_answers_and_does_not_sound"),
    "Yagi 2024: hamlets without signal": (HERE, "test_yagi_2024_a_text_and_no_more_audio"),
    "Yagi 2024: unknown taken for down": (HERE, "test_yagi_2024_who_was_never_heard_of_is_not_called_broken"),
    "residents beside a horn": (HERE, "test_a_resident_beside_a_horn_hears_the_night_s_volume"),
    "Japan: two horns half a second apart": (HERE, "test_two_horns_begin_on_the_same_second_as_their_offsets_say"),
}
SHIPPED = {
    "a Monday-only 05:00 item armed for Tuesday": ("test_programme", "test_monday_0500_armed_for_tuesday"),
    "cut at midnight": ("test_programme", "test_clipped_at_midnight"),
    "a validity over 24.8 days": ("test_planner", "test_validity_over_25_days"),
    "refused on priority, never deferred": ("test_reenactments", "test_priority_refused_never_deferred"),
    "offline when booked": ("test_planner", "test_a_device_offline_when_booked_finds_the_job_in_every_later_plan"),
    "a play route without authentication": ("test_broker_access", "test_a_node_may_speak_for_itself_alone"),
}


@pytest.mark.parametrize(("file", "name"), [*INCIDENTS.values(), *SHIPPED.values()])
def test_every_incident_has_its_test(file: str, name: str) -> None:
    (found,) = Path(__file__).parent.parent.rglob(f"{file}.py")
    assert f"\ndef {name}(" in found.read_text("utf-8")


@pytest.fixture
def radio(tmp_path: Path) -> Radio:
    return Radio(tmp_path)


def test_da_nang_2016_a_stranger_on_the_same_air(radio: Radio) -> None:
    """A stronger station on the receivers' frequency: here, somebody else's programme on the same topics."""
    radio.plan(make_job("own", after(30)))
    radio.start()
    for area in (COMMUNE, NODE, "lang-son"):
        radio.say(plan_message(make_plan(make_job("foreign", after(1)), area=area, serial=99), EVIL))
    radio.run(60, step=1)
    assert [job for job, _, _ in radio.heard] == ["own"]
    assert radio.agent.refusals.counts["unknown_key"] == 3


def test_dallas_2017_a_recorded_alarm_sent_again(radio: Radio) -> None:
    """The alarm of the last test, every byte true, night after night, and after a restart."""
    alarm = radio.urgent(make_emergency("drill", after(1), late_for=60))
    radio.start()
    radio.run(20, step=1)
    radio.urgent()
    radio.run(5)
    for _ in range(156):
        radio.say(alarm)
    radio.run(20, step=1)
    radio.restart()
    for _ in range(156):
        radio.say(alarm)
    radio.run(20, step=1)
    assert radio.stretches("drill") == [(0, 10_000)]
    assert radio.agent.refusals.counts["rolled_back"] >= 156


@pytest.mark.parametrize("how", ["bare", "empty seal", "another's", "another kind"])
def test_sirenjack_2018_an_alarm_that_nobody_sealed(radio: Radio, how: str) -> None:
    plan = make_plan(make_emergency("siren", after(0)), lane=Lane.URGENT, serial=9)
    topic, raw = plan_message(plan)
    radio.start()
    radio.say(
        {
            "bare": (topic, msgspec.json.encode(plan)),
            "empty seal": (topic, raw.split(b'"sig":"')[0] + b'"sig":""}]}'),
            "another's": plan_message(plan, EVIL),
            "another kind": (topic, sealed("receipts", plan)),
        }[how]
    )
    radio.run(20, step=1)
    assert radio.heard == []
    assert sum(radio.agent.refusals.counts.values()) == 1


def test_hawaii_2018_a_drill_is_no_alarm(radio: Radio) -> None:
    """It sounds otherwise, says what it is, has no siren, and gives way to the real one."""
    assert tones.attention(BulletinClass.EMERGENCY, True) != tones.attention(BulletinClass.EMERGENCY, False)
    assert "diễn tập" in say("studio.drill_notice", "vi").lower()
    siren = make_asset("siren", 5000)
    radio.configure(make_config(2, standby=(siren,), siren=siren.sha256))
    drill, real = make_emergency("drill", after(1), drill=True), make_emergency("real", after(4))
    radio.urgent(drill)
    radio.start()
    radio.run(3)
    radio.urgent(drill, real)
    radio.run(60, step=1)
    assert [job for job, _, _ in radio.heard][:2] == ["drill", "real"]
    assert radio.outcome("real").step is Step.SOUNDED


def test_hawaii_2018_what_was_wrong_is_silenced_at_once(radio: Radio) -> None:
    """38 minutes there. Here the word that takes it back cuts it while it sounds, and the retraction follows."""
    radio.urgent(make_emergency("false", after(0), asset=make_asset("false", 600_000)))
    radio.start()
    radio.run(5)
    radio.urgent(make_emergency("retraction", radio.hand.now()))
    radio.run(0.2)
    assert radio.outcome("false").step is Step.WITHDRAWN
    radio.run(20, step=1)
    assert [(job, until - since <= 10_000) for job, since, until in radio.heard] == [
        ("false", True),
        ("retraction", True),
    ]


def test_japan_maintenance_reaches_no_other_node(radio: Radio) -> None:
    """What somebody tries on one node is in that node's own plan; and a node under repair sounds nothing but alarms."""
    other = sealed("config", make_config(9, node="loa-02", maintenance=True))
    radio.start()
    radio.say((topics.CONFIG.topic(node=NODE), other))
    radio.say(plan_message(make_plan(make_job("tried", after(1)), area="loa-02", serial=5)))
    radio.run(15, step=1)
    assert radio.heard == []
    radio.say(config_message(make_config(10, maintenance=True)))
    radio.plan(make_job("item", radio.hand.now()))
    radio.urgent(make_emergency("alarm", radio.hand.now()))
    radio.run(20, step=1)
    assert [job for job, _, _ in radio.heard] == ["alarm"]
    assert radio.outcome("item").reason == Reason.MAINTENANCE


def test_germany_2020_fifty_two_times_the_same_alert(radio: Radio) -> None:
    """The same alert from every level, in every area, issued again and again: one job, heard once."""
    radio.start()
    alarm = make_emergency("e1", after(2), level=Level.CENTRAL)
    for _ in range(13):
        for area in (COMMUNE, "lang-son", f"{COMMUNE}:thon-1", NODE):
            radio.urgent(alarm, area=area)
    radio.run(30, step=1)
    assert radio.heard == [("e1", 0, 10_000)]
    assert radio.steps("e1").count("sounded") == 1


def test_germany_2020_an_alert_behind_four_thousand_items(tmp_path: Path) -> None:
    """Everything arrives in one moment, the alert last: it is read first, and sounds on its second."""
    radio = Radio(tmp_path)
    radio.configure(make_config(2, areas=(COMMUNE, "lang-son")))
    radio.start()
    many = [make_job(f"b{n}", after(5 + 40 * n)) for n in range(3000)]
    radio.plan(*many)
    radio.plan(*many, area="lang-son")
    radio.urgent(make_emergency("e1", after(2)))
    radio.run(14, step=0.5)
    assert radio.heard[0] == ("e1", 0, 10_000)
    measured = radio.outcome("e1").measured
    assert measured
    assert measured.skew_ms == 0


def test_nha_trang_2025_days_without_any_server(radio: Radio) -> None:
    """No station, no broker, and a power cut a day: a week of the programme sounds."""
    days = range(7)
    radio.plan(*[make_job(f"b{day}", after(60 + 86_400 * day)) for day in days])
    radio.start()
    radio.broker.down()
    for day in days:
        radio.hand.moment = after(30 + 86_400 * day)
        radio.restart()
        radio.run(60, step=1)
    assert [job for job, _, _ in radio.heard] == [f"b{day}" for day in days]


def test_aceh_2018_a_siren_that_answers_and_does_not_sound(radio: Radio) -> None:
    """It pings, and its sound card is gone: the outcome says so under its seal, and the page says what is broken."""
    radio.player.fails = Reason.AUDIO_DEVICE
    radio.player.device_ok = False
    radio.urgent(make_emergency("test", after(1), late_for=5))
    radio.start()
    radio.run(70, step=1)
    assert (radio.outcome("test").step, radio.outcome("test").reason) == (Step.REFUSED, Reason.AUDIO_DEVICE)
    told = radio.health[-1]
    assert told.last_sounded is None
    broken = msgspec.structs.replace(told, vitals=Vitals(audio_ok=False))
    assert next(each.name for each in worries(broken)) == "audio"


@pytest.mark.skipif(not OwnVoice.works, reason="espeak-ng is not installed")
def test_yagi_2024_a_text_and_no_more_audio(radio: Radio) -> None:
    """Some hundred bytes come through and the audio does not: the node says the words itself."""
    job = spoken_emergency(start=after(0), asset=make_asset("never"))
    assert job.asset
    radio.cache.missing[job.asset.sha256] = Reason.NO_AUDIO
    radio.urgent(job)
    radio.start()
    for _ in range(80):
        radio.run(1, step=0.5)
        radio.agent._stand_ins.close()
    outcome = radio.outcome("e1")
    assert (outcome.step, outcome.detail) == (Step.SOUNDED, "spoken by the node")


def test_yagi_2024_who_was_never_heard_of_is_not_called_broken(tmp_path: Path) -> None:
    """Offline, silent and never heard of are three different words, on the page too."""
    town = Town(tmp_path)
    town.settle()
    client = town.client(town.app(), "quan-tri")
    town.wake("dong-dang-1", State.OFFLINE)
    town.wake("dong-dang-2")
    town.now += timedelta(minutes=6)
    conditions = [town.store.health.condition(f"dong-dang-{number}") or Condition("") for number in (1, 2, 3)]
    states = [state_of(each, town.now) for each in conditions]
    assert states == ["offline", "silent", "never"]
    words = [say(f"web.state_{state}", "vi") for state in states]
    assert len(set(words)) == 3
    listed = client.get("/cum-loa").text
    assert [word for word in words if word not in listed] == []
    town.store.close()


def test_a_resident_beside_a_horn_hears_the_night_s_volume(radio: Radio) -> None:
    """20:30 in Việt Nam, eighteen decibels below the day; the alarm is as loud as ever."""
    bands = (VolumeBand("06:00", 0.0), VolumeBand("20:00", -18.0))
    radio.hand.moment = datetime(2026, 11, 24, 13, 30, tzinfo=UTC)
    now = radio.hand.moment
    loud: dict[str, float] = {}
    prime = radio.player.prime
    radio.player.prime = lambda take: (loud.update({take.job_id: take.volume_dbfs}), prime(take))
    radio.configure(make_config(2, volumes=bands, quiet_hours=QuietHours("21:00", "05:00")))
    radio.plan(make_job("item", now + timedelta(seconds=1)))
    radio.start()
    radio.run(15, step=1)
    radio.urgent(make_emergency("alarm", radio.hand.now()))
    radio.run(15, step=1)
    assert loud == {"item": -18.0, "alarm": 0.0}


def test_two_horns_begin_on_the_same_second_as_their_offsets_say(tmp_path: Path) -> None:
    """Each starts as its config says, and tells how far from the plan it was: what is heard together is measured."""
    heard = []
    for offset_ms in (0, 340):
        folder = tmp_path / str(offset_ms)
        folder.mkdir()
        radio = Radio(folder)
        radio.configure(make_config(2, offset_ms=offset_ms))
        radio.plan(make_job("b1", after(5)))
        radio.start()
        radio.run(20)
        measured = radio.outcome("b1").measured
        assert measured
        heard.append((measured.started_at - after(5)) / timedelta(milliseconds=1))
    assert heard == [0, 340]


def test_an_urgent_word_goes_out_before_all_others(tmp_path: Path) -> None:
    """At the station too an alert never queues behind bulk."""
    store = Store(f"sqlite:///{tmp_path}/loa.db")
    store.migrate()
    radio = furnished(store, tmp_path)
    for number in range(1, 40):
        made.on_the_air(store, number, start=NOW + timedelta(minutes=number))
    made.on_the_air(store, 99, bulletin_class=BulletinClass.EMERGENCY, late=Late.UNTIL_EXPIRY)
    radio.link.published.clear()
    radio.station.plan(NOW)
    assert radio.link.published[0] == topics.URGENT.topic(area=made.COMMUNE)
    online(radio, radio.gate("loa-1"), "loa-1", NOW)
    store.close()
