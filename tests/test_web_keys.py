"""The page of keys, the warnings on every page, and a wide emergency that a second person approves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from browser import CHROMIUM, DESKTOP, PHONE, chromium, overflow, place, small_targets, violations
from makers_web import NOON, PASSWORD, Town, form_key, hashed_password, settled_town

from controller import keyring, keys
from controller.cosigning import Cosigning, NotAgreed
from controller.keyring import COSIGNERS, Keyring
from controller.rights import Role
from controller.store.rows import AnnouncementState
from controller.worries import of_keys as worries
from schedules.booking import Booking
from wire.plan import BulletinClass, Level
from wire.seal import Signer
from wire.trust import Cosigner, Grant, Trust

DAY = timedelta(days=1)
KEY = Signer(b"w" * 32)
WORDS = "mười hai con giáp"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        ring = Keyring(made.settings.keys_dir)
        keys.establish(ring, made.store, ("*",), NOON)
        made.desk.second = Cosigning(made.store, ring)
        yield made


def second(town: Town, name: str, until: timedelta = 700 * DAY, key: Signer = KEY) -> None:
    """``name`` holds a second key."""
    ring = Keyring(town.settings.keys_dir)
    entry = Cosigner(key.public.hex, name, ("*",), NOON - DAY, NOON + until)
    keys.settle(ring, town.store, keys.with_cosigner(town.store, entry, 2, NOON), NOON)
    Keyring(ring.folder / COSIGNERS).keep(f"{name}-{key.public.id}", key, WORDS)


def test_an_administrator_sees_what_is_granted_and_what_to_do(town: Town) -> None:
    second(town, "chu-tich")
    client = town.client(town.app(), "quan-tri")
    page = client.get("/khoa").text
    own = keyring.Keyring(town.settings.keys_dir).station().public
    for part in (own.id, KEY.public.id, "chu-tich", "loa key change --stolen", "loa key revoke", "loa key roots"):
        assert part in page
    assert own.hex not in page
    roots = Keyring(town.settings.keys_dir).roots()
    assert roots
    assert roots.hexes[0] in page
    assert "/khoa" in client.get("/").text
    assert "hết hạn" not in client.get("/").text


def test_an_end_within_a_month_is_told_on_every_page_to_administrators(town: Town) -> None:
    app = town.app()
    town.now = NOON + keys.TRUST_VALIDITY - 29 * DAY
    for path in ("/", "/khoa", "/cum-loa"):
        page = town.client(app, "quan-tri").get(path).text
        assert "hết hạn sau 29 ngày" in page
        assert "loa key init" in page
    assert "hết hạn" not in town.client(app, "chu-tich").get("/").text


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, []),
        ({"valid_until": NOON + 29 * DAY}, [("trust_ends", "warn")]),
        ({"valid_until": NOON - DAY}, [("trust_ends", "bad")]),
        ({"grants": 10}, [("grant_ends", "warn")]),
        ({"grants": -1}, [("grant_ends", "bad")]),
        ({"second": 10}, [("cosigner_ends", "warn")]),
        ({"second": -1}, [("no_cosigner", "bad"), ("cosigner_ends", "warn")]),
    ],
)
def test_what_ends_soon_is_a_worry(changed: dict[str, object], found: list[tuple[str, str]]) -> None:
    def until(name: str) -> object:
        return NOON + int(str(changed.get(name, 400))) * DAY

    grants = tuple(
        Grant("ab" * 32, ("*",), BulletinClass.EMERGENCY, NOON, each)  # type: ignore[arg-type]
        for each in (until("grants"), NOON - 5 * DAY)  # an old key that is over beside the one that counts
    )
    other = Cosigner("cd" * 32, "hoa", ("*",), NOON, until("second"))  # type: ignore[arg-type]
    valid = changed.get("valid_until", NOON + 400 * DAY)
    trust = Trust(1, NOON, valid, grants, (other,), 2)  # type: ignore[arg-type]
    assert sorted((each.name, each.grade) for each in worries(trust, NOON)) == sorted(found)


def test_a_second_person_who_left_is_a_worry_and_counts_as_none() -> None:
    ends = NOON + 400 * DAY
    grant = Grant("ab" * 32, ("*",), BulletinClass.EMERGENCY, NOON, ends)
    hoa, mai = (Cosigner(2 * each, name, ("*",), NOON, ends) for each, name in (("cd" * 16, "hoa"), ("ef" * 16, "mai")))
    found = worries(Trust(1, NOON, ends, (grant,), (hoa, mai), 2), NOON, frozenset(["mai"]))
    assert [(each.name, each.facts["public"]) for each in found] == [("cosigner_left", hoa.public_key)]
    alone = [each.name for each in worries(Trust(1, NOON, ends, (grant,), (hoa,), 2), NOON, frozenset(["mai"]))]
    assert alone == ["cosigner_left", "no_cosigner"]


def test_a_wide_emergency_asks_the_second_person_for_their_passphrase(town: Town) -> None:
    town.person("so-van-hoa", Role.APPROVER, "lang-son", "Chu Thị Ngọc")
    town.person("pho-so", Role.APPROVER, "lang-son", "Lương Văn Tài")
    second(town, "pho-so")
    found = town.store.people.by_name("pho-so")
    assert found
    other_id = found.id
    app = town.app()
    author, other = town.client(app, "so-van-hoa"), town.client(app, "pho-so")
    wanted = {"bulletin_class": BulletinClass.EMERGENCY, "level": Level.PROVINCE}
    user = town.store.people.by_name("so-van-hoa")
    assert user
    from controller.desk import Wish

    name = town.desk.announce(Wish("Lũ quét.", ("lang-son",), **wanted), user, town.now).announcement_id  # type: ignore[arg-type]
    held = town.store.announcements.get(name)
    assert held
    town.store.announcements.set_spoken(name, held.script_hash, "Lũ quét.", ())
    assert "pho-so" in author.get("/duyet").text
    assert 'type="password"' not in author.get("/duyet").text
    assert 'type="password"' in other.get("/duyet").text
    town.desk.dismiss("pho-so", town.boss, town.now)  # the key stands in the trust document, its holder has left
    assert "pho-so" not in author.get("/duyet").text
    town.desk.readmit("pho-so", town.boss, town.now)
    town.store.people.set_password(other_id, hashed_password())
    second(town, "pho-so", key=Signer(b"n" * 32))  # the one before is out of force
    other = town.client(app, "pho-so")
    path = f"/duyet/{name}/dong-y"
    shown = re.search(r'name="seen" value="(\d+)"', other.get("/duyet").text)
    assert shown
    seen = {"seen": shown[1]}
    for words, said in (("", "mật khẩu"), ("not the words", "không đúng")):
        answer = other.post(path, data=seen | {"csrf_token": form_key(other), "passphrase": words})
        assert answer.status_code == 422
        assert said in answer.text
    assert author.post(path, data=seen | {"csrf_token": form_key(author), "passphrase": WORDS}).status_code == 422
    town.now += timedelta(minutes=11)
    asked = other.post(
        path, data=seen | {"csrf_token": form_key(other), "passphrase": WORDS, "proof": "not the password"}
    )
    assert asked.status_code == 422
    assert WORDS not in asked.text  # the page that asks who this is holds no secret: it is typed again
    assert '<input id="again-passphrase" name="passphrase" type="password"' in asked.text
    answer = other.post(path, data=seen | {"csrf_token": form_key(other), "passphrase": WORDS, "proof": PASSWORD})
    assert answer.status_code == 303
    done = town.store.announcements.get(name)
    assert done
    assert done.state is AnnouncementState.APPROVED
    (booking,) = town.store.bookings.of(name)
    assert booking.cosigned
    assert booking.cosigned.areas == ("lang-son",)


def test_who_leaves_agrees_to_nothing_from_that_act_on_and_the_roots_are_asked(town: Town) -> None:
    town.person("pho-so", Role.EMERGENCY, "lang-son", "Lương Văn Tài")
    second(town, "pho-so")
    ring, signs = Keyring(town.settings.keys_dir), town.desk.second
    assert signs
    assert signs.holders(("lang-son",), town.now) == ("pho-so",)
    town.desk.dismiss("pho-so", town.boss, town.now)
    assert signs.holders(("lang-son",), town.now) == ()
    done = [(each.what, each.subject) for each in town.store.acts.recent(2)]
    assert done == [("dismissed", "pho-so"), ("put a second key out of force", "pho-so")]
    town.desk.readmit("pho-so", town.boss, town.now)  # who returns gets another key
    assert signs.holders(("lang-son",), town.now) == ()
    booking = Booking("b1", "Lũ", ("lang-son",), (town.now,), None, BulletinClass.EMERGENCY, spoken="Lũ quét.")
    with pytest.raises(NotAgreed, match="no second key"):
        signs.agree(booking, "pho-so", WORDS, town.now)
    page = town.client(town.app(), "quan-tri").get("/khoa").text
    assert "loa key left --root" in page
    assert KEY.public.id in page
    draft = keys.without_left(town.store, town.now)
    assert draft
    trust = keys.settle(ring, town.store, draft, town.now)
    assert trust.cosigners == ()
    assert trust.cosign_below == 2
    assert keys.without_left(town.store, town.now) is None
    assert "loa key left --root" not in town.client(town.app(), "quan-tri").get("/khoa").text


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="apt-get install chromium")
@pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_page_of_keys_and_its_warnings_are_accessible_and_fit(screen: dict[str, int]) -> None:
    with chromium() as chrome, place(chrome) as here:
        keys.establish(Keyring(here.town.settings.keys_dir), here.town.store, ("*",), NOON - keys.TRUST_VALIDITY)
        second(here.town, "chu-tich", 20 * DAY)
        here.town.now = NOON + keys.TRUST_VALIDITY - 5 * DAY
        page = here.visitor("quan-tri", screen)
        for path in ("/khoa", "/"):
            page.goto(here.address + path)
            assert page.locator(".note:visible").first.is_visible()
            assert [*violations(page), *small_targets(page)] == []
            assert overflow(page) == 0
        assert here.troubles == []
