"""The station's settings: a file, then the environment; each wrong one is one sentence, and a secret is never in it."""

from __future__ import annotations

import dataclasses
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.settings import SECRETS, Settings, SettingsError, from_values, load
from schedules.relays import Source

NAMES = [field.name for field in dataclasses.fields(Settings)]


def file(folder: Path, content: str | bytes) -> Path:
    path = folder / "loa.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refused(**values: object) -> SettingsError:
    with pytest.raises(SettingsError) as said:
        from_values(values)
    for language in ("vi", "en"):
        assert said.value.say(language).count("\n") == 0
    return said.value


def test_without_a_file_everything_has_its_default() -> None:
    made = load(None, {})
    assert made == dataclasses.replace(Settings(), state_dir=Path("~/.local/share/loa").expanduser())
    assert made.store_url == f"sqlite:///{made.state_dir}/loa.db"
    assert made.audio_url == "http://127.0.0.1:8080/audio"
    assert (made.shelf_dir, made.keys_dir) == (made.state_dir / "shelf", made.state_dir / "keys")


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = file(tmp_path, 'web_port = 1\nbroker_port = 2\nvoice_chain = ["gtts", "espeak"]\nnow_lead_seconds = 7\n')
    environment = {"LOA_WEB_PORT": "3", "LOA_LANG": "en", "LOA_CONFIG": "x", "LOA_NODE_PLAYER": "null", "HOME": "h"}
    made = load(path, environment)
    assert (made.web_port, made.broker_port) == (3, 2)
    assert made.voice_chain == ("gtts", "espeak")
    assert made.now_lead_seconds == 7.0
    assert load(None, {"LOA_VOICE_CHAIN": " gtts , espeak"}).voice_chain == ("gtts", "espeak")


def test_a_file_made_on_windows_is_read(tmp_path: Path) -> None:
    assert load(file(tmp_path, b"\xef\xbb\xbfweb_port = 1\r\n"), {}).web_port == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("web_port = \n", "line 1"),
        ('a = 1\nb = "', "line 2"),
        ("web_port = 1\n\nweb_port = 2\n", "line 3"),
        (b"\xff\xfe", "not UTF-8"),
        ("web_prt = 1\n", "web_port"),
        ("[web]\nport = 1\n", "no setting called web"),
        ("x" * 200_000, "not TOML"),
    ],
)
def test_a_file_that_is_wrong_is_said(tmp_path: Path, content: str | bytes, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        load(file(tmp_path, content), {})


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for path in (tmp_path / "none", tmp_path, loop):
        with pytest.raises(SettingsError, match="cannot be read"):
            load(path, {})


def test_a_name_that_does_not_exist_is_answered_with_the_nearest_or_with_all() -> None:
    assert "Did you mean broker_host?" in str(refused(brokerhost="x"))
    everything = str(refused(frobnicate=1))
    assert all(name in everything for name in NAMES)
    assert len(str(refused(**{"x" * 10_000: 1}))) < 1000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("web_port", value) for value in (True, 80.5, "80.5", "", "x", "٣", "1_0", "9" * 400, None, [1], -1, 65536)],
        *[("broker_port", value) for value in (0, -1, 70000, "0")],
        *[("health_seconds", value) for value in (4, 3601, "soon")],
        *[("now_lead_seconds", value) for value in (-0.1, 601, "nan", "inf", float("nan"), True, "")],
        *[("state_dir", value) for value in ("", " ", "a\0b", 5, [], None)],
        *[("voice_chain", value) for value in ([], "", ",", ["espeak", ""], ["espeak", 5], 5, {"a": 1}, None)],
        *[("station_name", value) for value in ("", " ", "a\nb", "\x1b[2J", 5, ["x"], os.fsdecode(b"\xff"))],
        *[("web_host", value) for value in ("", "a b", 127)],
        *[("broker_host", value) for value in ("", "a b")],
        *[("media_url", value) for value in ("ftp://x", "x", "https://", "http://a b")],
        *[("quiet_since", value) for value in ("24:00", "5:00", "", "21", 21)],
        *[("quiet_until", value) for value in ("05:60", "٠٥:٠٠")],
        *[("zone", value) for value in ("Mars", "", "../etc/passwd", "a" * 300)],
        *[("log_level", value) for value in ("loud", "", 10)],
        *[("database_url", value) for value in ("x", "sqlite://", "mysql://a/b", "postgresql://h:port/x", "a\nb", 5)],
        *[("relays", value) for value in (5, [], ["a"], None, True, {f"r{n}": "https://a.b/" for n in range(101)})],
        *[("relays", {"a b": "https://a.b/"}), ("relays", {"v": "http://10.0.0.1/"}), ("relays", "v=ftp://a.b")],
        *[("private_relays", value) for value in ("yes", 1, None, "")],
        ("broker_password", 1234),
        ("broker_user", ["a"]),
        ("broker_ca", 5),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_name(name: str, value: object) -> None:
    said = refused(**{name: value})
    assert name in said.say("vi")
    assert name in said.say("en")
    assert len(said.say("vi")) < 700


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("web_port", "0", 0),
        ("web_port", " 8081 ", 8081),
        ("now_lead_seconds", "2.5", 2.5),
        ("log_level", "debug", "debug"),
        ("broker_password", "p:w'\"ử#", "p:w'\"ử#"),
        ("database_url", "postgresql://u:p%40ss@[::1]:5432/x", "postgresql://u:p%40ss@[::1]:5432/x"),
        ("database_url", "postgresql:///x?host=/run/postgresql", "postgresql:///x?host=/run/postgresql"),
        ("database_url", "postgresql+psycopg://h/x", "postgresql+psycopg://h/x"),
        ("database_url", "sqlite:////var/lib/loa.db", "sqlite:////var/lib/loa.db"),
        ("web_host", "::", "::"),
        ("media_url", "https://loa.example/audio/", "https://loa.example/audio/"),
        ("state_dir", "/a b/ử", Path("/a b/ử")),
    ],
)
def test_a_value_that_can_be_is_kept(name: str, value: object, kept: object) -> None:
    assert getattr(from_values({name: value}), name) == kept


def test_an_address_of_many_colons_stands_in_brackets() -> None:
    made = from_values({"web_host": "::1", "web_port": 0})
    assert made.web_url(8081) == "http://[::1]:8081"
    assert made.audio_url == "http://[::1]:0/audio"
    assert from_values({"media_url": "https://loa.example/audio/"}).audio_url == "https://loa.example/audio"


def test_the_home_folder_is_found() -> None:
    assert from_values({"state_dir": "~/x"}).state_dir == Path.home() / "x"
    assert from_values({"state_dir": "x"}).state_dir == Path.cwd() / "x"


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("value", ["hush-hush\x00", "hush-hush://a", ["hush-hush"]])
def test_a_secret_is_never_shown(secret: str, value: object) -> None:
    if secret != "broker_password" or not isinstance(value, str) or "\x00" in value:
        assert "hush" not in str(refused(**{secret: value}))
    shown = from_values({"broker_password": "hush", "database_url": "postgresql://a:hush@b/c"}).in_force()
    assert "hush" not in str(shown)
    assert shown.keys() == set(NAMES)
    assert from_values({}).in_force()["broker_password"] == ""


def test_relay_sources_are_a_table_or_a_line_of_the_environment(tmp_path: Path) -> None:
    text = '[relays]\nvov1 = "https://vov.example/1"\n[relays.tinh]\nurl = "http://tinh.example:8000/"\n'
    made = load(file(tmp_path, text + 'title = "Đài tỉnh"\nfallback = "Nhạc chờ"\n'), {})
    assert made.relays == (
        Source("vov1", "https://vov.example/1"),
        Source("tinh", "http://tinh.example:8000/", "Đài tỉnh", "Nhạc chờ"),
    )
    assert made.in_force()["relays"] == "vov1=https://vov.example/1, tinh=http://tinh.example:8000/"
    environment = {"LOA_RELAYS": "a=http://127.0.0.1:1/x, b=https://b.example", "LOA_PRIVATE_RELAYS": "true"}
    assert [each.name for each in load(None, environment).relays] == ["a", "b"]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"v": {"url": "https://a.b/", "titel": "x"}}, "Did you mean title?"),
        ({"v": {"url": "https://a.b/", "title": "x\ny"}}, "one line"),
        ({"v": {"url": "https://a.b/", "fallback": 5}}, "one line"),
        ({"v": {"title": "x"}}, "needs an address"),
        ({"v": "http://hush-hush:hush@a.b/"}, "neither user name nor password"),
        ({"v": "http://192.168.1.9/"}, "private_relays"),
    ],
)
def test_a_relay_source_that_cannot_be_is_said(told: object, why: str) -> None:
    said = str(refused(relays=told))
    assert why in said
    assert "hush" not in said


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()) | st.binary()


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(), VALUES, max_size=3))
def test_any_values_make_settings_or_one_sentence(values: dict[str, object]) -> None:
    made: Settings | None = None
    with suppress(SettingsError):
        made = from_values(values)
    assert made is None or made.state_dir.is_absolute()


@pytest.mark.parametrize(
    ("origin", "right"),
    [
        ("", True),
        ("https://loa.langson.gov.vn", True),
        ("https://loa.example:8443", True),
        ("http://localhost:8080", True),
        ("http://loa.example", False),
        ("https://192.0.2.7", False),  # no browser makes a passkey for an address of digits
        ("https://loa.example/", False),
        ("https://a@loa.example", False),
        ("http://localhost.evil.test", False),
        ("https://Loa.Example", False),
        ("loa.example", False),
    ],
)
def test_the_address_of_passkeys_is_an_origin_as_browsers_say_it(origin: str, right: bool) -> None:
    if right:
        assert from_values({"web_origin": origin}).web_origin == origin
    else:
        with pytest.raises(SettingsError):
            from_values({"web_origin": origin})
