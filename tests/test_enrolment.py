"""A one-time code at the station's reception: who is let in, who is not, and what whoever listens in between can do."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from controller import authority, bootstrap, keys
from controller.desk import DeskError, Enrolment
from controller.desk.enrolling import CODE_VALIDITY
from controller.reception import Reception
from controller.roster import Area, AreaKind
from controller.settings import Settings
from controller.store import Store
from controller.store.enrolments import AGAIN, MOST_TRIES
from controller.store.rows import User
from wire import certificates, codec, enrolment, onetime
from wire.enrolment import Keys, NotProved, Welcome, Wish
from wire.onetime import Code
from wire.seal import Signer

NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
HOME, GROUP = "lang-son:dong-dang", "cho"
MINUTE = timedelta(minutes=1)
STRETCH = cache(enrolment.stretch)


@dataclass
class Device:
    """A node under its pole, with the code that was read to it."""

    code: Code
    signer: Signer = field(default_factory=Signer.generate)
    tls: bytes = field(default_factory=certificates.new_key)
    keys: Keys = field(init=False)

    def __post_init__(self) -> None:
        self.keys = enrolment.stretch(self.code)

    def asks(self, held: str = "") -> bytes:
        request = certificates.request(self.tls, "x")
        wish = Wish(random.randbytes(32).hex(), self.signer.public.hex, request, held)
        return enrolment.ask(wish, self.code.name, self.keys, self.signer)

    def hears(self, answer: bytes, question: bytes) -> Welcome:
        return enrolment.welcome_of(answer, question, self.keys)


class House:
    """A station's reception over a store of its own."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(state_dir=folder, broker_for_nodes="mqtt.example.vn:8883")
        self.store = Store(self.settings.store_url)
        self.desk = bootstrap.make_desk(self.settings, self.store)
        self.reception = Reception(self.store, self.settings)

    def furnish(self) -> None:
        self.store.migrate()
        keys.establish(keys.Keyring(self.settings.keys_dir), self.store, ("*",), NOW)
        boss = self.desk.open_house("quan-tri", "một câu rất dài để nhớ", NOW)
        self.desk.add_area(Area("lang-son", "Lạng Sơn", AreaKind.PROVINCE), boss, NOW)
        self.desk.add_area(Area(HOME, "Đồng Đăng", AreaKind.COMMUNE), boss, NOW)
        self.desk.add_area(Area(GROUP, "Chợ", AreaKind.GROUP), boss, NOW)
        self.store.close()

    @property
    def boss(self) -> User:
        return self.store.people.all()[0]

    def code(self, node: str = "loa-01", now: datetime = NOW) -> Code:
        return self.desk.invite_node(Enrolment(node, "Cụm loa chợ", HOME, groups=(GROUP,)), self.boss, now)

    def refuses(self, question: bytes, now: datetime = NOW) -> str:
        body, status = self.reception.receive(question, now)
        assert status >= 400
        return codec.read(enrolment.Refusal, body, 1000).reason

    def lets_in(self, device: Device, now: datetime = NOW) -> Welcome:
        question = device.asks()
        body, status = self.reception.receive(question, now)
        assert status == 200, body
        return device.hears(body, question)


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A station's folder, made once."""
    folder = tmp_path_factory.mktemp("station")
    House(folder).furnish()
    return folder


@pytest.fixture(autouse=True)
def stretched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sides stretch a code; here the second takes what the first found."""
    monkeypatch.setattr(enrolment, "stretch", STRETCH)


@pytest.fixture
def house(tmp_path: Path, furnished: Path) -> Iterator[House]:
    shutil.copytree(furnished, tmp_path, dirs_exist_ok=True)
    made = House(tmp_path)
    yield made
    made.store.close()


def test_a_node_is_let_in_and_told_all_that_it_needs(house: House) -> None:
    device = Device(house.code())
    welcome = house.lets_in(device)
    root = keys.Keyring(house.settings.keys_dir).find(keys.ROOT)
    assert root
    assert (welcome.node, welcome.home, welcome.root_keys) == ("loa-01", HOME, (root.public.hex,))
    assert (welcome.broker_host, welcome.broker_port, welcome.at) == ("mqtt.example.vn", 8883, NOW)
    issuer = authority.find(keys.Keyring(house.settings.keys_dir), NOW)
    assert issuer
    assert certificates.issued_by(welcome.certificate, issuer.certificate)
    assert certificates.read(welcome.certificate).name == "loa-01"
    (node,) = house.store.roster.nodes()
    assert (node.id, node.name, node.home, node.groups) == ("loa-01", "Cụm loa chợ", HOME, (GROUP,))
    assert node.public_key == device.signer.public.hex
    acts = [each.what for each in house.store.acts.recent(limit=2)]
    assert acts == ["enrolled", "gave a code"]


def test_two_nodes_with_one_code_are_one(house: House) -> None:
    code = house.code()
    first, second = Device(code), Device(code)
    house.lets_in(first)
    assert house.refuses(second.asks()) == "used"
    assert house.refuses(Device(onetime.new(code.name)).asks()) == "used"
    assert [node.public_key for node in house.store.roster.nodes()] == [first.signer.public.hex]


def test_a_lost_answer_is_given_again_to_the_same_node_and_changes_nothing(house: House) -> None:
    device = Device(house.code())
    question = device.asks()
    body, _ = house.reception.receive(question, NOW)
    first, wishes = device.hears(body, question), house.store.changed()
    again, status = house.reception.receive(question, NOW + MINUTE)  # as anybody may replay it
    assert status == 200
    assert device.hears(again, question).certificate == first.certificate
    assert house.lets_in(device, NOW + 2 * MINUTE).certificate == first.certificate  # as the node itself asks again
    assert house.store.changed() == wishes
    assert house.store.enrolments.revoked(NOW) == []
    other = Device(device.code, signer=device.signer)
    assert house.refuses(other.asks()) == "used"
    assert house.refuses(question, NOW + AGAIN) == "used"


def test_what_could_use_a_code_is_wiped_when_it_is_over(house: House) -> None:
    used, spoilt, expired, lost, later = (house.code(f"loa-{number}") for number in range(5))
    house.lets_in(Device(used))
    for _ in range(MOST_TRIES):
        house.refuses(Device(onetime.new(spoilt.name)).asks())
    house.desk.take_back_code(lost.name, house.boss, NOW)
    house.code("loa-new", NOW + CODE_VALIDITY)  # any later wish sweeps
    for each in (used, spoilt, expired, lost, later):
        row = house.store.enrolments.get(each.name)
        assert row
        assert row.kept is None


def test_five_wrong_tries_spoil_a_code(house: House) -> None:
    code = house.code()
    wrong = Device(onetime.new(code.name))
    left = []
    for _ in range(MOST_TRIES):
        body, status = house.reception.receive(wrong.asks(), NOW)
        left.append((status, json.loads(body)["tries_left"]))
    assert left == [(403, 4), (403, 3), (403, 2), (403, 1), (403, 0)]
    assert house.refuses(Device(code).asks()) == "spoilt"
    assert house.store.roster.nodes() == []


def test_a_code_has_an_end_and_can_be_taken_back(house: House) -> None:
    first, second = house.code(), house.code()  # a newer one for the same node takes the older back
    assert house.refuses(Device(first).asks()) == "unknown"
    assert house.refuses(Device(second).asks(), NOW + CODE_VALIDITY) == "expired"
    third = house.code("loa-02")
    house.desk.take_back_code(third.name, house.boss, NOW)
    assert house.refuses(Device(third).asks()) == "unknown"
    assert house.store.enrolments.waiting(NOW + CODE_VALIDITY) == []
    assert house.refuses(Device(onetime.new("222")).asks()) == "unknown"


def test_another_device_takes_the_place_of_a_known_one(house: House) -> None:
    old = Device(house.code())
    was = house.lets_in(old)
    before = house.store.roster.node("loa-01")
    new = Device(house.desk.replace_node("loa-01", house.boss, NOW + MINUTE))
    assert house.store.roster.node("loa-01") == before  # until the new one is there, the old one counts
    house.lets_in(new, NOW + MINUTE)
    after = house.store.roster.node("loa-01")
    assert before
    assert after
    assert after.public_key == new.signer.public.hex
    assert (after.enrolled_at, after.name, after.groups) == (before.enrolled_at, before.name, before.groups)
    revoked = [each.serial for each in house.store.enrolments.revoked(NOW + MINUTE)]
    assert revoked == [certificates.read(was.certificate).serial]
    assert house.store.acts.recent(limit=1)[0].what == "replaced key"


def test_a_key_of_another_node_is_refused_and_the_code_stays_good(house: House) -> None:
    first = Device(house.code())
    house.lets_in(first)
    code = house.code("loa-02")
    assert house.refuses(Device(code, signer=first.signer).asks()) == "key_taken"
    assert house.lets_in(Device(code)).node == "loa-02"


def test_a_code_for_another_node_than_the_one_that_lies_there_is_not_used_up(house: House) -> None:
    device = Device(house.code())
    assert house.refuses(device.asks(held="loa-77")) == "other_node"
    assert house.lets_in(device).node == "loa-01"


def test_a_station_without_its_keys_lets_nobody_in_and_uses_no_code(house: House) -> None:
    device = Device(house.code())
    for name in ("root.key", "root.pub"):
        (house.settings.keys_dir / name).rename(house.settings.keys_dir / f"{name}.away")
    assert house.refuses(device.asks()) == "closed"
    (house.settings.keys_dir / "root.pub.away").rename(house.settings.keys_dir / "root.pub")
    assert house.lets_in(device).node == "loa-01"


def test_no_node_is_called_like_the_station_at_the_broker(house: House) -> None:
    with pytest.raises(DeskError, match="taken"):
        house.code("station")
    code = house.code("dai-xa")
    house.reception = Reception(house.store, Settings(state_dir=house.settings.state_dir, broker_user="dai-xa"))
    assert house.refuses(Device(code).asks()) == "closed"


# --- whoever is in between -----------------------------------------------------------------------------------


def test_nothing_that_is_sent_holds_the_secret_or_what_is_made_of_it(house: House) -> None:
    device = Device(house.code())
    question = device.asks()
    answer, _ = house.reception.receive(question, NOW)
    said = (question + answer).decode().upper()
    secret = device.code.secret
    parts = [secret[at : at + 6] for at in range(len(secret) - 5)]
    hidden = [*parts, device.keys.kept().upper(), device.keys.question.hex().upper(), device.keys.answer.hex().upper()]
    hidden += [device.signer.secret.hex().upper(), *device.tls.decode().upper().splitlines()[1:-1]]
    assert [each for each in hidden if each in said] == []


def test_a_changed_question_lets_nobody_in(house: House) -> None:
    """Whoever is in between changes the node's key, its request, anything at all."""
    device, thief = Device(house.code()), Signer.generate()
    honest = json.loads(device.asks())
    wish = Wish("0" * 64, thief.public.hex, certificates.request(certificates.new_key(), "x"))
    forged = json.loads(enrolment.ask(wish, device.code.name, enrolment.stretch(onetime.new(device.code.name)), thief))
    assert house.refuses(json.dumps(honest | {"sealed": forged["sealed"]}).encode()) == "wrong"
    assert house.refuses(json.dumps(honest | {"proof": forged["proof"]}).encode()) == "wrong"
    other = house.code("loa-02")
    assert house.refuses(json.dumps(honest | {"code": other.name}).encode()) == "wrong"
    assert house.store.roster.nodes() == []


def test_no_byte_of_a_question_or_an_answer_can_be_changed_unseen(house: House) -> None:
    device = Device(house.code())
    question = device.asks()
    read = enrolment.read_question(question)
    for at in random.Random(18).sample(range(len(question)), 200):
        changed = question[:at] + bytes([question[at] ^ 1]) + question[at + 1 :]
        try:
            found = enrolment.read_question(changed)
            assert found != read  # else only the paper around what was said has changed
            enrolment.wish_of(found, device.keys)
        except (codec.Malformed, NotProved, AssertionError):
            continue
        raise AssertionError(f"byte {at} was changed unseen")
    answer, _ = house.reception.receive(question, NOW)
    honest = device.hears(answer, question)
    for at in random.Random(18).sample(range(len(answer)), 200):
        changed = answer[:at] + bytes([answer[at] ^ 1]) + answer[at + 1 :]
        try:
            assert device.hears(changed, question) == honest
        except (codec.Malformed, NotProved):
            continue


@pytest.mark.parametrize("field", ["root_keys", "certificate", "authority", "home", "node", "broker_host", "at"])
def test_a_changed_answer_is_not_believed(house: House, field: str) -> None:
    """Another root key, certificate, authority: each would make the node another's."""
    device = Device(house.code())
    question = device.asks()
    answer = json.loads(house.reception.receive(question, NOW)[0])
    said = json.loads(answer["welcome"])
    forged = {"root_keys": ["ab" * 32], "at": "2036-01-01T00:00:00Z"}.get(field, "lang-son:x")
    with pytest.raises(NotProved):
        device.hears(json.dumps(answer | {"welcome": json.dumps(said | {field: forged})}).encode(), question)


def test_an_answer_to_another_question_is_not_believed(house: House) -> None:
    device = Device(house.code())
    first, second = device.asks(), device.asks()
    answer, _ = house.reception.receive(first, NOW)
    with pytest.raises(NotProved):
        device.hears(answer, second)
    with pytest.raises(NotProved):
        Device(onetime.new(device.code.name)).hears(answer, first)


def test_a_question_sealed_by_another_key_than_it_brings_is_refused(house: House) -> None:
    device = Device(house.code())
    wish = Wish("0" * 64, Signer.generate().public.hex, certificates.request(device.tls, "x"))
    assert house.refuses(enrolment.ask(wish, device.code.name, device.keys, device.signer)) == "malformed"
    rsa = Wish("0" * 64, device.signer.public.hex, "-----BEGIN CERTIFICATE REQUEST-----\nAA==\n")
    assert house.refuses(enrolment.ask(rsa, device.code.name, device.keys, device.signer)) == "malformed"
    assert house.lets_in(device)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 16_000,
        b'{"code":1,"sealed":2,"proof":3}',
        b'{"code":"abc","sealed":"","proof":"' + b"0" * 64 + b'"}',
        b'{"code":"222222","sealed":"","proof":"' + b"0" * 64 + b'"}',
        b'{"code":"222","sealed":"","proof":"zz"}',
        b'{"code":"222","sealed":{"a":[1]},"proof":null}',
        b'{"code":"222\\u0000","sealed":"","proof":"' + b"0" * 64 + b'"}',
    ],
)
def test_any_other_bytes_are_refused(house: House, body: bytes) -> None:
    assert house.refuses(body) == "malformed"


def test_a_question_too_long_is_refused_unread(house: House) -> None:
    assert house.refuses(b" " * (enrolment.MOST_QUESTION_BYTES + 1)) == "too_big"
