"""What the station writes for the broker, and the verbs at the station by which nodes are entered."""

from __future__ import annotations

import json
import logging
import stat
from pathlib import Path

import pytest
from cryptography import x509
from makers_loa import PLACE, PUBLIC_KEY, Loa, at_home, in_this_process
from makers_web import NOON, settled_town

from controller.guestlist import Guestlist
from controller.roster import Node
from wire import certificates, onetime


def test_the_files_follow_the_roster_and_are_left_alone_otherwise(tmp_path: Path) -> None:
    with settled_town(tmp_path) as town:
        guestlist = Guestlist(town.store, town.settings)
        access = town.settings.broker_dir / "access"
        assert guestlist.write(NOON) == [access]
        assert access.read_text().startswith("user station\n")
        assert guestlist.write(NOON) == []
        folder = guestlist.certify(["loa.example.vn", "192.0.2.10"], NOON)
        made = {path.name for path in folder.iterdir()}
        assert made == {"access", "revoked.pem", "broker.key", "broker.pem", "ca.pem"}
        assert stat.S_IMODE((folder / "broker.key").stat().st_mode) & 0o007 == 0
        named = x509.load_pem_x509_certificate((folder / "broker.pem").read_bytes())
        hosts = named.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert [str(each.value) for each in hosts] == ["loa.example.vn", "192.0.2.10"]
        own = certificates.read((town.settings.keys_dir / "mqtt.pem").read_text())
        assert own.name == "station"
        key, before = (folder / "broker.key").read_bytes(), (folder / "revoked.pem").read_bytes()
        town.store.roster.add_node(Node("dong-dang-7", "Loa 7", "lang-son:dong-dang", PUBLIC_KEY, NOON))
        assert guestlist.write(NOON) == [access]
        assert "user dong-dang-7\n" in access.read_text()
        guestlist.certify(["loa.example.vn"], NOON)
        assert ((folder / "broker.key").read_bytes(), (folder / "revoked.pem").read_bytes()) == (key, before)


def test_where_nothing_can_be_written_the_station_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with settled_town(tmp_path) as town, caplog.at_level(logging.WARNING):
        town.settings.broker_dir.write_text("in the way")
        assert Guestlist(town.store, town.settings).write(NOON) == []
        assert "guestlist_not_written" in caplog.text
        town.settings.broker_dir.unlink()
        assert len(Guestlist(town.store, town.settings).write(NOON)) == 1


@pytest.fixture
def loa(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Loa:
    with settled_town(tmp_path):
        pass
    at_home(monkeypatch, tmp_path)
    return in_this_process(capsys)


def test_codes_are_given_listed_and_taken_back_at_the_station(loa: Loa) -> None:
    told = loa("node", "add", "loa-01", "--home", PLACE, "--name", "Loa chợ")
    (line,) = [each for each in told.out.splitlines() if "loa node enrol" in each]
    code = onetime.read(line.split("loa node enrol ")[1].split()[0])
    assert json.loads(loa("node", "codes", "--json").out)[0]["code"] == code.name
    assert code.secret[:4] not in loa("node", "codes").out
    replacing = json.loads(loa("node", "replace", "dong-dang-1", "--json").out)
    assert onetime.read(replacing["code"]).name != code.name
    listed = loa("node", "codes", "--take-back", code.name.lower()).out
    assert "loa-01" not in listed
    assert "dong-dang-1" in listed
    loa("node", "replace", "nobody").refuses(1, "nobody")
    loa("node", "add", "dong-dang-1", "--home", PLACE).refuses(1, "loa node replace")
    assert loa("node", "add", "loa-02", "--home", PLACE, "--key", PUBLIC_KEY).code == 0


def test_the_brokers_certificates_are_made_and_their_settings_told(loa: Loa, tmp_path: Path) -> None:
    told = loa("key", "certify", "127.0.0.1", "đài.vn")
    assert f'broker_key = "{tmp_path}/keys/mqtt.key"' in told.out
    as_json = json.loads(loa("key", "certify", "127.0.0.1", "--json").out)
    assert as_json.keys() == {"folder", "broker_ca", "broker_cert", "broker_key"}
    loa("key", "certify", "a b").refuses(1, "a b")
