"""Intelligibility: a recogniser writes down what each voice says, and the wrong words are counted.

- The sentences of `intelligibility_texts.toml`: the voice's settings were chosen on ``tuning``; only ``held_out`` is
  measured here. Every voice reads the same sentences, so the differences are of pairs.
- Beside the voices: people, the floor that a recogniser this small leaves even to natural speech (other sentences).
- ``on air`` is the same after mastering: the horn's preset, −16 LUFS, Opus at 32 kbit/s, decoded again.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from bench.recogniser import Listener, natural_clips, whisper
from bench.results import Figure, Measurement
from bench.word_errors import Heard, char_error, fewer, heard, interval, word_error
from controller.studio.espeak_voice import EspeakVoice
from controller.studio.mastering import Score, master
from controller.studio.style import Style
from controller.studio.voice import Trouble, VoiceError

TEXTS = Path(__file__).parent / "intelligibility_texts.toml"
AIM_PERCENT = 25
_QUICK = 2
_SILENCE = ((0, 200),)

Speak = Callable[[str, Path], Path]  # text, folder of its own -> a sound file in it


def out_of_the_box(text: str, folder: Path, *more: str) -> Path:
    """``espeak-ng -v vi`` as it comes, with the arguments ``more``."""
    target = folder / "plain.wav"
    command = ["espeak-ng", "-v", "vi", *more, "-b", "1", "-w", str(target), "--stdin"]
    subprocess.run(command, input=text.encode(), check=True, capture_output=True)
    return target


def before(text: str, folder: Path) -> Path:
    """The studio's offline voice as it was before it was tuned: only slower."""
    return out_of_the_box(text, folder, "-s", "130")


def studio(text: str, folder: Path) -> Path:
    """The studio's offline voice."""
    return EspeakVoice().speak(text, folder)


def on_air(speak: Speak) -> Speak:
    """``speak``, mastered as for a loudspeaker, without tones."""

    def mastered(text: str, folder: Path) -> Path:
        score = Score(_SILENCE, [(speak(text, folder), 0)], _SILENCE)
        return master(score, Style(preset="horn", lead_in_ms=0), folder)[0].path

    return mastered


PLAIN, STUDIO = "espeak-ng -v vi", "studio's espeak voice"
VOICES: dict[str, Speak] = {
    PLAIN: out_of_the_box,
    "espeak-ng -v vi -s 130": before,
    STUDIO: studio,
    f"{PLAIN}, on air": on_air(out_of_the_box),
    f"{STUDIO}, on air": on_air(studio),
}


def measure(quick: bool) -> Measurement:
    """The whole measurement. Raises NoRecogniser, and VoiceError where espeak-ng is not installed."""
    return measured_with(whisper, quick)


def measured_with(recogniser: Callable[[Path], AbstractContextManager[Listener]], quick: bool) -> Measurement:
    """The same with any ``recogniser``: a folder for its files -> a listener."""
    if not shutil.which("espeak-ng"):
        raise VoiceError(Trouble.REFUSED, "studio.espeak_missing", program="espeak-ng")
    lists = tomllib.loads(TEXTS.read_text("utf-8"))
    texts = lists["tuning"][:_QUICK] if quick else lists["held_out"]  # the held-out list stays unheard until it counts
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as place, recogniser(Path(place)) as listener:
        clips = [] if quick else natural_clips(Path(place))
        people = [heard(text, listener(sound)) for sound, text in clips]
        found = {name: _read_back(speak, texts, listener, Path(place)) for name, speak in VOICES.items()}
    notes = [
        f"{len(texts)} sentences that no setting was chosen on, {sum(each.words for each in found[PLAIN])} words",
        "the listener is Whisper base: it ranks voices, it is no person",
    ]
    if not people and not quick:
        notes.append("no natural speech here: ./run bench --only intelligibility fetches it from the registry")
    return Measurement("intelligibility", tuple(_figures(people, found)), tuple(notes))


def _read_back(speak: Speak, texts: Sequence[str], listener: Listener, place: Path) -> list[Heard]:
    found = []
    for text in texts:
        with tempfile.TemporaryDirectory(dir=place) as folder:
            found.append(heard(text, listener(speak(text, Path(folder)))))
    return found


def _figures(people: Sequence[Heard], found: dict[str, list[Heard]]) -> list[Figure]:
    figures = []
    for name, each in (({f"{len(people)} people (other sentences)": people} if people else {}) | found).items():
        figures.append(Figure(f"{name}: words wrong", 100 * word_error(each), "%"))
        figures.append(Figure(f"{name}: characters wrong", 100 * char_error(each), "%"))
    plain, tuned = found[PLAIN], found[STUDIO]
    low, high = interval(tuned, plain)
    return [
        *figures,
        Figure(f"{STUDIO}: fewer wrong words than {PLAIN}", 100 * fewer(tuned, plain), "%", least=AIM_PERCENT),
        Figure("of that, 95 % interval from", 100 * low, "%"),
        Figure("of that, 95 % interval to", 100 * high, "%"),
    ]
