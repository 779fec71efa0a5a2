"""Descriptions of speech services: what is taken, and the sentence for everything that is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from makers_http import MINIMAL, make_voice

from controller.studio import Trouble, VoiceError, voices
from controller.studio import http_description as descriptions
from controller.studio.addresses import read_address

GOOD = MINIMAL.replace("{url}", "https://a.vn")


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("", "missing_key", "url"),
        ("url = ", "not_toml", ""),
        ("\xff", "not_toml", ""),
        ("a = " + "[" * 5000, "not_toml", ""),
        ("x = 1\n" + GOOD, "unknown_key", "x"),
        (GOOD.replace("https", "http"), "bad_value", "url"),
        (GOOD.replace("a.vn", "u:p@a.vn"), "bad_value", "url"),
        (GOOD.replace("a.vn", "a.vn:99999"), "bad_value", "url"),
        (GOOD.replace("https://a.vn/speak", "file:///etc/passwd"), "bad_value", "url"),
        (GOOD.replace('"https://a.vn/speak"', "7"), "bad_value", "url"),
        ('method = "DELETE"\n' + GOOD, "bad_value", "method"),
        ("most_chars = 5\n" + GOOD, "bad_value", "most_chars"),
        ("most_chars = true\n" + GOOD, "bad_value", "most_chars"),
        ("most_chars = 50.5\n" + GOOD, "bad_value", "most_chars"),
        ("timeout_seconds = inf\n" + GOOD, "bad_value", "timeout_seconds"),
        ("timeout_seconds = nan\n" + GOOD, "bad_value", "timeout_seconds"),
        ("speed = [1]\n" + GOOD, "bad_value", "speed"),
        ("speed = nan\n" + GOOD, "bad_value", "speed"),
        ("body = 5\n" + GOOD.replace('[body]\ntext = "{text}"', ""), "bad_value", "body"),
        (GOOD.replace("{text}", "hello"), "bad_value", "{text}"),
        (GOOD.replace("{text}", "{text} {who}"), "bad_value", "body"),
        (GOOD.replace("{text}", "{text} {secret.key}"), "bad_value", "body"),
        (GOOD.replace('text = "{text}"', 'text = "{text}"\nxml = "{text}"'), "bad_value", "body"),
        (GOOD.replace('text = "{text}"', 'form = "{text}"'), "bad_value", "form"),
        (GOOD.replace('text = "{text}"', 'json = {a = "{text}", b = 2026-01-01}'), "bad_value", "json"),
        (GOOD.replace('text = "{text}"', 'json = {a = "{text}", b = inf}'), "bad_value", "json"),
        (GOOD + '[headers]\nHost = "b.vn"\n', "bad_value", "Host"),
        (GOOD + '[headers]\n"a b" = "x"\n', "bad_value", "headers"),
        (GOOD + '[headers]\na = "x\\r\\ny: z"\n', "bad_value", "headers.a"),
        (GOOD + '[headers]\na = "{text}"\n', "bad_value", "headers"),
        (GOOD + '[query]\na = "{secret.key}"\n[secrets]\nkey = {env = "K"}\n', "bad_value", "query"),
        (GOOD + '[secrets]\nkey = {env = "LOA_KEY"}\n', "bad_value", "env"),
        (GOOD + "[secrets]\nkey = {}\n", "bad_value", "key"),
        (GOOD + '[secrets]\nkey = {env = "A", file = "b"}\n', "bad_value", "key"),
        (GOOD + '[secrets]\nkey = {env = "A", x = 1}\n', "unknown_key", "secrets.key.x"),
        (GOOD + '[secrets]\nkey = "A"\n', "bad_value", "secrets.key"),
        (GOOD.replace('"raw"', '"url"\npath = "a"'), "bad_value", "hosts"),
        (GOOD.replace('"raw"', '"url"\npath = "a"\nhosts = ["*"]'), "bad_value", "hosts"),
        (GOOD.replace('"raw"', '"url"\npath = "a"\nhosts = [1.5]'), "bad_value", "hosts"),
        (GOOD.replace('"raw"', '"base64"'), "missing_key", "path"),
        (GOOD.replace('"raw"', '"base64"\npath = ".a"'), "bad_value", "path"),
        (GOOD.replace('"raw"', '"base16"'), "bad_value", "audio.in"),
        (GOOD.replace('"mp3"', '"exe"'), "bad_value", "audio.format"),
        (GOOD.replace('format = "mp3"', ""), "missing_key", "audio.format"),
        (GOOD + 'not_yet = ["soon"]\n', "bad_value", "not_yet"),
        (GOOD + "limit_seconds = 6000\n", "bad_value", "limit_seconds"),
        (GOOD + '[errors.status]\n400 = "maybe"\n', "bad_value", "errors.status.400"),
        (GOOD + '[errors.status]\n200 = "quota"\n', "bad_value", "errors.status.200"),
        (GOOD + "[errors]\nfine = 0\n", "bad_value", "errors.fine"),
        (GOOD + "#" * 70_000, "too_large", ""),
    ],
)
def test_a_description_that_cannot_be_used_says_why(tmp_path: Path, text: str, key: str, says: str) -> None:
    path = tmp_path / "thu.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(VoiceError) as refused:
        descriptions.read(path)
    assert (refused.value.kind, refused.value.key) == (Trouble.REFUSED, f"voices.{key}")
    assert says in refused.value.say("vi")
    (state,) = [each for each in voices(tmp_path) if each.name == "http:thu"]
    assert not state.available


def test_a_description_that_is_gone_or_a_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "thu.toml").mkdir()
    for name in ("thu", "khac"):
        with pytest.raises(VoiceError) as refused:
            make_voice(tmp_path / f"{name}.toml").speak("Xin chào.", tmp_path)
        assert (refused.value.kind, refused.value.key) == (Trouble.REFUSED, "voices.unreadable")


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_description_or_a_sentence(tmp_path: Path, held: bytes) -> None:
    path = tmp_path / "thu.toml"
    path.write_bytes(held)
    with pytest.raises(VoiceError):
        descriptions.read(path)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://A.vn", "a.vn"),
        ("https://a.vn:443/x", "a.vn"),
        ("https://a.vn:8443/x?y=%20", "a.vn:8443"),
        ("http://127.0.0.1:80", "127.0.0.1"),
        ("http://[::1]:81/", "[::1]:81"),
        ("http://a.vn", None),
        ("https://a.vn:0/", None),
        ("https://a.vn/#x", None),
        ("https://a.vn\n/", None),
        ("https://á.vn/", None),
        ("https://", None),
        ("http://127.0.0.1.evil.vn/", None),
    ],
)
def test_an_address_is_one_that_may_be_asked_or_none(url: str, place: str | None) -> None:
    found = read_address(url)
    assert (found.place if found else None) == place
