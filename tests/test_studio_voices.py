"""Voices: real espeak-ng, gTTS against a service on the loopback, and the chain that asks one after the other."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
import wave
from collections.abc import Callable
from pathlib import Path

import pytest
from makers_sound_files import ffmpeg
from makers_voice import make_certificate, make_mp3, make_program, sound_answer, speech_service
from ports import free_port

from cage import Ended
from controller.studio import Chain, Trouble, VoiceError, espeak_voice, kokoro_files, make_chain, programs, voices
from controller.studio.espeak_voice import EspeakVoice
from controller.studio.gtts_voice import GttsSettings, GttsVoice
from controller.studio.wavs import duration_seconds

TEXT = "Kính mời bà con đến nhà văn hóa thôn. Cuộc họp bắt đầu lúc bảy giờ."


def make_gtts(url: str, rests: list[float] | None = None, tries: int = 2) -> GttsVoice:
    noted = rests if rests is not None else []
    return GttsVoice(GttsSettings(url, 5.0, tuple(float(n) for n in range(1, tries + 1))), rest=noted.append)


class Counted:
    """A voice that fails in one way as long as it is told to, and counts how often it was asked."""

    def __init__(self, name: str, fails: Trouble | None = None) -> None:
        self.name, self.fails, self.asked = name, fails, 0
        self._voice = EspeakVoice()

    def why_not(self) -> VoiceError | None:
        return None

    def speak(self, text: str, work_dir: Path) -> Path:
        self.asked += 1
        if self.fails:
            raise VoiceError(self.fails, "studio.hung", voice=self.name, seconds="60")
        return self._voice.speak(text, work_dir)


def test_a_voice_that_hung_keeps_the_next_texts_waiting_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    online, floor = Counted("online", Trouble.TEMPORARY), Counted("floor")
    chain = Chain([online, floor])
    for number in range(3):
        (tmp_path / str(number)).mkdir()
        read = chain.speak(tmp_path / str(number), "Có.")
        assert (read.voice, [each.voice for each in read.failures]) == ("floor", ["online"]), "and it is still named"
    assert (online.asked, floor.asked) == (1, 3)
    floor.fails, online.fails = Trouble.TEMPORARY, None
    assert chain.speak(tmp_path, "Có.").voice == "online", "who rests is asked before nobody is"
    floor.fails = None
    monkeypatch.setattr("controller.studio.chain.REST_SECONDS", -1.0)
    online.fails = Trouble.QUOTA
    for _ in range(2):
        assert chain.speak(tmp_path, "Có.").voice == "floor"
    assert online.asked == 4, "rested, it is asked again"


def test_a_voice_that_is_not_installed_does_not_rest(tmp_path: Path) -> None:
    absent, floor = Counted("absent", Trouble.REFUSED), Counted("floor")
    chain = Chain([absent, floor])
    for _ in range(2):
        assert chain.speak(tmp_path, "Có.").voice == "floor"
    assert absent.asked == 2


def test_espeak_reads_a_text_as_long_as_reading_takes(tmp_path: Path) -> None:
    wav = EspeakVoice().speak(TEXT, tmp_path)
    assert 3 < duration_seconds(wav) < 15
    with wave.open(str(wav), "rb") as sound:
        assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)
        assert len(set(sound.readframes(20_000))) > 50


def test_espeak_reads_long_text_whole_in_parts(tmp_path: Path) -> None:
    once = duration_seconds(EspeakVoice().speak(TEXT, tmp_path))
    many = duration_seconds(EspeakVoice().speak("\n".join([TEXT] * 100), tmp_path))
    assert many == pytest.approx(100 * once, rel=0.15)
    assert [path.name for path in tmp_path.iterdir()] == ["espeak.wav"]


def test_espeak_pauses_between_sentences(tmp_path: Path) -> None:
    flowing = duration_seconds(EspeakVoice().speak("Có mưa to có gió lớn có lũ quét", tmp_path))
    apart = duration_seconds(EspeakVoice().speak("Có mưa to. Có gió lớn. Có lũ quét.", tmp_path))
    assert apart > flowing + 0.3


def test_espeak_takes_our_voice_wherever_it_was_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / "lib" / "python3.11" / "site-packages" / "controller" / "studio"
    deep.mkdir(parents=True)
    ours = shutil.copyfile(espeak_voice._VOICE_FILE, deep / "loa.voice")
    monkeypatch.setattr(espeak_voice, "_VOICE_FILE", ours)
    asked: list[list[str]] = []
    monkeypatch.setattr(espeak_voice.programs, "run", _noting(asked, programs.run))
    EspeakVoice().speak(TEXT, tmp_path)
    assert [command[1] for command in asked] == ["-v", "--load"], "asked for its sounds, then to read; not again, plain"


def _noting(asked: list[list[str]], run: Callable[..., Ended]) -> Callable[..., Ended]:
    def noted(command: list[str], *rest: object, **more: object) -> Ended:
        asked.append(command)
        return run(command, *rest, **more)

    return noted


def test_an_engine_that_is_not_installed_names_the_package(tmp_path: Path) -> None:
    voice = EspeakVoice(program=str(tmp_path / "espeak-ng"))
    assert voice.why_not() is not None
    with pytest.raises(VoiceError) as refused:
        voice.speak(TEXT, tmp_path)
    assert refused.value.kind is Trouble.REFUSED
    assert "apt-get install espeak-ng" in refused.value.say("vi")


@pytest.mark.parametrize(
    ("script", "key"),
    [
        ("exec sleep 60", "studio.hung"),
        ("exit 0", "studio.unreadable"),
        ("echo broken >&2; exit 3", "studio.failed"),
        ('while [ "$1" != -w ]; do shift; done; echo garbage > "$2"', "studio.unreadable"),
        ("echo 'No space left on device' >&2; exit 1", "studio.disk_full"),
    ],
)
def test_an_engine_that_misbehaves_is_a_temporary_trouble(tmp_path: Path, script: str, key: str) -> None:
    limit = 0.5 if key == "studio.hung" else 20.0  # the others end by themselves, however busy the machine is
    voice = EspeakVoice(program=make_program(tmp_path, script), limit_seconds=limit)
    with pytest.raises(VoiceError) as failed:
        voice.speak(TEXT, tmp_path)
    assert (failed.value.kind, failed.value.key) == (Trouble.TEMPORARY, key)


def test_a_text_without_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VoiceError) as refused:
        EspeakVoice().speak("… !!!", tmp_path)
    assert refused.value.kind is Trouble.BAD_TEXT


def test_gtts_asks_for_each_part_and_joins_the_sound(tmp_path: Path) -> None:
    with speech_service((200, sound_answer(make_mp3(tmp_path, 4.0)))) as service:
        wav = make_gtts(service.url).speak(f"{TEXT} {TEXT}", tmp_path)
    assert len(service.asked) >= 2
    assert "".join(" ".join(service.asked).split()) == "".join(f"{TEXT} {TEXT}".split())
    assert duration_seconds(wav) == pytest.approx(4.0 * len(service.asked), rel=0.1)


def test_gtts_waits_longer_each_time_it_is_told_too_often_then_succeeds(tmp_path: Path) -> None:
    rests: list[float] = []
    sound = sound_answer(make_mp3(tmp_path, 4.0))
    with speech_service((429, b""), (503, b""), (200, sound)) as service:
        make_gtts(service.url, rests).speak("Xin chào bà con trong thôn.", tmp_path)
    assert rests == [1.0, 2.0]


@pytest.mark.parametrize(
    ("answer", "kind", "key"),
    [
        ((429, b""), Trouble.QUOTA, "studio.gtts_quota"),
        ((503, b""), Trouble.TEMPORARY, "studio.gtts_refused"),
        ((403, b""), Trouble.REFUSED, "studio.gtts_refused"),
        ((200, b"<html><body>Sorry</body></html>"), Trouble.TEMPORARY, "studio.gtts_no_sound"),
        ((200, b""), Trouble.TEMPORARY, "studio.gtts_no_sound"),
        ((200, sound_answer(b"this is no mp3")), Trouble.TEMPORARY, "studio.unreadable"),
    ],
)
def test_gtts_says_how_it_failed(tmp_path: Path, answer: tuple[int, bytes], kind: Trouble, key: str) -> None:
    with speech_service(answer) as service, pytest.raises(VoiceError) as failed:
        make_gtts(service.url).speak("Xin chào bà con trong thôn.", tmp_path)
    assert (failed.value.kind, failed.value.key) == (kind, key)


def test_gtts_waits_as_long_as_it_is_asked_to(tmp_path: Path) -> None:
    rests: list[float] = []
    sound = sound_answer(make_mp3(tmp_path, 4.0))
    with speech_service(
        (429, b"", {"Retry-After": "7"}), (429, b"", {"Retry-After": "99999"}), (200, sound)
    ) as service:
        make_gtts(service.url, rests).speak("Xin chào bà con trong thôn.", tmp_path)
    assert rests == [7, 60]


def test_gtts_is_not_sent_elsewhere(tmp_path: Path) -> None:
    sound = sound_answer(make_mp3(tmp_path, 4.0))
    with speech_service((200, sound)) as other, speech_service((302, b"", {"Location": other.url})) as service:
        with pytest.raises(VoiceError) as failed:
            make_gtts(service.url).speak("Xin chào.", tmp_path)
        assert failed.value.kind is Trouble.REFUSED
        assert other.asked == []


def test_gtts_does_not_send_a_text_to_whom_nobody_vouches_for(tmp_path: Path) -> None:
    with speech_service((200, b""), certificate=make_certificate(tmp_path)) as service:
        with pytest.raises(VoiceError) as failed:
            make_gtts(service.url).speak("Xin chào.", tmp_path)
        assert (failed.value.kind, failed.value.key) == (Trouble.REFUSED, "studio.gtts_untrusted")
        assert service.asked == []


def test_gtts_takes_no_half_answer(tmp_path: Path) -> None:
    sound = sound_answer(make_mp3(tmp_path, 4.0))
    half = (200, sound, {"Content-Length": str(2 * len(sound)), "Connection": "close"})
    with speech_service(half) as service, pytest.raises(VoiceError) as failed:
        make_gtts(service.url, tries=0).speak("Xin chào.", tmp_path)
    assert failed.value.key == "studio.gtts_unreachable"
    cut = sound_answer(make_mp3(tmp_path, 4.0)[:2000])
    with speech_service((200, cut)) as service, pytest.raises(VoiceError) as failed:
        make_gtts(service.url, tries=0).speak("Xin kính chào toàn thể bà con trong thôn bản của chúng ta.", tmp_path)
    assert failed.value.key in {"studio.implausible", "studio.unreadable"}


def test_gtts_gives_up_an_answer_that_drips(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        dripping = threading.Thread(target=_drip, args=(server,))
        dripping.start()
        settings = GttsSettings(f"http://127.0.0.1:{server.getsockname()[1]}", 5.0, (), answer_seconds=0.3)
        with pytest.raises(VoiceError) as failed:
            GttsVoice(settings).speak("Xin chào.", tmp_path)
        dripping.join()
    assert failed.value.key == "studio.gtts_unreachable"


def _drip(server: socket.socket) -> None:
    client, _ = server.accept()
    with client, contextlib.suppress(OSError):
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            client.sendall(b" ")
            threading.Event().wait(0.01)


def test_gtts_leaves_no_gap_where_only_its_limit_cut(tmp_path: Path) -> None:
    long = "mưa to gió lớn nước lên rất nhanh " * 6
    padded = ffmpeg(
        tmp_path / "a.mp3", "-f", "lavfi", "-i", "sine=f=300:d=4,adelay=700,apad=pad_dur=0.7", "-b:a", "32k"
    )
    with speech_service((200, sound_answer(padded.read_bytes()))) as service:
        wav = make_gtts(service.url).speak(long, tmp_path)
    count = len(service.asked)
    assert count >= 2
    assert duration_seconds(wav) == pytest.approx(count * 4.0 + (count - 1) * 0.06, abs=0.1 * count)


def test_gtts_on_a_closed_port_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(VoiceError) as failed:
        make_gtts(f"http://127.0.0.1:{free_port()}", tries=0).speak("Xin chào.", tmp_path)
    assert (failed.value.kind, failed.value.key) == (Trouble.TEMPORARY, "studio.gtts_unreachable")


def test_the_chain_falls_through_and_remembers_who_failed_why(tmp_path: Path) -> None:
    with speech_service((429, b"")) as service:
        reading = Chain([make_gtts(service.url, tries=0), EspeakVoice()]).speak(tmp_path, TEXT)
    assert reading.voice == "espeak"
    assert [(f.voice, f.error.kind) for f in reading.failures] == [("gtts", Trouble.QUOTA)]


def test_when_every_voice_fails_the_sentence_names_them_all(tmp_path: Path) -> None:
    with speech_service((429, b"")) as service, pytest.raises(VoiceError) as failed:
        Chain([EspeakVoice(program="no-such-espeak"), make_gtts(service.url, tries=0)]).speak(tmp_path, TEXT)
    assert failed.value.kind is Trouble.QUOTA
    assert "espeak" in failed.value.say("vi")
    assert "gtts" in failed.value.say("vi")


def test_an_unknown_voice_is_answered_with_the_known_ones() -> None:
    with pytest.raises(VoiceError, match="espeak, gtts, kokoro"):
        make_chain(["festival"])


def test_the_voices_say_whether_they_can_be_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kokoro = not kokoro_files.missing()
    assert {state.name: state.available for state in voices()} == {"espeak": True, "gtts": True, "kokoro": kokoro}
    monkeypatch.setenv("PATH", str(tmp_path))
    states = {state.name: state for state in voices()}
    assert not states["espeak"].available
    assert states["espeak"].why_not is not None
