"""Passkeys at the desk against honest and dishonest authenticators: what is refused is answered alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from makers_factors import NOW, again, make_desk, person, set_up_codes, set_up_passkey, signed_in
from makers_passkeys import PRESENT, SITE, VERIFIED, SoftKey, b64

from controller.desk import Desk, DeskError, NotFresh, Reply, SignedIn, Site, passkeys
from controller.desk.factors import MOST_PASSKEYS
from controller.rights import Role
from controller.store import Store
from controller.store.factors import MOST_ASKED, Asked

ELSEWHERE = Site("https://loa.example.evil.test", "Đài xã")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path}/store.db")
    made.migrate()
    yield made
    made.close()


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


def enters(desk: Desk, key: SoftKey, site: Site = SITE, **changed: Any) -> str:
    """Who comes in by that passkey."""
    token, options = desk.ask_passkey(SITE, None, "enter", NOW)
    return desk.enter_by_passkey(Reply(site, token, key.proves(options, **changed)), NOW).user.name


def test_a_passkey_lets_its_person_in_and_says_when_it_was_used(store: Store, desk: Desk, mai: SignedIn) -> None:
    key = set_up_passkey(desk, mai)
    assert enters(desk, key) == "mai"
    (held,) = store.factors.passkeys(mai.id)
    assert (held.name, held.uses, held.used_at) == ("Máy bàn", 1, NOW)
    key.uses = 40
    assert enters(desk, key) == "mai"


@pytest.mark.parametrize(
    "changed",
    [
        {"origin": ELSEWHERE.origin},
        {"origin": "http://loa.example"},
        {"origin": "https://loa.example:444"},
        {"rp_id": "evil.test"},
        {"kind": "webauthn.create"},
        {"challenge": b64(bytes(32))},
        {"handle": b"u-binh"},
    ],
)
def test_an_answer_for_something_else_proves_nothing(desk: Desk, mai: SignedIn, changed: dict[str, Any]) -> None:
    key = set_up_passkey(desk, mai)
    with pytest.raises(DeskError, match="proves nothing"):
        enters(desk, key, **changed)
    assert enters(desk, key) == "mai"


def test_whoever_was_not_verified_or_not_there_does_not_come_in(desk: Desk, mai: SignedIn) -> None:
    key = set_up_passkey(desk, mai)
    for flags in (PRESENT, VERIFIED, 0):
        key.flags = flags
        with pytest.raises(DeskError, match="proves nothing"):
            enters(desk, key)


def test_another_key_does_not_sign_for_this_one(desk: Desk, mai: SignedIn) -> None:
    key = set_up_passkey(desk, mai)
    with pytest.raises(DeskError, match="proves nothing"):
        enters(desk, SoftKey(id=key.id, user=key.user))
    with pytest.raises(DeskError, match="proves nothing"):
        enters(desk, SoftKey(user=key.user))


def test_an_answer_counts_once_in_its_time_and_for_what_was_asked(store: Store, desk: Desk, mai: SignedIn) -> None:
    key = set_up_passkey(desk, mai)
    token, options = desk.ask_passkey(SITE, None, "enter", NOW)
    reply = Reply(SITE, token, key.proves(options))
    who = again(desk, store, mai)
    assert refused(desk.prove_by_passkey, who, reply, NOW) == "wrong_proof"  # asked for another purpose
    assert desk.enter_by_passkey(reply, NOW)
    assert refused(desk.enter_by_passkey, reply, NOW) == "wrong_proof"
    token, options = desk.ask_passkey(SITE, None, "enter", NOW)
    wrong = Reply(SITE, token, key.proves(options, origin="https://evil.test"))
    assert refused(desk.enter_by_passkey, wrong, NOW) == "wrong_proof"
    assert refused(desk.enter_by_passkey, Reply(SITE, token, key.proves(options)), NOW) == "wrong_proof"  # used up
    token, options = desk.ask_passkey(SITE, None, "enter", NOW)
    late = NOW + timedelta(minutes=5)
    assert refused(desk.enter_by_passkey, Reply(SITE, token, key.proves(options)), late) == "wrong_proof"


def test_a_counter_that_went_back_is_refused_and_noted(store: Store, desk: Desk, mai: SignedIn) -> None:
    key = set_up_passkey(desk, mai)
    key.uses = 7
    assert enters(desk, key) == "mai"
    for copied in (7, 3, -1):  # as it was, before it, and never counted
        key.uses = copied
        with pytest.raises(DeskError, match="proves nothing"):
            enters(desk, key)
        assert ("refused a passkey gone back", "mai") in [(act.what, act.who) for act in store.acts.recent(2)]
    assert [each.uses for each in store.factors.passkeys(mai.id)] == [8]


def test_a_passkey_that_never_counts_is_taken_as_it_is(store: Store, desk: Desk, mai: SignedIn) -> None:
    key = set_up_passkey(desk, mai)
    for _ in range(2):
        key.uses = -1
        assert enters(desk, key) == "mai"


def test_one_person_s_passkey_is_no_second_step_and_no_step_up_of_another(
    store: Store, desk: Desk, mai: SignedIn
) -> None:
    mine = set_up_passkey(desk, mai)
    binh = signed_in(desk, store, person(store, "binh"))
    his = set_up_passkey(desk, binh)
    token, options = desk.ask_passkey(SITE, mai, "step_up", NOW)
    assert [each["id"] for each in json.loads(options)["allowCredentials"]] == [b64(mine.id)]
    assert refused(desk.prove_by_passkey, mai, Reply(SITE, token, his.proves(options)), NOW) == "wrong_proof"
    token, options = desk.ask_passkey(SITE, mai, "step_up", NOW)
    assert refused(desk.prove_by_passkey, binh, Reply(SITE, token, mine.proves(options)), NOW) == "wrong_proof"
    token, options = desk.ask_passkey(SITE, mai, "step_up", NOW)
    later = NOW + timedelta(minutes=4)
    desk.prove_by_passkey(mai, Reply(SITE, token, mine.proves(options)), later)
    assert again(desk, store, mai, later).proven_at == later


def test_a_passkey_is_registered_once_and_only_as_it_was_asked_for(store: Store, desk: Desk, mai: SignedIn) -> None:
    key = set_up_passkey(desk, mai)
    binh = signed_in(desk, store, person(store, "binh"))
    token, options = desk.begin_passkey(binh, SITE, NOW)
    assert refused(desk.add_passkey, mai, Reply(SITE, token, SoftKey().makes(options)), "a", NOW) == "passkey_refused"
    token, options = desk.begin_passkey(binh, SITE, NOW)
    stolen = SoftKey(id=key.id).makes(options)  # another person's credential id
    assert refused(desk.add_passkey, binh, Reply(SITE, token, stolen), "a", NOW) == "passkey_refused"
    for changed in ({"origin": ELSEWHERE.origin}, {"rp_id": "evil.test"}):
        token, options = desk.begin_passkey(binh, SITE, NOW)
        answer = SoftKey().makes(options, **changed)
        assert refused(desk.add_passkey, binh, Reply(SITE, token, answer), "a", NOW) == "passkey_refused"
    for name in ("", " ", "x" * 61, "a\x07b"):
        token, options = desk.begin_passkey(binh, SITE, NOW)
        assert refused(desk.add_passkey, binh, Reply(SITE, token, SoftKey().makes(options)), name, NOW) == "bad_name"
    assert store.factors.passkeys(binh.id) == []
    assert store.factors.passkey(b64(key.id)).user == mai.id  # type: ignore[union-attr]


def test_one_person_has_so_many_passkeys(store: Store, desk: Desk, mai: SignedIn) -> None:
    for _ in range(MOST_PASSKEYS):
        set_up_passkey(desk, again(desk, store, mai))
    assert refused(desk.begin_passkey, mai, SITE, NOW) == "too_many_passkeys"
    with pytest.raises(NotFresh):
        desk.begin_passkey(mai, SITE, NOW + timedelta(minutes=11))


def test_a_passkey_finishes_the_second_step(store: Store, desk: Desk, mai: SignedIn) -> None:
    boss = person(store, "boss", role=Role.ADMINISTRATOR)
    desk.accept(desk.invite(mai.id, boss, NOW), "một câu dễ nhớ", NOW)
    who = signed_in(desk, store, mai)
    key = set_up_passkey(desk, who)
    set_up_codes(desk, again(desk, store, who))
    half = desk.sign_in("mai", "một câu dễ nhớ", NOW)
    token, options = desk.ask_passkey(SITE, half.user, "second", NOW)
    entry = desk.finish_by_passkey(half.token, Reply(SITE, token, key.proves(options)), NOW)
    found = desk.signed_in(entry.token, NOW)
    assert found
    assert (found.name, found.has_code, found.has_passkey) == ("mai", True, True)


def test_what_is_asked_is_swept_and_never_too_much(store: Store) -> None:
    for number in range(3):
        store.factors.ask(Asked(f"h{number}", "enter", None, "", NOW + timedelta(minutes=number + 1)), NOW)
    later = NOW + timedelta(minutes=2)
    store.factors.ask(Asked("h9", "enter", None, "", NOW + timedelta(hours=1)), later)
    assert store.factors.asking("h0", "enter", NOW) is None
    assert store.factors.asking("h2", "enter", later)
    with store.database.writing() as connection:
        rows = [(f"x{n}", "enter", "", "2026-11-24 06:00:00") for n in range(MOST_ASKED)]
        connection.exec_driver_sql(
            "INSERT INTO asked (token_hash, purpose, challenge, expires_at) VALUES (?, ?, ?, ?)", rows
        )
    store.factors.ask(Asked("newest", "enter", None, "", NOW + timedelta(hours=2)), later)
    with store.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM asked").scalar() == MOST_ASKED
    assert store.factors.asking("newest", "enter", later)


@pytest.mark.parametrize(
    "public",
    [
        {},
        7,
        "khoá",
        {1: 2, 3: -7, -1: 1, -2: b"", -3: b""},
        {1: 2, 3: -7, -1: 1, -2: bytes(32), -3: bytes(32)},  # no point of the curve
        {1: 2, 3: -7, -1: 9, -2: bytes(32), -3: bytes(32)},
        {1: 3, 3: -257, -1: b"", -2: b""},
        {1: 3, 3: -257, -1: b"\x01", -2: b"\x01"},
        {1: 1, 3: -8, -1: 6, -2: b"short"},
        {1: 2, 3: -65535, -1: 1, -2: bytes(32), -3: bytes(32)},
    ],
)
def test_a_key_that_is_none_is_not_registered(desk: Desk, mai: SignedIn, public: object) -> None:
    token, options = desk.begin_passkey(mai, SITE, NOW)
    answer = SoftKey().makes(options, public=public)
    assert refused(desk.add_passkey, mai, Reply(SITE, token, answer), "a", NOW) == "passkey_refused"


KEY = SoftKey()
REGISTER = '{"user": {"id": "dS1tYWk"}, "rp": {"id": "loa.example"}, "challenge": "AAAA"}'
PROVE = '{"rpId": "loa.example", "challenge": "AAAA"}'
HELD = passkeys.Passkey("x", "u-mai", "x", b"\xa0", 0, NOW)
parts = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=40), st.binary(max_size=60).map(b64))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    raw=st.one_of(st.text(max_size=80), st.recursive(parts, lambda more: st.lists(more, max_size=3)).map(json.dumps)),
    field=st.sampled_from(["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]),
    value=parts,
    top=st.sampled_from(["id", "rawId", "type", "response", "clientExtensionResults"]),
)
def test_bytes_in_every_field_are_a_bad_answer(raw: str, field: str, value: object, top: str) -> None:
    made, proof = json.loads(KEY.makes(REGISTER)), json.loads(KEY.proves(PROVE))
    for honest in (made, proof):
        inner = honest | {"response": honest["response"] | {field: value}}
        outer = honest | {top: value}
        for hostile in (raw, json.dumps(inner), json.dumps(outer), "[" * 5000, "\ud800", "x" * 30_000):
            for call in (
                lambda answer: passkeys.registered(SITE, answer, b"wrong"),
                lambda answer: passkeys.proven(SITE, answer, b"wrong", HELD),
            ):
                with pytest.raises(passkeys.BadAnswer):
                    call(hostile)


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=200), client=st.binary(max_size=120))
def test_bytes_behind_a_right_challenge_are_a_bad_answer(data: bytes, client: bytes) -> None:
    made = json.loads(KEY.makes(REGISTER))
    for part, value in (("attestationObject", data), ("clientDataJSON", client)):
        hostile = json.dumps(made | {"response": made["response"] | {part: b64(value)}})
        with pytest.raises(passkeys.BadAnswer):
            passkeys.registered(SITE, hostile, bytes(3))
    proof = json.loads(KEY.proves(PROVE))
    for part, value in (("authenticatorData", data), ("signature", data), ("clientDataJSON", client)):
        hostile = json.dumps(proof | {"response": proof["response"] | {part: b64(value)}})
        for public in (b"\xa0", data, client):
            held = passkeys.Passkey("x", "u-mai", "x", public, 0, NOW)
            with pytest.raises(passkeys.BadAnswer):
                passkeys.proven(SITE, hostile, bytes(3), held)
