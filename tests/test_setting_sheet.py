"""The sheet of settings: each one, where it comes from, what a restart makes of it, and never a secret."""

from __future__ import annotations

import dataclasses
import html
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from makers_api import Program, lend
from makers_loa import Loa, at_home, in_this_process
from makers_web import Town, settled_town

from controller import setting_sheet
from controller.rights import Role
from controller.setting_groups import GROUPS
from controller.setting_masks import shown
from controller.setting_origins import Origins
from controller.settings import Settings, from_values, read
from controller.web.settings import USUAL_FILE
from words import LANGUAGES, table

NAMES = [field.name for field in dataclasses.fields(Settings)]
SECRET = "kin-nhe-7"
OTHER = {  # setting -> a value that is not its default, as a file says it and as the environment does
    "state_dir": ('"/srv/loa"', "/srv/loa"),
    "database_url": ('"sqlite:////srv/loa.db"', "sqlite:////srv/loa.db"),
    "zone": ('"UTC"', "UTC"),
    "station_name": ('"Đài Mẫu"', "Đài Mẫu"),
    "media_url": ('"https://h/audio"', "https://h/audio"),
    "broker_for_nodes": ('"h:8883"', "h:8883"),
    "station_key": ('"pkcs11:token=a;object=b"', "pkcs11:token=a;object=b"),
    "voice_chain": ('["gtts", "espeak"]', "gtts,espeak"),
    "sound_preset": ('"flat"', "flat"),
    "quiet_since": ('"22:00"', "22:00"),
    "quiet_until": ('"04:00"', "04:00"),
    "own_approval": ('"never"', "never"),
    "web_origin": ('"https://loa.example"', "https://loa.example"),
    "second_factor": ('"everybody"', "everybody"),
    "relays": ('{ vov = "https://vov.example/1" }', "vov=https://vov.example/1"),
    "log_level": ('"DEBUG"', "DEBUG"),
    "broker_kind": ('"nats"', "nats"),
    **dict.fromkeys(("public_log_areas", "cap_senders", "web_names"), ('["x"]', "x")),
    **dict.fromkeys(("web_outline", "revocations_copy"), ('"/srv/file"', "/srv/file")),
    **dict.fromkeys(("web_certificate", "web_key"), ('"/srv/file"', "/srv/file")),
    **dict.fromkeys(("private_relays", "public_log", "public_bulletins"), ("true", "true")),
}
TOGETHER = {"web_certificate": "web_key", "web_key": "web_certificate"}  # one is refused without the other


@pytest.fixture
def loa(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Loa:
    at_home(monkeypatch, tmp_path / "station")
    return in_this_process(capsys)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


def other(name: str) -> tuple[str, str]:
    """As a file says it, and as the environment does."""
    default = getattr(Settings(), name)
    if name in OTHER:
        return OTHER[name]
    return (str(default + 1),) * 2 if isinstance(default, int | float) else ('"x"', "x")


def written(folder: Path, *lines: str) -> Path:
    path = folder / "controller.toml"
    path.write_text("\n".join(lines))
    return path


def line_of(sheet: setting_sheet.Sheet, name: str) -> setting_sheet.Line:
    return next(line for line in sheet.lines if line.name == name)


def test_every_setting_stands_in_one_group_with_its_sentence() -> None:
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(NAMES)
    for language in LANGUAGES:
        assert [name for name in NAMES if f"settings.about_{name}" not in table(language)] == []
        assert [group for group in GROUPS if f"web.setting_group_{group}" not in table(language)] == []


@pytest.mark.parametrize("name", NAMES)
def test_where_each_setting_comes_from_is_kept(tmp_path: Path, name: str) -> None:
    in_environment = other(name)[1]
    lines = [f"{each} = {other(each)[0]}" for each in (TOGETHER.get(name), name) if each]
    path, said = written(tmp_path, *lines), {f"LOA_{name.upper()}": in_environment, "LOA_NODE_PLAYER": "null"}
    usual, by_file = setting_sheet.sheet(*read(None, {}), {}), setting_sheet.sheet(*read(path, {}), {})
    by_both = setting_sheet.sheet(*read(path, said), said)
    untold = line_of(usual, name)
    assert (untold.origin, untold.differs, untold.value) == ("default", False, untold.default)
    told = line_of(by_file, name)
    assert (told.origin, told.differs, told.overruled, told.ahead) == ("file", True, False, None)
    assert {line.name for line in by_file.lines if line.origin == "file"} == {name, TOGETHER.get(name, name)}
    assert (line_of(by_both, name).origin, line_of(by_both, name).overruled) == ("environment", True)
    assert by_file.file == path
    assert by_file.wrong is None


def test_what_says_the_default_comes_from_the_file_and_differs_from_nothing(tmp_path: Path) -> None:
    sheet = setting_sheet.sheet(*read(written(tmp_path, "web_port = 8080"), {}), {})
    assert (line_of(sheet, "web_port").origin, line_of(sheet, "web_port").differs) == ("file", False)
    given = setting_sheet.sheet(from_values({"web_port": 81}), None)  # by the demo, say
    assert [(line.name, line.origin) for line in given.lines if line.differs] == [("web_port", "given")]


def test_what_was_written_since_the_start_waits_and_a_mistake_is_said_before_the_restart(tmp_path: Path) -> None:
    path = written(tmp_path, 'web_port = 81\nbroker_password = "a"')
    running = read(path, {})
    written(tmp_path, f'web_port = 82\nbroker_password = "{SECRET}"')
    sheet = setting_sheet.sheet(*running, {})
    assert {line.name: line.ahead for line in sheet.waiting} == {"web_port": "82", "broker_password": "***"}
    written(tmp_path, f'web_prt = 82\nbroker_password = "{SECRET}"')
    wrong = setting_sheet.sheet(*running, {})
    assert wrong.wrong
    assert "web_port" in wrong.wrong.say("en")
    assert wrong.waiting == ()
    path.unlink()
    gone = setting_sheet.sheet(*running, {}).wrong
    assert gone
    assert str(path) in gone.say("vi")


HOSTILE = f"""
broker_password = "{SECRET}"
database_url = "postgresql://loa:{SECRET}@127.0.0.1:1/loa?password={SECRET}"
media_url = "https://me:{SECRET}/@{SECRET}@h/audio?token={SECRET}#{SECRET}"
broker_host = "me:{SECRET}@broker.example"
web_host = "{SECRET}@127.0.0.1"
broker_for_nodes = "{SECRET}@host:8883"
station_key = "pkcs11:token=a;object=b;pin-value={SECRET}?pin-value={SECRET}&PIN-VALUE={SECRET}&pin%2Dvalue={SECRET}"
web_names = ["me:{SECRET}@h"]
[relays]
vov = "https://vov.example/1?token={SECRET}&x={SECRET}"
tinh = "https://vov.example/2?{SECRET}"
"""


def test_no_secret_leaves_the_sheet_whatever_setting_carries_it(town: Town, tmp_path: Path, loa: Loa) -> None:
    path = written(tmp_path, HOSTILE)
    settings, town.origins = read(path, {})
    planted = ("broker_password", "database_url", "media_url", "broker_host", "web_host", "broker_for_nodes")
    assert all(SECRET in str(getattr(settings, name)) for name in (*planted, "station_key", "web_names", "relays"))
    town.settings = dataclasses.replace(settings, state_dir=town.folder, web_names=())
    app = town.app()
    api = Program(app, lend(town, town.boss, Role.ADMINISTRATOR, "*"))
    told = [town.client(app, "quan-tri").get(each).text for each in ("/thiet-lap", "/thiet-lap/may", "/nhat-ky")]
    told += [api.get("/settings").text, loa("settings", "--config", path).out, str(settings.in_force())]
    told += [loa("settings", "--json", "--config", path).out, loa("status", "--json", "--config", path).out]
    assert "https://***@h/audio?***" in told[0]
    assert "***@broker.example" in told[0]
    assert "pin-value=***" in told[3]
    assert [each for each in told if SECRET in html.unescape(each) or SECRET in json.dumps(each)] == []


MISTAKEN = (
    '[relays]\nvov = "https://me:{0}@h/"',
    '[relays]\nvov = "ftp://h/?token={0}"',
    'relays = "vov=https://127.0.0.1/?token={0}"',
    'relays = [ "https://me:{0}@h/" ]',
    'media_url = "ftp://me:{0}@h/audio?token={0}"',
    'broker_password = "{0}\\u0007"',
    'database_url = "mysql://me:{0}@h/x"',
    'station_key = "pkcs11:pin-value={0} x"',
    'broker_for_nodes = "me:{0}@h"',
    'broker_host = "me:{0}@h x"',
)


@pytest.mark.parametrize("mistake", MISTAKEN)
def test_a_mistake_is_told_without_the_secret_in_it(tmp_path: Path, mistake: str) -> None:
    running = read(written(tmp_path, ""), {})
    written(tmp_path, mistake.format(SECRET))
    wrong = setting_sheet.sheet(*running, {}).wrong
    assert wrong
    assert [language for language in LANGUAGES if SECRET in wrong.say(language)] == []


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("media_url", "https://h/audio", "https://h/audio"),
        ("station_key", "pkcs11:token=a;object=b?pin-source=file:/p", "pkcs11:token=a;object=b?pin-source=file:/p"),
        ("cap_senders", ("a@b.vn", "c"), "a@b.vn, c"),
        ("opening", "Đây? là {station}", "Đây? là {station}"),
        ("web_key", "/etc/loa/key.pem", "/etc/loa/key.pem"),
        ("station_name", "a\nb" + "x" * 300, "a\N{REPLACEMENT CHARACTER}b" + "x" * 197),
    ],
)
def test_what_is_no_secret_stands_there(name: str, value: object, told: str) -> None:
    assert shown(name, value) == told


def test_the_page_says_how_to_change_what_differs_and_what_waits(town: Town, tmp_path: Path) -> None:
    path = written(tmp_path, 'station_name = "Đài Mẫu"\npublic_log = true')
    settings, town.origins = read(path, {})
    town.settings = dataclasses.replace(settings, state_dir=town.folder)
    client = town.client(town.app(), "quan-tri")
    page = client.get("/thiet-lap").text
    assert f"loa settings --config {path}" in page
    assert "systemctl restart loa-controller" in page
    assert "từ tệp thiết lập · mặc định: Đài truyền thanh cơ sở" in page
    assert "mặc định: không" in page
    written(tmp_path, 'station_name = "Đài Mới"')
    assert "Đài Mẫu → Đài Mới" in client.get("/thiet-lap").text
    written(tmp_path, "pubic_log = true")
    wrong = client.get("/thiet-lap").text
    assert "đài sẽ không chạy" in wrong
    assert "Có phải là public_log?" in wrong
    town.origins = Origins()
    client = town.client(town.app(), "quan-tri")
    client.set_cookie("loa_tieng", "en")
    assert "No file is used" in client.get("/thiet-lap").text
    assert USUAL_FILE in client.get("/thiet-lap").text


def test_the_command_prints_what_is_in_force_and_refuses_what_is_not_known(loa: Loa, tmp_path: Path) -> None:
    path = written(tmp_path, "web_port = 81")
    changed = loa("settings", "--changed", "--config", path)
    assert "* web_port = 81  (the settings file)" in changed.out
    assert "web_host" not in changed.out
    told = {each["name"]: each for each in json.loads(loa("settings", "--json", "--config", path).out)}
    assert told.keys() == set(NAMES)
    assert (told["web_port"]["value"], told["state_dir"]["origin"]) == ("81", "environment")
    loa("settings", "--config", written(tmp_path, "web_prt = 81")).refuses(1, "web_prt", "web_port")
