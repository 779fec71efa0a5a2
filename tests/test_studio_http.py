"""The HTTP slot: descriptions, requests and answers, against a service on the loopback that may do anything."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import socket
import ssl
import threading
import wave
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from makers_http import MINIMAL, SECRET, HandTurnedClock, Service, describe, http_service, make_voice
from makers_sound_files import ffmpeg
from makers_voice import make_certificate, make_mp3
from ports import free_port

from controller.studio import Trouble, VoiceError, kokoro_files, make_chain, voices
from controller.studio import http_description as descriptions
from controller.studio.http_request import prepare
from controller.studio.wavs import duration_seconds

TEXT = "Kính mời bà con đến nhà văn hóa thôn. Cuộc họp bắt đầu lúc bảy giờ."
BASE64 = MINIMAL.replace('in = "raw"', 'in = "base64"\npath = "data.0.sound"')
POLLED = MINIMAL.replace('in = "raw"', 'in = "url"\npath = "async"\nhosts = ["{place}"]\npoll_seconds = 3')
WITH_SECRET = MINIMAL + '[headers]\nx-key = "{secret.key}"\n[secrets]\nkey = {env = "VENDOR_KEY"}\n'
ERRORS = '[errors]\npath = "error"\n[errors.codes]\n"7" = "quota"\n"8" = "bad_text"\n"9" = "refused"\n'


@pytest.fixture(scope="module")
def mp3(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_mp3(tmp_path_factory.mktemp("mp3"), 4.0)


def failing(path: Path, folder: Path, text: str = TEXT, tries: int = 0) -> VoiceError:
    with pytest.raises(VoiceError) as failed:
        make_voice(path, tries).speak(text, folder)
    return failed.value


# --- what is sent --------------------------------------------------------------------------------------------


def test_a_raw_answer_is_the_sound(tmp_path: Path, mp3: bytes) -> None:
    with http_service((200, mp3)) as service:
        wav = make_voice(describe(tmp_path, MINIMAL, service)).speak(TEXT, tmp_path)
    assert [(one.method, one.path, one.body.decode()) for one in service.asked] == [("POST", "/speak", TEXT)]
    assert duration_seconds(wav) == pytest.approx(4.0, abs=0.2)
    with wave.open(str(wav), "rb") as sound:
        assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)


def test_a_long_text_is_cut_at_its_limit_and_joined_without_gaps(tmp_path: Path, mp3: bytes) -> None:
    long = "mưa to gió lớn nước lên rất nhanh " * 12
    with http_service((200, mp3)) as service:
        wav = make_voice(describe(tmp_path, "most_chars = 100\n" + MINIMAL, service)).speak(long, tmp_path)
    count = len(service.asked)
    assert count >= 4
    assert all(len(one.body.decode()) <= 100 for one in service.asked)
    assert " ".join(one.body.decode() for one in service.asked).split() == long.split()
    assert duration_seconds(wav) == pytest.approx(count * 4.0 + (count - 1) * 0.06, abs=0.1 * count)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["http.wav", "thu.toml"]


def test_parts_of_another_rate_are_joined_at_their_own_pitch_and_length(tmp_path: Path, mp3: bytes) -> None:
    slow = ffmpeg(tmp_path / "slow.mp3", "-f", "lavfi", "-i", "sine=f=300:d=4", "-ar", "16000").read_bytes()
    with http_service((200, mp3), (200, slow)) as service:
        path = describe(tmp_path, "most_chars = 40\n" + MINIMAL, service)
        wav = make_voice(path).speak("Kính mời bà con đến nhà văn hóa. Cuộc họp bắt đầu lúc bảy giờ.", tmp_path)
    assert duration_seconds(wav) == pytest.approx(8.35, abs=0.3)


HOSTILE = [
    'a", "role": "admin',
    "{secret.key} {voice}",
    "</voice><script>&amp;'",
    "{",
    "\\\r\nX-Evil: 1",
    "\x00\x0b￿ á",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_stays_a_text_in_json_xml_and_addresses(tmp_path: Path, text: str) -> None:
    values = {"key": SECRET}
    head = 'url = "https://a.vn/x?y=1"\nvoice = "lan"\nspeed = 1.5\n'
    tail = '[secrets]\nkey = {env = "VENDOR_KEY"}\n[audio]\nin = "raw"\nformat = "mp3"\n'
    as_json = describe(
        tmp_path,
        head
        + '[body.json]\ntext = "{text}"\nv = ["{voice}/{speed}", 1, true]\nspeed = "{speed}"\nk = "{secret.key}"\n'
        + tail,
    )
    sent = prepare(descriptions.read(as_json), text, values).body
    assert isinstance(sent, bytes)
    assert json.loads(sent) == {"text": text, "v": ["lan/1.5", 1, True], "speed": 1.5, "k": SECRET}
    as_xml = describe(tmp_path, head + "[body]\nxml = '<speak><voice name=\"{voice}\">{text}</voice></speak>'\n" + tail)
    sent = prepare(descriptions.read(as_xml), text, values).body
    (inner,) = ElementTree.fromstring(sent or b"")
    assert (inner.attrib, len(inner)) == ({"name": "lan"}, 0)
    assert SECRET not in (inner.text or "")
    asked = describe(tmp_path, 'method = "GET"\n' + head + '[query]\nq = "{text}"\n' + tail)
    url = prepare(descriptions.read(asked), text, values).url or ""
    assert url.startswith("https://a.vn/x?y=1&q=")
    assert not set(url) & set("\r\n \"<>{}'\\")


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.text(max_size=60))
def test_any_text_comes_back_from_the_json_that_was_sent(tmp_path: Path, text: str) -> None:
    body = MINIMAL.replace('text = "{text}"', 'json = {a = {b = "-{text}-"}}').replace("{url}", "https://a.vn")
    sent = prepare(descriptions.read(describe(tmp_path, body)), text, {}).body
    assert isinstance(sent, bytes)
    assert json.loads(sent) == {"a": {"b": f"-{text}-"}}


def test_a_secret_from_a_file_or_the_environment_is_sent_and_never_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("VENDOR_KEY", SECRET)
    (tmp_path / "key").write_text(f"{SECRET}2\n")
    more = '[headers]\nx-key = "{secret.key}"\nx-two = "Bearer {secret.two}"\n'
    where = '[secrets]\nkey = {env = "VENDOR_KEY"}\ntwo = {file = "key"}\n' + ERRORS
    answer = json.dumps({"error": SECRET, "message": SECRET}).encode()
    said = []
    for reply in ((401, answer), (200, answer), (500, answer), (302, b"", {"Location": f"/{SECRET}"})):
        with http_service(reply) as service:
            path = describe(tmp_path, MINIMAL + more + where, service)
            failed = failing(path, tmp_path)
            said += [str(failed), failed.say("vi"), repr(failed.facts)]
        assert {one.headers["x-key"] for one in service.asked} == {SECRET}
        assert {one.headers["x-two"] for one in service.asked} == {f"Bearer {SECRET}2"}
    assert SECRET not in "".join(said) + caplog.text + repr(descriptions.read(path))


@pytest.mark.parametrize(
    ("value", "key"), [(None, "no_secret"), ("", "no_secret"), ("a\nb", "bad_secret"), ("mật", "bad_secret")]
)
def test_a_secret_that_is_missing_or_broken_is_named_but_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None, key: str
) -> None:
    monkeypatch.delenv("VENDOR_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("VENDOR_KEY", value)
    with http_service((200, b"")) as service:
        path = describe(tmp_path, WITH_SECRET, service)
        failed = failing(path, tmp_path)
        assert service.asked == []
    assert (failed.kind, failed.key) == (Trouble.REFUSED, f"voices.{key}")
    assert "VENDOR_KEY" in failed.say("vi")
    why_not = make_voice(path).why_not()
    assert why_not is not None
    assert why_not.key == failed.key


# --- what comes back -----------------------------------------------------------------------------------------


def test_base64_inside_json_is_the_sound(tmp_path: Path, mp3: bytes) -> None:
    body = json.dumps({"data": [{"sound": base64.b64encode(mp3).decode()}]}).encode()
    with http_service((200, body)) as service:
        wav = make_voice(describe(tmp_path, BASE64, service)).speak(TEXT, tmp_path)
    assert duration_seconds(wav) == pytest.approx(4.0, abs=0.2)


def test_a_url_is_asked_for_until_the_sound_is_there_without_the_secret(
    tmp_path: Path, mp3: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENDOR_KEY", SECRET)
    clock = HandTurnedClock()
    more = WITH_SECRET.removeprefix(MINIMAL)
    with http_service((200, b'{"async": "{url}/a.mp3"}'), (404, b"<html>"), (202, b""), (200, mp3)) as service:
        wav = make_voice(describe(tmp_path, POLLED + more, service), clock=clock).speak(TEXT, tmp_path)
    assert duration_seconds(wav) == pytest.approx(4.0, abs=0.2)
    assert clock.rests == [3, 3]
    assert [(one.method, one.path) for one in service.asked] == [("POST", "/speak"), *[("GET", "/a.mp3")] * 3]
    assert [SECRET in str(one.headers) for one in service.asked] == [True, False, False, False]


def test_a_url_where_nothing_ever_appears_is_given_up(tmp_path: Path) -> None:
    clock = HandTurnedClock()
    with http_service((200, b'{"async": "{url}/a.mp3"}'), (404, b"")) as service:
        path = describe(tmp_path, POLLED.replace("poll_seconds", "limit_seconds = 20\npoll_seconds"), service)
        with pytest.raises(VoiceError) as failed:
            make_voice(path, 0, clock).speak(TEXT, tmp_path)
    assert (failed.value.kind, failed.value.key) == (Trouble.TEMPORARY, "studio.hung")
    assert sum(clock.rests) == 18


def test_after_its_time_nothing_more_is_asked(tmp_path: Path) -> None:
    clock = HandTurnedClock()
    with http_service((200, b'{"async": "{url}/a.mp3"}'), (404, b"")) as service:
        path = describe(tmp_path, "give_up_seconds = 10\n" + POLLED, service)
        with pytest.raises(VoiceError) as failed:
            make_voice(path, 3, clock).speak(TEXT, tmp_path)
        assert (failed.value.key, clock.rests) == ("voices.refused", [3, 3, 3, 1])
        clock, service.answers = HandTurnedClock(), [(429, b"", {"Retry-After": "30"})]
        with pytest.raises(VoiceError) as failed:
            make_voice(path, 3, clock).speak(TEXT, tmp_path)
    assert (failed.value.key, clock.rests) == ("voices.quota", [])


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/a.mp3",
        "https://evil.example/a.mp3",
        "{url}@evil.example/a.mp3",
        "https://evil.example\\\\@{place}/a.mp3",
        "http://localhost/a.mp3",
        "https://169.254.169.254/latest/meta-data",
    ],
)
def test_a_url_on_another_host_is_not_asked_for(tmp_path: Path, url: str) -> None:
    with http_service((200, b"")) as service:
        body = json.dumps({"async": url.replace("{place}", service.place)}).encode()
        service.answers = [(200, body)]
        failed = failing(describe(tmp_path, POLLED, service), tmp_path)
    assert failed.key in {"voices.other_host", "voices.no_sound"}
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://127.0.0.1/a", "http://a.vn/x", "//127.0.0.1/a", "", "a", " {url}/a", "{url}/a b"],
)
def test_what_is_no_address_is_no_sound(tmp_path: Path, url: str) -> None:
    with http_service((200, b"")) as service:
        service.answers = [(200, json.dumps({"async": url}).encode())]
        failed = failing(describe(tmp_path, POLLED, service), tmp_path)
    assert (failed.kind, failed.key) == (Trouble.TEMPORARY, "voices.no_sound")


def test_a_redirect_is_not_followed_from_the_request_or_the_poll(
    tmp_path: Path, mp3: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENDOR_KEY", SECRET)
    with http_service((200, mp3)) as other, http_service((307, b"", {"Location": other.url})) as service:
        failed = failing(describe(tmp_path, WITH_SECRET, service), tmp_path)
        assert (failed.kind, failed.key) == (Trouble.REFUSED, "voices.refused")
        service.answers = [(200, b'{"async": "{url}/a"}'), (302, b"", {"Location": other.url})]
        assert failing(describe(tmp_path, POLLED, service), tmp_path).key == "voices.refused"
    assert other.asked == []


NO_SOUND = [b"", b"<html><body>Sorry</body></html>", b"{}", b"null", b"[1]", b"[" * 100_000, b"RIFF\x00", b"\xff" * 9]
SHAPES = [MINIMAL, BASE64, POLLED]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("body", NO_SOUND)
def test_an_answer_without_sound_is_temporary(tmp_path: Path, shape: str, body: bytes) -> None:
    with http_service((200, body)) as service:
        failed = failing(describe(tmp_path, shape, service), tmp_path)
    assert failed.kind is Trouble.TEMPORARY
    assert failed.key in {"voices.no_sound", "studio.unreadable"}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9), st.lists, max_leaves=6))
def test_any_json_at_the_place_of_the_sound_is_a_typed_failure(tmp_path: Path, value: object) -> None:
    for shape, body in ((BASE64, {"data": [{"sound": value}]}), (POLLED, {"async": value}), (BASE64, {"data": value})):
        with http_service((200, json.dumps(body).encode())) as service:
            assert failing(describe(tmp_path, shape, service), tmp_path).kind is Trouble.TEMPORARY


def test_another_format_half_a_file_and_a_wrong_length_are_caught(tmp_path: Path, mp3: bytes) -> None:
    wav = ffmpeg(tmp_path / "a.wav", "-f", "lavfi", "-i", "sine=f=300:d=4").read_bytes()
    with http_service((200, wav)) as service:
        assert failing(describe(tmp_path, MINIMAL, service), tmp_path).key == "voices.no_sound"
        path = describe(tmp_path, MINIMAL.replace('"mp3"', '"wav"'), service)
        assert duration_seconds(make_voice(path).speak(TEXT, tmp_path)) == pytest.approx(4, abs=0.2)
        service.answers = [(200, wav[: len(wav) // 2])]
        assert failing(path, tmp_path).key == "studio.unreadable"
        service.answers = [(200, mp3[:3000])]
        assert failing(describe(tmp_path, MINIMAL, service), tmp_path).key == "studio.implausible"
        service.answers = [(200, mp3, {"Content-Length": str(2 * len(mp3)), "Connection": "close"})]
        assert failing(describe(tmp_path, MINIMAL, service), tmp_path).key == "voices.unreachable"


def test_an_answer_without_end_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mp3: bytes) -> None:
    monkeypatch.setattr("controller.studio.http_voice.MOST_ANSWER_BYTES", 5000)
    with http_service((200, mp3)) as service:
        assert failing(describe(tmp_path, MINIMAL, service), tmp_path).key == "voices.unreachable"


@pytest.mark.parametrize(
    ("answer", "kind", "key"),
    [
        ((400, b""), Trouble.REFUSED, "voices.refused"),
        ((401, b""), Trouble.REFUSED, "voices.denied"),
        ((403, b"<html>"), Trouble.REFUSED, "voices.denied"),
        ((404, b""), Trouble.REFUSED, "voices.refused"),
        ((408, b""), Trouble.TEMPORARY, "voices.refused"),
        ((429, b""), Trouble.QUOTA, "voices.quota"),
        ((500, b""), Trouble.TEMPORARY, "voices.refused"),
        ((599, b""), Trouble.TEMPORARY, "voices.refused"),
        ((204, b""), Trouble.REFUSED, "voices.refused"),
        ((400, b'{"error": 8}'), Trouble.BAD_TEXT, "voices.bad_text"),
        ((200, b'{"error": 7}'), Trouble.QUOTA, "voices.quota"),
        ((200, b'{"error": "8"}'), Trouble.BAD_TEXT, "voices.bad_text"),
        ((200, b'{"error": 9}'), Trouble.REFUSED, "voices.refused"),
        ((200, b'{"error": 12}'), Trouble.TEMPORARY, "voices.refused"),
        ((200, b'{"error": 0}'), Trouble.TEMPORARY, "voices.no_sound"),
        ((200, b'{"error": {"a": []}}'), Trouble.TEMPORARY, "voices.refused"),
    ],
)
def test_a_refusal_is_typed(tmp_path: Path, answer: tuple[int, bytes], kind: Trouble, key: str) -> None:
    with http_service(answer) as service:
        failed = failing(describe(tmp_path, MINIMAL + ERRORS, service), tmp_path)
    assert (failed.kind, failed.key) == (kind, key)
    assert failed.say("vi") != failed.say("en")


def test_what_a_status_means_may_be_described(tmp_path: Path) -> None:
    more = '[errors.status]\n400 = "bad_text"\n402 = "quota"\n503 = "refused"\n'
    for status, kind in ((400, Trouble.BAD_TEXT), (402, Trouble.QUOTA), (503, Trouble.REFUSED)):
        with http_service((status, b"")) as service:
            assert failing(describe(tmp_path, MINIMAL + more, service), tmp_path, tries=2).kind is kind
            assert len(service.asked) == (3 if kind is Trouble.QUOTA else 1)


def test_it_is_tried_again_with_the_pauses_it_is_asked_for(tmp_path: Path, mp3: bytes) -> None:
    clock = HandTurnedClock()
    late = [(429, b"", {"Retry-After": each}) for each in ("7", "99999999", "Wed, 21 Oct 2026 07:28:00 GMT", "-1", "²")]
    with http_service(*late, (503, b""), (200, mp3)) as service:
        make_voice(describe(tmp_path, MINIMAL, service), 6, clock).speak(TEXT, tmp_path)
    assert clock.rests == [7, 60, 3, 4, 5, 6]


def test_a_certificate_nobody_vouches_for_ends_it_before_a_word_is_sent(tmp_path: Path) -> None:
    with http_service((200, b""), certificate=make_certificate(tmp_path)) as service:
        failed = failing(describe(tmp_path, MINIMAL, service), tmp_path, tries=2)
    assert (failed.kind, failed.key) == (Trouble.REFUSED, "voices.untrusted")
    assert service.asked == []


def test_over_tls_a_service_somebody_vouches_for_is_heard_and_hung_up_on(
    tmp_path: Path, mp3: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path)
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate))
    with http_service((200, mp3), certificate=certificate) as service:
        path = describe(tmp_path, "timeout_seconds = 1\n" + MINIMAL, service)
        assert duration_seconds(make_voice(path).speak(TEXT, tmp_path)) == pytest.approx(4, abs=0.2)
        assert len(service.asked) == 1
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with context.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True) as server:
        thread = threading.Thread(target=_serve, args=(server, b"HTTP/1.1 200 OK\r\nX: ", b"y", _drip))
        thread.start()
        place = f"127.0.0.1:{server.getsockname()[1]}"
        failed = failing(
            describe(tmp_path, "timeout_seconds = 1\n" + MINIMAL, Service(f"https://{place}", place)), tmp_path
        )
        thread.join()
    assert (failed.kind, failed.key) == (Trouble.TEMPORARY, "voices.unreachable")


def test_a_closed_port_is_unreachable(tmp_path: Path) -> None:
    path = describe(tmp_path, MINIMAL.replace("{url}", f"http://127.0.0.1:{free_port()}"))
    failed = failing(path, tmp_path)
    assert (failed.kind, failed.key) == (Trouble.TEMPORARY, "voices.unreachable")


def _send_all(client: socket.socket, said: bytes) -> None:
    client.sendall(said)


def _serve(server: socket.socket, first: bytes, then: bytes, send: Callable[[socket.socket, bytes], None]) -> None:
    client, _ = server.accept()
    with client, contextlib.suppress(OSError):
        client.sendall(first)
        send(client, then)


def _drip(client: socket.socket, said: bytes) -> None:
    for _ in range(100_000):
        client.sendall(said)
        threading.Event().wait(0.01)


@pytest.mark.parametrize(
    ("first", "then", "send"),
    [
        (b"", b"H", _drip),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y", _drip),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"y", _drip),
        (b"", b"what is this\r\n\r\n", _send_all),
        (b"", b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", _send_all),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"zz\r\nhello", _send_all),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"5\r\nhe", _send_all),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", b"no gzip", _send_all),
        (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 5000, _send_all),
        (b"", b"", _send_all),
    ],
)
def test_a_service_that_drips_or_breaks_http_is_given_up(
    tmp_path: Path, first: bytes, then: bytes, send: Callable[[socket.socket, bytes], None]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = f"127.0.0.1:{server.getsockname()[1]}"
        path = describe(tmp_path, "timeout_seconds = 1\n" + MINIMAL, Service(f"http://{place}", place))
        thread = threading.Thread(target=_serve, args=(server, first, then, send))
        thread.start()
        with pytest.raises(VoiceError) as failed:
            make_voice(path, 0, seconds=0.5).speak(TEXT, tmp_path)
        thread.join()
    assert failed.value.kind is Trouble.TEMPORARY
    assert failed.value.key in {"voices.unreachable", "voices.no_sound"}


def test_a_text_without_words_is_refused_and_not_sent(tmp_path: Path) -> None:
    with http_service((200, b"")) as service:
        assert failing(describe(tmp_path, MINIMAL, service), tmp_path, "… !!!").kind is Trouble.BAD_TEXT
    assert service.asked == []


# --- the chain -----------------------------------------------------------------------------------------------


def test_the_chain_knows_what_is_described_in_the_folder(tmp_path: Path, mp3: bytes) -> None:
    with http_service((500, b"")) as service:
        describe(tmp_path, "timeout_seconds = 1\n" + MINIMAL.replace("{url}", service.url), name="fpt")
    (tmp_path / "Not A Name.toml").write_text("")
    assert [each.name for each in make_chain(["http:fpt", "espeak"], tmp_path).voices] == ["http:fpt", "espeak"]
    offline = {"espeak": True, "kokoro": not kokoro_files.missing()}
    assert {each.name: each.available for each in voices(tmp_path)} == offline | {"gtts": True, "http:fpt": True}
    with pytest.raises(VoiceError, match="espeak, gtts, kokoro, http:fpt"):
        make_chain(["http:none"], tmp_path).speak(tmp_path, TEXT)
    for wrong in ("http:../fpt", "http:", "fpt", "http:Not A Name"):  # a slip of the keyboard is said at once
        with pytest.raises(VoiceError, match="espeak, gtts, kokoro, http:fpt"):
            make_chain([wrong], tmp_path)
    with pytest.raises(VoiceError, match="espeak, gtts, kokoro"):
        make_chain(["http:fpt"], tmp_path / "nowhere").speak(tmp_path, TEXT)


def test_a_service_that_fails_leaves_the_text_to_the_next_voice(tmp_path: Path) -> None:
    with http_service((401, b"")) as service:
        describe(tmp_path, MINIMAL, service, "fpt")
        reading = make_chain(["http:fpt", "espeak"], tmp_path).speak(tmp_path, TEXT)
    assert reading.voice == "espeak"
    assert [(each.voice, each.error.kind) for each in reading.failures] == [("http:fpt", Trouble.REFUSED)]
