"""The node's own verbs: `loa node init`, `check`, `run`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from makers_loa import PLACE, PUBLIC_KEY, Loa, at_home, in_this_process

from edge_node import settings as node_settings
from wire.seal import PublicKey


@pytest.fixture
def loa(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Loa:
    at_home(monkeypatch, tmp_path / "home")
    return in_this_process(capsys)


@pytest.fixture
def root_key() -> str:
    """A public key of the right form."""
    return PublicKey.from_hex(PUBLIC_KEY).hex


def init(file: Path, root_key: str, **more: object) -> list[object]:
    told = {"node": "loa-01", "home": PLACE, "root-key": root_key, "state-dir": file.parent / "state"} | more
    return ["node", "init", file, *[part for name, value in told.items() for part in (f"--{name}", value)]]


def test_a_new_node_gets_settings_that_can_be_read_and_a_key(loa: Loa, tmp_path: Path, root_key: str) -> None:
    file = tmp_path / "node.toml"
    told = loa(*init(file, root_key, player="null", **{"broker-host": 'má"y\\\t', "broker-port": 1884}))
    made = node_settings.load(file, {})
    assert (made.node, made.home, made.broker_host, made.broker_port) == ("loa-01", PLACE, 'má"y\\\t', 1884)
    key = (tmp_path / "state" / "node.key").stat()
    assert oct(key.st_mode)[-3:] == "600"
    assert f"loa node add loa-01 --home {PLACE} --key " in told.out
    loa(*init(file, root_key)).refuses(1, "exists already")
    other = json.loads(loa(*init(tmp_path / "b.toml", root_key), "--json").out)
    assert other["key"] in told.out  # the same folder, the same key
    assert other.keys() == {"file", "node", "home", "key"}


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("node", "Loa 1", "node"),
        ("home", "x y", "home"),
        ("root-key", "zz", "64 hexadecimal digits"),
        ("root-key", "", "64 hexadecimal digits"),
        ("node", "", "node"),
    ],
)
def test_a_node_that_cannot_be_is_not_made(
    loa: Loa, tmp_path: Path, root_key: str, name: str, value: str, why: str
) -> None:
    loa(*init(tmp_path / "node.toml", root_key, **{name: value})).refuses(1, why)
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_is_said(loa: Loa, tmp_path: Path, root_key: str) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    loa(*init(tmp_path / "n.toml", root_key, **{"state-dir": blocked})).refuses(1, "blocked cannot be written")
    loa(*init(tmp_path / "none" / "n.toml", root_key, **{"state-dir": tmp_path / "s"})).refuses(1, "cannot be written")
    loa(*init(tmp_path, root_key, **{"state-dir": tmp_path / "s"})).refuses(1, "exists already")
    loa(*init(Path("/dev/full"), root_key, **{"state-dir": tmp_path / "s"})).refuses(1, "exists already")


def test_an_installer_is_told_what_works(loa: Loa, tmp_path: Path, root_key: str) -> None:
    file = tmp_path / "node.toml"
    loa(*init(file, root_key, player="null", **{"broker-port": 1}))
    told = loa("node", "check", "--config", file)
    assert told.code == 1  # no broker there
    facts = json.loads(loa("node", "check", "--config", file, "--json").out)
    assert facts["good"] is False
    said = [f"{'✓' if each['good'] else '✗'} {each['sentence']}" for each in facts["findings"]]
    same = [re.sub(r"\d+", "0", line[:40]) for line in (*said, *told.out.splitlines())]  # the disk's free space moves
    assert same[: len(said)] == same[len(said) :]
    bad = {each["key"] for each in facts["findings"] if not each["good"]}
    assert {"check_trust_none", "check_broker_bad"} <= bad


def test_a_node_without_usable_settings_does_not_start(
    loa: Loa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root_key: str
) -> None:
    file = tmp_path / "node.toml"
    for verb in ("run", "check"):
        loa("node", verb).refuses(1, "--config FILE", "loa node init")
        loa("node", verb, "--config", file).refuses(1, "there is no such file")
        loa("node", verb, "--config", tmp_path).refuses(1, "this is a folder")
    loa(*init(file, root_key, player="null"))
    monkeypatch.setenv("LOA_NODE_CONFIG", str(file))
    (tmp_path / "state" / "node.key").write_text("half")
    loa("node", "run").refuses(1, "not a node's key")
    monkeypatch.setenv("LOA_NODE_BROKER_PORT", "0")
    loa("node", "run").refuses(1, "broker_port")
    monkeypatch.setenv("LOA_NODE_BROKERPORT", "1")
    told = loa("node", "check")
    assert told.code == 1
    assert [line[0] for line in told.out.splitlines()] == ["✗", "✗"]
    assert "broker_port" in told.out
    assert "brokerport" in told.out


def test_a_node_is_revoked_from_the_command_line(loa: Loa) -> None:
    for command in (("user", "add", "an"), ("area", "add", "lang-son", "Tỉnh"), ("area", "add", PLACE, "Xã")):
        assert loa(*command).code == 0
    assert loa("node", "add", "loa-01", "--home", PLACE, "--key", PUBLIC_KEY).code == 0
    told = loa("node", "revoke", "loa-01")
    assert "loa-01 is revoked" in told.out
    assert json.loads(loa("node", "revoke", "loa-01", "--json").out) == {"node": "loa-01"}
    loa("node", "revoke", "loa-02").refuses(1, "loa-02")
