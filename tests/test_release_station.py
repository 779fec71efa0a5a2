"""Releases at the station: sealed from the shell, passed on to whom was named, and told of every node."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import makers_store as made
import msgspec
import pytest
from makers_loa import PLACE, Loa, at_home, in_this_process
from makers_node import STATION
from makers_release import bundle, members, statement, tar
from makers_release import sealed as sealed_by
from makers_station import ROOT, Radio, furnished
from makers_web import Town, settled_town

from controller import keys
from controller.desk import Desk, DeskError
from controller.releases import EVERYWHERE, ReleaseError, read
from controller.rights import Role
from controller.store import Store, StoreError
from controller.store.rows import User
from edge_node.releases.statement import opened
from wire import codec
from wire.health import Health, Vitals
from wire.release import Release, Update
from wire.roots import RootSet
from wire.seal import Signer

CONTENT = bundle("1.1")
NEW = statement(CONTENT, "1.1", 7)


def sealed(release: Release, signer: Signer = ROOT, **rest: str) -> bytes:
    return sealed_by(release, signer, **rest)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A station with a node and keys."""
    town = Town(tmp_path_factory.mktemp("town"))
    town.settle()
    keys.establish(keys.Keyring(town.settings.keys_dir), town.store, (), town.now)
    town.store.close()
    return town.folder


@pytest.fixture
def loa(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, founded: Path, tmp_path: Path) -> Loa:
    shutil.copytree(founded, tmp_path / "home")
    at_home(monkeypatch, tmp_path / "home")
    (tmp_path / "loa.tar").write_bytes(CONTENT)
    return in_this_process(capsys)


def test_a_bundle_is_sealed_passed_on_shown_and_withdrawn(loa: Loa, tmp_path: Path) -> None:
    path, home = tmp_path / "loa.tar", tmp_path / "home"
    assert "version 1.1 for 3." in loa("release", "sign", path, "--days", 30).out
    root = keys.Keyring(home / "keys").find(keys.ROOT)
    assert root
    raw = (tmp_path / "loa.tar.release").read_bytes()
    told = opened(raw, RootSet.of([root.public.hex]))
    assert (told.version, told.size_bytes, told.roll_back) == ("1.1", len(CONTENT), False)
    assert told.valid_until - told.issued_at == timedelta(days=30)
    loa("release", "sign", path).refuses(1, "loa.tar.release")

    (home / "keys" / "root.key").unlink()  # on its stick, where it belongs
    assert loa("release", "publish", path, "--area", PLACE).code == 0
    assert (home / "shelf" / told.sha256).read_bytes() == CONTENT
    shown = json.loads(loa("release", "show", "--json").out)
    assert [(each["area"], each["version"], each["serial"]) for each in shown["releases"]] == [
        (PLACE, "1.1", told.serial)
    ]
    assert {each["state"] for each in shown["nodes"]} == {"none"}
    assert "told of no release" in loa("release", "show").out
    assert loa("release", "withdraw", "--everywhere").out.startswith("0 releases")
    assert loa("release", "withdraw", "--area", PLACE).out.startswith("1 release is ")
    assert json.loads(loa("release", "show", "--json").out)["releases"] == []
    loa("release", "sign", path).refuses(1, "root")


def test_what_is_not_the_roots_or_not_the_bundle_is_not_passed_on(loa: Loa, tmp_path: Path) -> None:
    path, statement_ = tmp_path / "loa.tar", tmp_path / "loa.tar.release"
    loa("release", "publish", path, "--area", PLACE).refuses(1, "loa.tar.release")
    own = keys.Keyring(tmp_path / "home" / "keys").station()
    for signer in (own, STATION):  # a station's own key, or any other
        statement_.write_bytes(sealed(NEW, signer))
        loa("release", "publish", path, "--area", PLACE).refuses(1, signer.public.id, "not by the root")
    for wrong in (b"", b"{}", b"x" * 10_000, sealed(NEW, own, kind="plan")):
        statement_.write_bytes(wrong)
        loa("release", "publish", path, "--area", PLACE).refuses(1, "statement")
    statement_.unlink()
    loa("release", "sign", path)
    path.write_bytes(CONTENT + b"x")
    loa("release", "publish", path, "--area", PLACE).refuses(1, "not the bundle")
    path.write_bytes(CONTENT)
    loa("release", "publish", path, "--area", "nowhere").refuses(1, "nowhere")
    loa("release", "publish", path).refuses(2, "")
    loa("release", "publish", path, "--area", PLACE, "--everywhere").refuses(2, "")
    assert json.loads(loa("release", "show", "--json").out)["releases"] == []


@pytest.mark.parametrize(
    "content", [b"", b"x" * 3000, tar(members("1.1") | {"x": b""}), tar(members("1.1") | {"bundle.toml": b""})]
)
def test_what_is_no_bundle_is_not_sealed(loa: Loa, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.tar").write_bytes(content)
    loa("release", "sign", tmp_path / "bad.tar").refuses(1, "bad.tar")
    assert not (tmp_path / "bad.tar.release").exists()


BOSS = made.user("quan-tri", Role.ADMINISTRATOR)


@pytest.fixture
def radio(store: Store, tmp_path: Path) -> Radio:
    return furnished(store, tmp_path)


@pytest.fixture
def desk(radio: Radio) -> Desk:
    return Desk(radio.store, "Asia/Ho_Chi_Minh", lambda: None)


def publish(desk: Desk, release: Release, *areas: str, who: User = BOSS) -> None:
    desk.publish_release(release, sealed(release), areas, who, made.NOW)


def named(radio: Radio) -> dict[str, list[str]]:
    """The versions that each node's config names, as its gate admits it."""
    radio.station.enrol(made.NOW)
    found = {}
    for node in ("loa-1", "loa-2", "loa-3"):
        config = radio.gate(node).config
        assert config
        found[node] = [opened(codec.write(each), RootSet.of([ROOT.public.hex])).version for each in config.releases]
    return found


def test_a_few_nodes_come_first_and_the_others_after_them(radio: Radio, desk: Desk) -> None:
    assert named(radio) == {"loa-1": [], "loa-2": [], "loa-3": []}
    publish(desk, NEW, "loa-3")
    assert named(radio) == {"loa-1": [], "loa-2": [], "loa-3": ["1.1"]}
    publish(desk, NEW, made.COMMUNE)
    assert named(radio) == {"loa-1": ["1.1"], "loa-2": ["1.1"], "loa-3": ["1.1"]}
    newer = statement(CONTENT, "1.2", 9)
    publish(desk, newer, EVERYWHERE)  # higher than what the few were named by themselves
    assert named(radio) == {"loa-1": ["1.2"], "loa-2": ["1.2"], "loa-3": ["1.2"]}
    assert desk.withdraw_release([EVERYWHERE, "loa-3"], BOSS, made.NOW) == 2
    assert named(radio) == {"loa-1": ["1.1"], "loa-2": ["1.1"], "loa-3": []}


def test_each_kind_of_machine_has_its_own(radio: Radio, desk: Desk) -> None:
    publish(desk, NEW, EVERYWHERE)
    publish(desk, statement(CONTENT, "1.1.1", 8, machine="riscv64"), EVERYWHERE)
    assert named(radio)["loa-1"] == ["1.1.1", "1.1"]


def test_an_older_statement_is_not_passed_on_where_a_newer_one_is(radio: Radio, desk: Desk) -> None:
    publish(desk, NEW, "loa-1")
    with pytest.raises(StoreError, match=r"release:"):
        publish(desk, statement(CONTENT, "1.0", 6), "loa-1")
    assert named(radio)["loa-1"] == ["1.1"]


def test_only_an_administrator_passes_on_and_only_where_they_speak(radio: Radio, desk: Desk) -> None:
    here = made.user("huyen", Role.ADMINISTRATOR, made.COMMUNE)
    for who, areas in (
        (made.user("hoa", Role.APPROVER), [made.COMMUNE]),
        (here, [EVERYWHERE]),
        (here, [made.OTHER_COMMUNE]),
        (here, [made.COMMUNE, EVERYWHERE]),
        (BOSS, ["nowhere"]),
        (BOSS, []),
    ):
        with pytest.raises(DeskError):
            publish(desk, NEW, *areas, who=who)
        with pytest.raises(DeskError):
            desk.withdraw_release(areas, who, made.NOW)
    assert desk.releases() == ()
    publish(desk, NEW, made.COMMUNE, who=here)
    acts = [(each.who, each.what, each.subject) for each in radio.store.acts.recent(10)]
    assert acts[0] == ("huyen", "published release", made.COMMUNE)


def test_how_a_node_stands_is_told_on_its_page_and_in_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with settled_town(tmp_path) as town:
        (node, *_) = sorted(town.numbers)
        health = Health(node, town.now, "b", "1.0", Vitals(), update=Update("rolled_back", "1.1", 7, "hung"))
        other = msgspec.structs.replace(health, node=sorted(town.numbers)[1], update=Update("dancing", "2", 8, "tired"))
        town.store.health.take_health([health, other], town.now)
        client = town.client(town.app(), "quan-tri")
        page = client.get(f"/cum-loa/{node}").text
        assert "đã quay về phiên bản trước · 1.1 · bị treo" in page
        assert "dancing · 2 · tired" in client.get(f"/cum-loa/{other.node}").text
    at_home(monkeypatch, tmp_path)
    shown = in_this_process(capsys)("release", "show").out
    assert f"{node}  1.0  returned to the version before  1.1  it stood still" in shown
    assert f"{other.node}  1.0  dancing  2  tired" in shown


def test_a_statement_is_read_when_enough_roots_sealed_it() -> None:
    one, two = (RootSet.of([ROOT.public.hex, STATION.public.hex], threshold) for threshold in (1, 2))
    assert read(sealed(NEW), one) == NEW
    with pytest.raises(ReleaseError):
        read(sealed(NEW), two)
    forged = sealed(NEW, STATION).replace(STATION.public.id.encode(), ROOT.public.id.encode())
    with pytest.raises(ReleaseError):
        read(forged, RootSet.of([ROOT.public.hex]))
