"""The descriptions in docs/voices.md, each against a local server that speaks the shape its vendor documents."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from makers_http import SECRET, HandTurnedClock, Service, http_service, make_voice
from makers_voice import make_mp3

from controller.studio import Trouble, VoiceError
from controller.studio import http_description as descriptions
from controller.studio.wavs import duration_seconds

TEXT = 'Mời bà con "đến" họp & nghe <thông báo> lúc bảy giờ sáng.'
PAGE = (Path(__file__).parent.parent / "docs" / "voices.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"```toml\n# (\w+)\.toml\n(.*?)```", PAGE, re.DOTALL))


def example(name: str, folder: Path, service: Service) -> Path:
    """The example as it stands, but for where the vendor and the secret are."""
    text = re.sub(r"https://[\w.-]+", service.url, EXAMPLES[name])
    text = re.sub(r'hosts = \["[^"]+"\]', f'hosts = ["{service.place}"]', text)
    text = re.sub(r'\{ (env|file) = "[^"]+" \}', '{ file = "secret" }', text)
    (folder / "secret").write_text(SECRET)
    path = folder / f"{name}.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def mp3(tmp_path: Path) -> bytes:
    return make_mp3(tmp_path, 4.0)


def test_the_page_has_an_example_of_each_vendor_that_can_be_read_as_it_stands(tmp_path: Path) -> None:
    assert set(EXAMPLES) == {"fpt", "viettel", "google", "azure"}
    for name, text in EXAMPLES.items():
        (tmp_path / f"{name}.toml").write_text(text, "utf-8")
        found = descriptions.read(tmp_path / f"{name}.toml")
        assert found.request.address.url.startswith("https://")
        assert found.secrets


def test_the_page_names_every_key_of_a_description() -> None:
    source = Path(descriptions.__file__).read_text("utf-8")
    keys = set(re.findall(r'\.(?:text|number|scalar|table|list_of)\("(\w+)"', source)) - {"env", "file", "body"}
    assert [key for key in keys if not re.search(rf"`[^`]*\b{key}\b[^`]*`", PAGE)] == []


def test_fpt_is_asked_and_its_link_polled(tmp_path: Path, mp3: bytes) -> None:
    told = {"async": "{url}/text2speech-v5/a.mp3", "error": 0, "message": "in a few seconds", "request_id": "x"}
    with http_service((200, json.dumps(told).encode()), (404, b""), (200, mp3)) as service:
        wav = make_voice(example("fpt", tmp_path, service), clock=HandTurnedClock()).speak(TEXT, tmp_path)
        first, *polls = service.asked
        service.answers = [(200, b'{"error": 2, "message": "no"}')]
        with pytest.raises(VoiceError) as failed:
            make_voice(example("fpt", tmp_path, service), 0).speak(TEXT, tmp_path)
    assert duration_seconds(wav) == pytest.approx(4, abs=0.2)
    assert (first.method, first.path, first.body.decode()) == ("POST", "/hmi/tts/v5", TEXT)
    assert [first.headers[name] for name in ("api-key", "voice", "speed")] == [SECRET, "banmai", "0"]
    assert [(each.method, "api-key" in each.headers) for each in polls] == [("GET", False)] * 2
    assert failed.value.kind is Trouble.TEMPORARY


def test_viettel_answers_with_the_sound(tmp_path: Path, mp3: bytes) -> None:
    with http_service((200, mp3)) as service:
        make_voice(example("viettel", tmp_path, service)).speak(TEXT, tmp_path)
        service.answers = [(200, b'{"code": 401, "en_message": "Invalid token"}')]
        with pytest.raises(VoiceError) as failed:
            make_voice(example("viettel", tmp_path, service), 0).speak(TEXT, tmp_path)
    (asked, _) = service.asked
    assert asked.headers["Content-Type"] == "application/json"
    wanted = {"voice": "hn-quynhanh", "speed": 1.0, "tts_return_option": 3, "without_filter": False}
    assert asked.json == {"text": TEXT, "token": SECRET, **wanted}
    assert failed.value.key == "voices.no_sound"


def test_google_answers_with_base64(tmp_path: Path, mp3: bytes) -> None:
    body = json.dumps({"audioContent": base64.b64encode(mp3).decode()}).encode()
    with http_service((200, body)) as service:
        make_voice(example("google", tmp_path, service)).speak(TEXT, tmp_path)
        for status, kind in ((400, Trouble.REFUSED), (403, Trouble.REFUSED), (429, Trouble.QUOTA)):
            service.answers = [(status, b'{"error": {"code": 400, "status": "INVALID_ARGUMENT"}}')]
            with pytest.raises(VoiceError) as failed:
                make_voice(example("google", tmp_path, service), 0).speak(TEXT, tmp_path)
            assert failed.value.kind is kind
    asked = service.asked[0]
    assert (asked.path, asked.headers["X-Goog-Api-Key"]) == ("/v1/text:synthesize", SECRET)
    assert asked.json == {
        "input": {"text": TEXT},
        "voice": {"languageCode": "vi-VN", "name": "vi-VN-Standard-A"},
        "audioConfig": {"audioEncoding": "MP3", "speakingRate": 1.0},
    }


def test_azure_is_sent_ssml(tmp_path: Path, mp3: bytes) -> None:
    with http_service((200, mp3)) as service:
        make_voice(example("azure", tmp_path, service)).speak(TEXT, tmp_path)
    (asked,) = service.asked
    ((prosody,),) = ElementTree.fromstring(asked.body)
    assert (prosody.text, prosody.attrib, len(prosody)) == (TEXT, {"rate": "0%"}, 0)
    assert asked.headers["Content-Type"] == "application/ssml+xml"
    assert asked.headers["Ocp-Apim-Subscription-Key"] == SECRET
    assert asked.headers["X-Microsoft-OutputFormat"].endswith("mono-mp3")
