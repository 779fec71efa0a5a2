"""Codes on a phone, recovery codes and the fresh proof, at the desk; on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from makers_factors import NOW, STATION, again, make_desk, person, set_up_codes, set_up_passkey, signed_in

from controller.desk import Critical, Desk, DeskError, Entry, Halfway, NotFresh, SecondFactor, SignedIn, codes, fresh
from controller.rights import Role
from controller.store import Store
from controller.store.factor_tables import asked, code_apps, passkeys, recovery_codes
from controller.vault import Lockbox, VaultError

STEP = timedelta(seconds=30)
LATER = timedelta(minutes=11)
GOOD = "một câu dễ nhớ"


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return make_desk(store, tmp_path)


@pytest.fixture
def mai(store: Store, desk: Desk) -> SignedIn:
    return signed_in(desk, store, person(store))


def refused(call: Callable[..., object], *given: Any) -> str:
    with pytest.raises(DeskError) as wrong:
        call(*given)
    return wrong.value.key.removeprefix("desk.")


def acts(store: Store) -> list[str]:
    return [act.what for act in store.acts.recent()]


def test_codes_count_once_they_are_confirmed(store: Store, desk: Desk, mai: SignedIn) -> None:
    app = desk.begin_code(mai, STATION, NOW)
    assert app.secret not in repr(app)
    assert "issuer=" in app.address
    assert not store.factors.held(mai.id).any
    assert refused(desk.confirm_code, mai, "000000", NOW) == "wrong_proof"
    _, recovery = set_up_codes(desk, mai)
    assert len(set(recovery)) == 10
    assert store.factors.held(mai.id).recovery == 10
    assert refused(desk.begin_code, mai, STATION, NOW) == "code_there"
    assert {"set up codes", "made recovery codes", "proved who they are"} <= set(acts(store))


def test_a_code_is_accepted_once_and_half_a_minute_off(store: Store, desk: Desk, mai: SignedIn) -> None:
    app, _ = set_up_codes(desk, mai)
    who = again(desk, store, mai)
    assert refused(desk.prove, who, app.at(NOW), NOW) == "wrong_proof"  # it confirmed the app already
    desk.prove(who, app.at(NOW + STEP), NOW)  # a phone that is ahead
    assert refused(desk.prove, who, app.at(NOW + STEP), NOW + STEP) == "wrong_proof"
    assert refused(desk.prove, who, app.at(NOW), NOW + STEP) == "wrong_proof"  # nor an older one
    desk.prove(who, " " + app.at(NOW + 2 * STEP)[:3] + " " + app.at(NOW + 2 * STEP)[3:], NOW + 3 * STEP)
    assert refused(desk.prove, who, app.at(NOW + 3 * STEP), NOW + 6 * STEP) == "wrong_proof"
    assert refused(desk.prove, who, app.at(NOW + 9 * STEP), NOW + 6 * STEP) == "wrong_proof"


def test_a_recovery_code_stands_in_once_and_of_its_own_person(store: Store, desk: Desk, mai: SignedIn) -> None:
    _, recovery = set_up_codes(desk, mai)
    who = again(desk, store, mai)
    desk.prove(who, recovery[0].upper().replace("-", " "), NOW)
    assert refused(desk.prove, who, recovery[0], NOW) == "wrong_proof"
    binh = signed_in(desk, store, person(store, "binh"))
    set_up_codes(desk, binh)
    assert refused(desk.prove, again(desk, store, binh), recovery[1], NOW) == "wrong_proof"
    newer = desk.new_recovery(who, NOW)
    assert refused(desk.prove, who, recovery[1], NOW) == "wrong_proof"
    desk.prove(who, newer[0], NOW)
    assert acts(store).count("used a recovery code") == 2


def test_whoever_has_a_factor_is_halfway_in_by_password_and_by_invitation(
    store: Store, desk: Desk, mai: SignedIn
) -> None:
    boss = person(store, "boss", Role.ADMINISTRATOR)
    entry = desk.accept(desk.invite(mai.id, boss, NOW), GOOD, NOW)
    assert isinstance(entry, Entry)
    who = desk.signed_in(entry.token, NOW)
    assert who
    app, _ = set_up_codes(desk, who)
    for half in (desk.sign_in("mai", GOOD, NOW), desk.accept(desk.invite(mai.id, boss, NOW), GOOD, NOW)):
        assert isinstance(half, Halfway)
        assert half.token not in repr(half)
        assert desk.signed_in(half.token, NOW) is None
        assert refused(desk.finish, half.token, "000000", NOW) == "wrong_proof"
    assert refused(desk.finish, "another", app.at(NOW + STEP), NOW + STEP) == "wrong_proof"
    late = NOW + timedelta(minutes=6)
    assert refused(desk.finish, half.token, app.at(late), late) == "wrong_proof"
    finished = desk.finish(half.token, app.at(NOW + STEP), NOW + STEP)
    found = desk.signed_in(finished.token, NOW + STEP)
    assert found
    assert found.is_fresh(NOW + STEP)
    later = NOW + 3 * STEP
    assert refused(desk.finish, half.token, app.at(later), later) == "wrong_proof"  # the step was finished


def test_a_person_who_left_does_not_finish_the_second_step(store: Store, desk: Desk, mai: SignedIn) -> None:
    boss = person(store, "boss", Role.ADMINISTRATOR)
    desk.accept(desk.invite(mai.id, boss, NOW), GOOD, NOW)
    who = signed_in(desk, store, mai)
    app, _ = set_up_codes(desk, who)
    half = desk.sign_in("mai", GOOD, NOW)
    desk.dismiss("mai", boss, NOW)
    assert refused(desk.finish, half.token, app.at(NOW + STEP), NOW + STEP) == "wrong_proof"


def test_a_proof_is_fresh_for_ten_minutes_and_a_command_line_needs_none(store: Store, desk: Desk) -> None:
    user = person(store, "boss", Role.ADMINISTRATOR)
    who = signed_in(desk, store, user)
    for what in Critical:
        fresh.need(who, what, NOW + timedelta(minutes=9))
        fresh.need(user, what, NOW + 100 * LATER)
        for moment in (NOW + timedelta(minutes=10), NOW - timedelta(minutes=2)):
            with pytest.raises(NotFresh) as wrong:
                fresh.need(who, what, moment)
            assert (wrong.value.what, wrong.value.lacking) == (what, False)
    with pytest.raises(NotFresh):
        fresh.need(signed_in(desk, store, user, NOW, proven=False), Critical.LIVE, NOW)


def test_a_policy_demands_a_second_factor_for_what_is_critical(store: Store, tmp_path: Path) -> None:
    desk = make_desk(store, tmp_path, SecondFactor.CRITICAL)
    who = signed_in(desk, store, person(store))
    with pytest.raises(NotFresh) as wrong:
        fresh.need(who, Critical.EMERGENCY, NOW)
    assert wrong.value.lacking
    set_up_codes(desk, who)  # that is never what it is refused for
    fresh.need(again(desk, store, who), Critical.EMERGENCY, NOW)


def test_a_factor_wants_a_fresh_proof_and_goes_with_its_recovery_codes(store: Store, desk: Desk, mai: SignedIn) -> None:
    set_up_codes(desk, mai)
    set_up_passkey(desk, again(desk, store, mai))
    (held,) = store.factors.passkeys(mai.id)
    stale = again(desk, store, mai)
    later = NOW + LATER
    for call in (
        lambda: desk.begin_code(stale, STATION, later),
        lambda: desk.confirm_code(stale, "000000", later),
        lambda: desk.drop_code(stale, later),
        lambda: desk.drop_passkey(stale, held.id, later),
        lambda: desk.new_recovery(stale, later),
    ):
        with pytest.raises(NotFresh):
            call()
    assert desk.drop_code(stale, NOW)
    assert not desk.drop_code(stale, NOW)
    assert store.factors.held(mai.id).recovery == 10
    binh = signed_in(desk, store, person(store, "binh"))
    assert not desk.drop_passkey(binh, held.id, NOW)
    assert desk.drop_passkey(stale, held.id, NOW)
    assert store.factors.held(mai.id).recovery == 0
    assert refused(desk.new_recovery, again(desk, store, mai), NOW) == "no_factor"
    assert {"removed codes", "removed a passkey", "added a passkey"} <= set(acts(store))


def test_the_first_factor_ends_other_sessions(store: Store, desk: Desk, mai: SignedIn) -> None:
    other = signed_in(desk, store, mai, NOW + STEP)
    set_up_codes(desk, mai)
    assert store.people.visit(other.session, NOW) is None
    assert store.people.visit(mai.session, NOW) is not None


def test_an_administrator_resets_what_was_lost_and_every_session_ends(store: Store, desk: Desk, mai: SignedIn) -> None:
    boss = person(store, "boss", Role.ADMINISTRATOR)
    set_up_codes(desk, mai)
    set_up_passkey(desk, again(desk, store, mai))
    with pytest.raises(NotFresh):
        desk.forget_factors("mai", signed_in(desk, store, boss, proven=False), NOW)
    assert refused(desk.forget_factors, "mai", mai, NOW) == "not_allowed"
    assert refused(desk.forget_factors, "nobody", boss, NOW) == "unknown_user"
    desk.forget_factors("mai", boss, NOW)
    assert not store.factors.held(mai.id).any
    assert store.factors.held(mai.id).recovery == 0
    assert store.people.visit(mai.session, NOW) is None
    assert acts(store)[0] == "forgot second factors"


def test_a_stolen_database_gives_no_second_factor(store: Store, desk: Desk, mai: SignedIn, tmp_path: Path) -> None:
    app, recovery = set_up_codes(desk, mai)
    with store.database.reading() as connection:
        tables = (code_apps, recovery_codes, passkeys, asked)
        told = str([connection.execute(sa.select(table)).all() for table in tables])
    assert app.secret not in told
    assert not [code for code in recovery if code in told or codes.plain_recovery(code) in told]
    stolen = make_desk(store, tmp_path / "elsewhere")  # the database without its key
    assert refused(stolen.prove, again(desk, store, mai), app.at(NOW + STEP), NOW + STEP) == "wrong_proof"
    assert refused(stolen.prove, again(desk, store, mai), recovery[0], NOW) == "wrong_proof"


def test_a_lockbox_opens_for_its_owner_and_its_key_alone(tmp_path: Path) -> None:
    box = Lockbox(tmp_path)
    locked = box.lock("SECRET", "u-1")
    assert Lockbox(tmp_path).open(locked, "u-1") == "SECRET"
    assert oct((tmp_path / "factors.key").stat().st_mode)[-3:] == "600"
    assert box.mark("a", "u-1") != box.mark("a", "u-2") != box.mark("b", "u-2")
    other = Lockbox(tmp_path / "other")
    for key, call in (
        ("vault.locked", lambda: box.open(locked, "u-2")),
        ("vault.locked", lambda: other.open(locked, "u-1")),
        ("vault.locked", lambda: box.open(locked[:-8], "u-1")),
        ("vault.locked", lambda: box.open("không phải base64", "u-1")),
        ("vault.locked", lambda: box.open("", "u-1")),
    ):
        with pytest.raises(VaultError) as wrong:
            call()
        assert wrong.value.key == key
    for broken in (b"", b"\xff\x00", b"AGE-SECRET-KEY-1QQQ", b"x" * 5000):
        (tmp_path / "factors.key").write_bytes(broken)
        with pytest.raises(VaultError, match=r"factors\.key"):
            box.lock("SECRET", "u-1")


@given(typed=st.text(max_size=300))
def test_whatever_is_typed_is_a_code_or_none(typed: str) -> None:
    step = codes.step_of("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", typed, NOW)
    assert step is None or typed.strip()
    assert len(codes.plain_recovery(typed)) <= 60
