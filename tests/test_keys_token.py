"""The station's key in a token: a real PKCS#11 library (SoftHSM) that never gives the private half away."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from makers_keys import change

from controller import keyring, keys
from controller.keyring import STATION, Keyring, KeyTrouble
from controller.renewals import Renewals
from controller.settings import Settings
from controller.store import Store
from controller.token import MODULE, Slot, TokenSigner, TokenTrouble
from edge_node.gate import Admitted, Gate
from wire import seal
from wire.renewal import Renewed
from wire.topics import TRUST

NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
CURVE = b"\x13\x0cedwards25519"  # PKCS#11 3.0, §2.3.10: the curve's name
PIN = "1234"


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A token with an Ed25519 key called ``station``."""
    if not Path(MODULE).exists():
        pytest.skip(f"SoftHSM is not installed: {MODULE}")
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    line = ["softhsm2-util", "--init-token", "--free", "--label", "loa", "--pin", PIN, "--so-pin", "5678"]
    subprocess.run(line, check=True, capture_output=True)
    import pkcs11

    with pkcs11.lib(MODULE).get_token(token_label="loa").open(user_pin=PIN, rw=True) as session:
        facts = {pkcs11.Attribute.EC_PARAMS: CURVE}
        made = session.create_domain_parameters(pkcs11.KeyType.EC_EDWARDS, facts, local=True)
        for label in ("station", "spare"):
            made.generate_keypair(mechanism=pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN, label=label, store=True)
    (folder / "pin").write_text(f"{PIN}\n")
    return f"pkcs11:token=loa;object=station?module-path={MODULE}&pin-source=file:{folder}/pin"


def test_a_token_seals_as_a_file_does(uri: str) -> None:
    signer = TokenSigner(Slot.read(uri))
    raw = seal.seal("plan", b"{}", signer)
    assert seal.sealed_by(seal.unwrap(raw, 1000), {signer.public.id: signer.public}) == [signer.public.id]
    assert not hasattr(signer, "secret")


def test_a_station_lives_on_its_token(uri: str, store: Store, tmp_path: Path) -> None:
    ring = Keyring(tmp_path / "keys", uri)
    trust = keys.establish(ring, store, ("lang-son",), NOW)
    assert [each.public_key for each in trust.grants] == [ring.station().public.hex]
    assert not ring.path(STATION).exists()
    held = store.documents.get(keys.TRUST_NAME)
    assert held
    gate = Gate("loa-01", "lang-son:x", keys.in_force(ring, store))
    assert isinstance(gate.admit(TRUST.topic(), held.envelope, NOW), Admitted)
    with pytest.raises(KeyTrouble, match="station_key"):
        change(ring, store, NOW)
    other = Keyring(ring.folder, uri.replace("object=station", "object=spare"))
    keys.establish(other, store, ("lang-son",), NOW)
    keys.revoke(other, store, ring.station().public.hex, NOW)
    now_held = keys.held_trust(store)
    assert now_held
    assert [each.public_key for each in now_held.grants] == [other.station().public.hex]


def test_the_way_back_over_http_is_sealed_by_the_token(uri: str, store: Store, tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, station_key=uri)
    ring = keyring.of(settings)
    keys.establish(ring, store, ("lang-son",), NOW)
    back = Renewals(store, settings)._way_back(Renewed("loa-01", NOW, "a certificate", ()))
    station = ring.station().public
    assert seal.sealed_by(seal.unwrap(back.certificate.encode(), 4096), {station.id: station}) == [station.id]


def test_a_session_that_was_lost_is_opened_anew(uri: str) -> None:
    signer = TokenSigner(Slot.read(uri))
    signer._session.close()
    assert signer.public.signed(b"x", signer.sign(b"x"))


def test_the_pin_comes_from_a_credential(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = uri.partition("&")[0]
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(TokenTrouble, match="no PIN"):
        TokenSigner(Slot.read(bare))
    (tmp_path / "loa-pin").write_text(PIN)
    assert TokenSigner(Slot.read(bare)).public == TokenSigner(Slot.read(uri)).public


def test_what_a_token_does_not_have_is_said(uri: str, tmp_path: Path) -> None:
    no_module = uri.replace(MODULE, "/nowhere.so")
    for each in (uri.replace("token=loa", "token=no"), uri.replace("=station", "=no"), no_module):
        with pytest.raises(TokenTrouble) as said:
            TokenSigner(Slot.read(each))
        assert PIN not in str(said.value)
        assert said.value.say("vi")


def test_a_wrong_pin_opens_nothing(uri: str, tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("0000")
    wrong = f"{uri.partition('&')[0]}&pin-source=file:{tmp_path}/pin"
    code = f"from controller.token import Slot, TokenSigner; TokenSigner(Slot.read({wrong!r}))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # logged in here
    assert "TokenTrouble" in told.stderr
    assert "0000" not in told.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "text", ["", "pkcs11:", "pkcs11:token=a", "pkcs11:object=b", "file:x", "pkcs11:token=a;object=b;pin-value=1234"]
)
def test_a_uri_that_names_no_key_is_refused(text: str) -> None:
    with pytest.raises(TokenTrouble):
        Slot.read(text)
