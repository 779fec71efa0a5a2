"""Alarms as pure decisions: raised once, joined, held, cleared, covered; nothing lost, nothing twice, all clears."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.alarms import Rules, Seen, Sign, judge, state_of
from controller.alarms.counting import grown, lately
from controller.alarms.own import OwnFacts, of_doubles, of_refusals, of_station, once
from controller.alarms.signs import OfNode, Patience, most_out, newest, of_node, verdict_of
from controller.roster import Node
from controller.store.alarm_facts import Counted, Ended, Here
from controller.store.alarm_rows import AlarmRow, Known, MemberRow
from controller.store.doubles import DoubleRow
from controller.store.facts import RefusalCount
from controller.worries import Worry
from wire.health import Health, Vitals
from wire.receipt import Measured, Receipt, Step

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
HERE, THERE, TOP = "lang-son:dong-dang", "lang-son:tam-thanh", "lang-son"
HOLD = timedelta(minutes=2)
RULES = Rules(HOLD)
TICK = timedelta(seconds=30)
NODE = Node("loa-1", "Loa 1", f"{HERE}:thon-1", "0" * 64, NOW - timedelta(days=9))
CALM = Patience(timedelta(minutes=5), NOW - timedelta(days=1))


def sign(member: str = "loa-1", cause: str = "offline", place: str = HERE, since: datetime = NOW) -> Sign:
    return Sign(cause, place, member, since)


class Station:
    """Judges look after look, and keeps what the store would."""

    def __init__(self) -> None:
        self.now = NOW
        self.alarms: dict[str, AlarmRow] = {}
        self.members: dict[tuple[str, str], MemberRow] = {}
        self.told: Counter[str] = Counter()

    def look(self, *signs: Sign, after: timedelta = TICK, **how: object) -> list[AlarmRow]:
        """The open alarms after one more look, the oldest first."""
        self.now += after
        by_alarm: dict[str, list[MemberRow]] = {}
        lately = self.now - timedelta(hours=1)
        known = [each for each in self.alarms.values() if each.cleared_at is None or each.cleared_at >= lately]
        for (alarm, _), row in self.members.items():
            if any(each.id == alarm for each in known):
                by_alarm.setdefault(alarm, []).append(row)
        held = Known(tuple(known), {alarm: tuple(rows) for alarm, rows in by_alarm.items()})
        verdict = judge(Seen(tuple(signs), **how), held, self.now, RULES)  # type: ignore[arg-type]
        self.alarms |= {each.id: each for each in verdict.alarms}
        self.members |= {(each.alarm, each.member): each for each in verdict.members}
        self.told.update(each.what for each in verdict.events)
        return self.open()

    def open(self) -> list[AlarmRow]:
        return sorted((each for each in self.alarms.values() if each.cleared_at is None), key=lambda a: a.raised_at)

    def acknowledge(self, alarm: AlarmRow) -> None:
        self.alarms[alarm.id] = AlarmRow(**{**vars(alarm), "acknowledged_by": "lan", "acknowledged_at": self.now})


def many(names: Iterable[int], **more: str) -> list[Sign]:
    return [sign(f"loa-{number}", **more) for number in names]


def test_thirty_nodes_of_one_commune_are_one_alarm_and_two_communes_are_two() -> None:
    station = Station()
    (alarm,) = station.look(*many(range(30)))
    assert (alarm.cause, alarm.place, alarm.open_members, alarm.state) == ("offline", HERE, 30, "raised")
    assert len(station.look(*many(range(30)), *many(range(30, 40), place=THERE))) == 2
    assert station.told == {"raised": 2}


def test_who_falls_away_in_the_same_minutes_joins_and_who_falls_away_later_is_another_incident() -> None:
    station = Station()
    station.look(*many(range(5)))
    (alarm,) = station.look(*many(range(9)), after=timedelta(minutes=8))
    assert alarm.open_members == 9
    assert len(station.look(*many(range(9)), *many([20]), after=timedelta(minutes=11))) == 2
    assert station.told == {"raised": 2, "joined": 1}


def test_of_what_comes_in_no_incidents_an_acknowledged_alarm_takes_nobody_in_later() -> None:
    station = Station()
    (alarm,) = station.look(*many([1], cause="hot"))
    (same,) = station.look(*many([1, 2], cause="hot"), after=timedelta(hours=5))
    assert (same.id, same.open_members) == (alarm.id, 2)
    station.acknowledge(same)
    station.look(*many([1, 2], cause="hot"), after=timedelta(minutes=20))
    assert [each.state for each in station.look(*many([1, 2, 3], cause="hot"))] == ["acknowledged", "raised"]


def test_an_alarm_is_over_when_its_last_member_has_been_well_for_the_hold() -> None:
    station = Station()
    station.look(*many([1, 2]))
    station.look(*many([2]))
    assert [each.open_members for each in station.look(*many([2]), after=HOLD)] == [1]
    station.look()
    assert station.open()
    assert station.look(after=HOLD) == []
    assert station.told == {"raised": 1, "cleared": 1}


def test_a_node_that_flaps_is_one_alarm_and_must_be_well_longer_each_time() -> None:
    station = Station()
    for turn in range(100):
        station.look(*(many([1]) if turn % 2 == 0 else []), after=timedelta(minutes=3))
    assert len(station.alarms) == 1
    (alarm,) = station.alarms.values()
    assert 40 <= alarm.flaps <= 50
    assert station.told["raised"] == 1
    station.look()
    assert station.look(after=HOLD * 5)
    assert station.look(after=HOLD * 6) == []


def test_what_nobody_can_know_stays_as_it_was() -> None:
    station = Station()
    station.look(sign(), sign(cause="hot"), sign(cause="missed"))
    for _ in range(20):
        station.look(sign(cause="missed"), dark=True, away=frozenset({"loa-1"}))
    assert {each.cause for each in station.open()} == {"offline", "hot", "missed"}
    station.look()
    assert station.look(after=HOLD) == []


def test_without_a_broker_and_where_a_commune_is_out_the_children_are_covered() -> None:
    station = Station()
    station.look(
        *many(range(3)), *many([1], cause="missed"), *many([7], cause="missed", place=THERE), sign(cause="hot")
    )
    under = {(each.cause, each.place): each.under for each in station.open()}
    offline = next(each.id for each in station.open() if each.cause == "offline")
    assert under == {
        ("offline", HERE): None,
        ("missed", HERE): offline,
        ("missed", THERE): None,
        ("hot", HERE): offline,
    }
    station.look(*many(range(3)), sign("broker", "broker", TOP), dark=True)
    broker = next(each for each in station.open() if each.cause == "broker")
    assert next(each.under for each in station.open() if each.cause == "offline") == broker.id
    assert broker.under is None
    station.look(*many(range(3)))
    station.look(*many(range(3)), after=HOLD)
    assert [each.under for each in station.open() if each.cause == "offline"] == [None]


def test_where_most_are_gone_one_alarm_stands_for_all() -> None:
    signs = [*many(range(8)), *many(range(8, 16), place=THERE)]
    parent = list(most_out(signs, 20, TOP))
    assert {(each.place, each.member, each.facts["count"]) for each in parent} == {(TOP, HERE, 8), (TOP, THERE, 8)}
    assert not list(most_out(signs, 40, TOP))
    assert not list(most_out(many(range(30)), 30, TOP)), "one commune is its own alarm"
    station = Station()
    top = [each for each in station.look(*signs, *parent) if each.under is None]
    assert [each.cause for each in top] == ["most_out"]


# --- properties ----------------------------------------------------------------------------------------------


MEMBERS = st.frozensets(
    st.tuples(
        st.sampled_from(["offline", "hot", "missed", "broker"]), st.sampled_from([HERE, THERE]), st.integers(0, 4)
    )
)
LOOKS = st.lists(st.tuples(MEMBERS, st.integers(1, 60), st.booleans()), min_size=1, max_size=25)


@settings(max_examples=80, deadline=None)
@given(LOOKS)
def test_no_sign_is_lost_none_is_told_twice_and_every_alarm_clears(looks: list[tuple]) -> None:  # type: ignore[type-arg]
    station = Station()
    for found, minutes, acknowledged in looks:
        signs = [sign(f"loa-{number}", cause, place) for cause, place, number in found]
        opened = {each.id: each for each in station.look(*signs, after=timedelta(minutes=minutes))}
        rows = [row for row in station.members.values() if row.cleared_at is None]
        keys = Counter((opened[row.alarm].cause, opened[row.alarm].place, row.member) for row in rows)
        assert {each.key for each in signs} <= keys.keys(), "none is lost"
        assert not keys or max(keys.values()) == 1, "none is told twice"
        assert all(each.open_members == sum(row.alarm == each.id for row in rows) > 0 for each in opened.values())
        assert all(each.under is None or (each.under in opened and each.under != each.id) for each in opened.values())
        if acknowledged and opened:
            station.acknowledge(next(iter(opened.values())))
    station.look()
    assert station.look(after=HOLD * 10) == [], "what is no more, clears"
    assert all(row.cleared_at for row in station.members.values())


# --- signs ---------------------------------------------------------------------------------------------------


def causes(known: OfNode, now: datetime = NOW, patience: Patience = CALM) -> list[str]:
    return [each.cause for each in of_node(known, now, patience)]


def here(online: bool | None = True, ago: int = 60, heard: int | None = 0) -> Here:
    since = None if online is None else NOW - timedelta(minutes=ago)
    return Here("loa-1", online, since, None if heard is None else NOW - timedelta(minutes=heard))


def ended(step: Step, level: float | None = -20.0, reason: str = "", at: datetime = NOW) -> Ended:
    measured = Measured(at, at, 0.0, 1000, level, -3.0, "USB") if step is Step.SOUNDED else None
    return Ended("loa-1", Receipt(1, "b1", step, at, at, reason=reason, measured=measured), at)


def test_presence_is_told_after_its_grace_and_never_of_a_node_in_maintenance() -> None:
    assert causes(OfNode(NODE, HERE, here())) == []
    assert causes(OfNode(NODE, HERE, here(online=False, ago=4))) == []
    assert causes(OfNode(NODE, HERE, here(online=False, ago=5))) == ["offline"]
    assert causes(OfNode(NODE, HERE, here(heard=6))) == ["silent"]
    assert causes(OfNode(NODE, HERE, here(online=None, heard=None))) == ["never"]
    assert causes(OfNode(NODE, HERE, here(), unsteady=6)) == ["unsteady"]
    assert state_of(here(heard=6), NOW, NOW - timedelta(minutes=1)) == "online", "nobody listened until then"
    under_repair = Node("loa-1", "Loa 1", HERE, "0" * 64, NOW, maintenance=True)
    assert causes(OfNode(under_repair, HERE, here(online=False), last=ended(Step.MISSED))) == []
    assert causes(OfNode(NODE, HERE, here(online=False)), patience=Patience(CALM.grace, NOW, dark=True)) == []


def test_said_to_be_alive_but_not_sounding_is_told_until_it_sounds() -> None:
    assert verdict_of(ended(Step.SOUNDED)) == "sounded"
    assert verdict_of(ended(Step.SOUNDED, level=None)) == verdict_of(ended(Step.SOUNDED, level=-70.0)) == "mute"
    assert verdict_of(ended(Step.MISSED, reason="no_audio")) == "missed"
    assert verdict_of(ended(Step.REFUSED, reason="quiet_hours")) == verdict_of(ended(Step.WITHDRAWN)) == ""
    held: dict[str, Ended] = {}
    newest([ended(Step.MISSED), ended(Step.WITHDRAWN, at=NOW + TICK)], held)
    assert causes(OfNode(NODE, HERE, here(), last=held["loa-1"])) == ["missed"]
    assert causes(OfNode(NODE, HERE, here(), last=held["loa-1"]), NOW + timedelta(days=1)) == ["silent"]
    newest([ended(Step.SOUNDED, at=NOW + TICK), ended(Step.MISSED, at=NOW - TICK)], held)
    assert causes(OfNode(NODE, HERE, here(), last=held["loa-1"])) == []


def test_worries_lags_and_counters_become_signs() -> None:
    troubled = (Worry("hot"), Worry("modem_weak", "warn", facts={"percent": 3}))
    grew = {"bad_seal": 4, "late": 9}
    found = list(of_node(OfNode(NODE, HERE, here(), troubled, 2, grew), NOW, CALM))
    assert [(each.cause, each.facts) for each in found] == [
        ("hot", {}),
        ("behind", {"count": 2}),
        ("refused_bad_seal", {"count": 4}),
    ]


def test_a_counter_is_told_when_it_grows_and_begins_anew_with_a_start() -> None:
    watched = frozenset({"bad_seal"})

    def told(count: int, boot: str = "boot-1") -> Health:
        return Health("loa-1", NOW, boot, "1", Vitals(), refusals={"bad_seal": count, "late": 3})

    held = {("loa-1", "bad_seal"): Counted("loa-1", "bad_seal", "boot-1", 4, NOW - timedelta(hours=2))}
    assert list(grown(told(4), held, watched, NOW)) == []
    assert [each.count for each in grown(told(5), held, watched, NOW)] == [5]
    assert [each.count for each in grown(told(1, "boot-2"), held, watched, NOW)] == [1]
    assert lately(held, NOW - timedelta(hours=1)) == {}
    assert lately(held, NOW - timedelta(hours=3)) == {"loa-1": {"bad_seal": 4}}


def test_the_station_tells_of_itself_and_of_what_it_refused() -> None:
    lost = OwnFacts(
        NOW - timedelta(minutes=1),
        NOW - timedelta(hours=3),
        ("voice",),
        (("a1", "Họp thôn", NOW),),
        (Worry("trust_ends", facts={"days": 3}), Worry("no_trust")),
        {"broker": NOW},
    )
    found = list(of_station(lost, TOP, NOW))
    assert [each.cause for each in found] == ["broker", "station_stood", "station_late", "voice", "keys", "papers"]
    assert not list(of_station(OwnFacts(NOW), TOP, NOW)), "a link may be away for half a minute"
    places = {"loa-1": HERE}
    refused = [
        RefusalCount("bad_seal", "loa-1/receipts", 2, "x", NOW, NOW),
        RefusalCount("not_enrolled", "presence", 9, "x", NOW, NOW),
        RefusalCount("rolled_back", "loa-1/health", 1, "a late one", NOW, NOW),
        RefusalCount("late", "loa-1/plan", 1, "x", NOW, NOW),
    ]
    signs = list(of_refusals(refused, places, TOP))
    assert [(each.cause, each.place, each.member) for each in signs] == [
        ("refused_bad_seal", HERE, "loa-1"),
        ("refused_not_enrolled", TOP, "presence"),
    ]
    double = DoubleRow("loa-1", "b1", "b2", "", "", NOW, NOW)
    assert [each.cause for each in of_doubles([double, DoubleRow("gone", "", "", "", "", NOW, NOW)], places)] == [
        "cloned"
    ]
    assert once([signs[0], Sign(*signs[0].key, NOW - TICK)])[0].since == NOW - TICK
