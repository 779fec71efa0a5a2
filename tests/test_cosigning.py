"""Two people for a wide emergency: from the second one's passphrase at the desk to what a node obeys."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import makers_store as made
import pytest
from makers_station import Radio, furnished

from controller import cosigning, keys, locked
from controller.cosigning import Cosigning
from controller.desk import Desk, Wish
from controller.keyring import COSIGNERS, Keyring
from controller.rights import Role
from controller.roster import Area, AreaKind
from controller.store import Store
from controller.store.rows import Act, AnnouncementState
from wire.errors import Reason, Refusal
from wire.plan import BulletinClass
from wire.seal import Signer
from wire.trust import Cosigner

NOW = made.NOW
SECOND = timedelta(seconds=1)
HOA, QUAN, LAN = made.user("hoa", Role.APPROVER), made.user("quan", Role.ADMINISTRATOR), made.user()
WORDS = "con đường nhỏ bên suối"
KEY = Signer(b"q" * 32)


@pytest.fixture
def radio(store: Store, tmp_path: Path) -> Radio:
    """A station whose administrator, quan, holds the second key."""
    radio = furnished(store, tmp_path)
    ring = Keyring(tmp_path / "keys")
    entry = Cosigner(KEY.public.hex, "quan", ("*",), NOW - timedelta(days=1), NOW + timedelta(days=700))
    keys.settle(ring, store, keys.with_cosigner(store, entry, 2, NOW), NOW)
    Keyring(ring.folder / COSIGNERS).keep(f"quan-{KEY.public.id}", KEY, WORDS)
    return radio


@pytest.fixture
def desk(radio: Radio) -> Desk:
    desk = Desk(radio.store, radio.settings.zone, lambda: None)
    desk.second = Cosigning(radio.store, Keyring(radio.settings.keys_dir))
    return desk


def alarm(desk: Desk, area: str = made.PROVINCE, who: object = HOA) -> str:
    wish = Wish("Lũ quét đang về.", (area,), bulletin_class=BulletinClass.EMERGENCY)
    return desk.announce(wish, who, NOW).announcement_id  # type: ignore[arg-type]


def aired(radio: Radio, at: int = 2) -> dict[str, bool]:
    """What a node would sound: job -> whether it has its audio."""
    radio.station.plan(NOW + at * SECOND)
    return {name: job.asset is not None for name, job in radio.jobs(now=NOW + at * SECOND).items()}


def test_an_emergency_for_the_province_sounds_when_a_second_person_agrees(radio: Radio, desk: Desk) -> None:
    name = alarm(desk)  # an approver's own, and yet it waits
    held = radio.store.announcements.get(name)
    assert held
    assert held.state is AnnouncementState.SUBMITTED
    radio.station.voice_emergencies(NOW + SECOND)
    assert aired(radio) == {}
    desk.approve(name, QUAN, NOW + 2 * SECOND, WORDS)
    (booking,) = radio.store.bookings.of(name)
    assert booking.start == NOW + 2 * SECOND
    assert aired(radio, 3) == {booking.id: True}
    gate = radio.gate(now=NOW + 3 * SECOND)
    assert not [each for each in gate.plans() if any(job.cosigned is None for job in each.jobs)]


def test_one_person_is_enough_for_a_commune(radio: Radio, desk: Desk) -> None:
    name = alarm(desk, made.COMMUNE)
    held = radio.store.announcements.get(name)
    assert held
    assert held.state is AnnouncementState.APPROVED
    radio.station.voice_emergencies(NOW + SECOND)
    (booking,) = radio.store.bookings.of(name)
    assert aired(radio) == {booking.id: True}


def test_a_group_over_several_communes_needs_two_whatever_it_is_called(radio: Radio, desk: Desk) -> None:
    group = f"{made.COMMUNE}:loa-chinh"
    for area in (Area(f"{made.PROVINCE}:xa-khac", "Xã khác", AreaKind.COMMUNE), Area(group, "Loa", AreaKind.GROUP)):
        radio.store.roster.add_area(area)
    node = radio.store.roster.nodes()[0]
    for name, home in (("g-1", made.COMMUNE), ("g-2", f"{made.PROVINCE}:xa-khac")):
        other = replace(node, id=name, home=home, groups=(group,), public_key=Signer.generate().public.hex)
        radio.store.roster.add_node(other)
        asked = desk.second.wide((group,), BulletinClass.EMERGENCY)  # type: ignore[union-attr]
        assert asked == (() if home == made.COMMUNE else (group,))


def test_several_communes_in_one_act_are_wide_and_hamlets_of_one_are_not(radio: Radio, desk: Desk) -> None:
    both = (made.COMMUNE, made.OTHER_COMMUNE)
    assert desk.second
    assert desk.second.wide(both, BulletinClass.EMERGENCY) == both
    assert desk.second.wide((made.COMMUNE, made.HAMLET), BulletinClass.EMERGENCY) == ()
    wish = Wish("Lũ quét đang về.", both, bulletin_class=BulletinClass.EMERGENCY)
    name = desk.announce(wish, HOA, NOW).announcement_id
    held = radio.store.announcements.get(name)
    assert held
    assert held.state is AnnouncementState.SUBMITTED
    radio.station.voice_emergencies(NOW + SECOND)
    assert aired(radio) == {}
    desk.approve(name, QUAN, NOW + 2 * SECOND, WORDS)
    (booking,) = radio.store.bookings.of(name)
    assert aired(radio, 3) == {booking.id: True}


def test_what_was_approved_by_one_before_two_were_needed_is_held_back_and_said(store: Store, tmp_path: Path) -> None:
    radio = furnished(store, tmp_path)
    desk = Desk(radio.store, radio.settings.zone, lambda: None)
    name = alarm(desk)
    (booking,) = store.bookings.of(name)
    radio.station.voice_emergencies(NOW + SECOND)
    ring = Keyring(tmp_path / "keys")
    entry = Cosigner(KEY.public.hex, "quan", ("*",), NOW - timedelta(days=1), NOW + timedelta(days=700))
    keys.settle(ring, store, keys.with_cosigner(store, entry, 2, NOW), NOW)
    assert aired(radio) == {}
    [row] = store.held.of(booking.id)
    assert (row.area, row.reason) == (made.PROVINCE, "not_cosigned")
    assert [act.detail for act in store.acts.about(booking.id) if act.what == "held back"] == [
        f"job={booking.id} area={made.PROVINCE} reason=not_cosigned"
    ]


def test_who_may_not_be_the_second(radio: Radio, desk: Desk) -> None:
    name, own = alarm(desk), alarm(desk, who=QUAN)
    radio.station.voice_emergencies(NOW + SECOND)
    assert made.refused(desk.approve, name, QUAN, NOW) == "second_needed"
    assert made.refused(desk.approve, name, HOA, NOW, WORDS) == "own_wide"
    assert made.refused(desk.approve, own, QUAN, NOW, WORDS) == "own_wide"
    assert made.refused(desk.approve, own, HOA, NOW, WORDS) == "keys.no_cosigner"
    assert made.refused(desk.approve, name, LAN, NOW, WORDS) == "not_allowed"
    assert aired(radio) == {}


def test_guesses_are_counted(radio: Radio, desk: Desk) -> None:
    name = alarm(desk)
    radio.station.voice_emergencies(NOW + SECOND)
    for _ in range(cosigning.MOST_TRIES):
        assert made.refused(desk.approve, name, QUAN, NOW, "not the words") == "keys.second_wrong"
    assert made.refused(desk.approve, name, QUAN, NOW, WORDS) == "keys.second_closed"
    desk.approve(name, QUAN, NOW + cosigning.WINDOW, WORDS)


def test_a_station_whose_disk_is_stolen_cannot_agree_for_them(radio: Radio, desk: Desk) -> None:
    name = alarm(desk)
    radio.station.voice_emergencies(NOW + SECOND)
    kept = b"".join(path.read_bytes() for path in radio.settings.keys_dir.rglob("*.key"))
    assert KEY.secret not in kept
    assert KEY.secret.hex().encode() not in kept
    desk.second = None  # a thief's own desk asks for nobody
    desk.approve(name, QUAN, NOW + 2 * SECOND)
    assert aired(radio, 3) == {}  # his station leaves it out
    radio.station._cosigning.kept = lambda bookings, _: list(bookings)  # type: ignore[method-assign]
    desk.voice_again(name, QUAN, NOW)  # something to plan
    radio.station.plan(NOW + 70 * SECOND)
    gate = radio.gate(now=NOW + 70 * SECOND)
    assert gate.jobs(NOW + 70 * SECOND) == {}  # and nodes refuse it
    topic = "radio/v1/areas/lang-son/urgent"
    verdict = gate.admit(topic, radio.broker.retained[topic], NOW + 70 * SECOND)
    assert isinstance(verdict, Refusal)
    assert verdict.reason is Reason.NOT_COSIGNED


def test_words_that_were_agreed_to_are_spoken_by_nodes_when_their_sound_came_later(radio: Radio, desk: Desk) -> None:
    name = alarm(desk)
    held = radio.store.announcements.get(name)
    assert held
    assert made.refused(desk.approve, name, QUAN, NOW, WORDS) == "not_read_yet"
    radio.store.announcements.set_spoken(name, held.script_hash, "Lũ quét đang về.", ())
    desk.approve(name, QUAN, NOW + SECOND, WORDS)
    (booking,) = radio.store.bookings.of(name)
    assert aired(radio, 2) == {booking.id: False}
    radio.station.voice_emergencies(NOW + 3 * SECOND)
    assert aired(radio, 4) == {booking.id: False}  # nobody agreed to that sound


def test_a_revoked_second_person_is_one_no_more(radio: Radio, desk: Desk) -> None:
    name = alarm(desk)
    radio.station.voice_emergencies(NOW + SECOND)
    desk.approve(name, QUAN, NOW + 2 * SECOND, WORDS)
    assert len(aired(radio, 3)) == 1
    keys.revoke(Keyring(radio.settings.keys_dir), radio.store, KEY.public.hex, NOW + 4 * SECOND)
    assert aired(radio, 70) == {}
    other = alarm(desk)
    radio.station.voice_emergencies(NOW + 71 * SECOND)
    assert made.refused(desk.approve, other, QUAN, NOW + 72 * SECOND, WORDS) == "keys.no_cosigner"


def test_a_second_person_who_left_is_not_named_to_anybody(radio: Radio, desk: Desk) -> None:
    areas = (made.PROVINCE,)
    assert desk.second is not None
    assert desk.second.holders(areas, NOW) == ("quan",)
    other = made.user("mai", Role.ADMINISTRATOR)  # somebody must govern on
    radio.store.people.add(other)
    radio.store.people.set_disabled(QUAN.id, True, Act("mai", "left", "quan", "", NOW))
    assert desk.second.holders(areas, NOW) == ()


def test_opening_a_second_key_is_a_matter_of_tenths(radio: Radio) -> None:
    content = Keyring(radio.settings.keys_dir / COSIGNERS).path(f"quan-{KEY.public.id}").read_bytes()
    assert locked.read(content).scrypt_log_n == 16  # 64 MB; see docs/security.md for what it takes to guess
