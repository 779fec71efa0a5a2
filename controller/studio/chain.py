"""The chain of voices: asked in the order of the settings until one has read the text.

- A failure is logged and kept with its voice; the next voice is asked.
- A text that no voice can read (``bad_text``) is not offered to the next.
- A voice that hung, or was asked too often, rests for a while: the texts after this one do not wait for it again.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from controller.studio.espeak_voice import EspeakVoice
from controller.studio.gtts_voice import GttsVoice
from controller.studio.http_voice import HttpVoice
from controller.studio.kokoro_voice import KokoroVoice
from controller.studio.neural_voice import NeuralVoice
from controller.studio.voice import Trouble, Voice, VoiceError
from controller.studio.voice_keeping import NAME, kept

log = logging.getLogger(__name__)

VOICES = ("espeak", "gtts", "kokoro")
REST_SECONDS = 120.0
_PASSING = (Trouble.TEMPORARY, Trouble.QUOTA)


@dataclass(frozen=True, slots=True)
class Failure:
    """The voice ``voice`` did not read the text, because of ``error``."""

    voice: str
    error: VoiceError


@dataclass(frozen=True, slots=True)
class VoiceState:
    """A voice the station knows; ``why_not`` is None where it can be used, or why it is ``resting``."""

    name: str
    available: bool
    why_not: VoiceError | None
    resting: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """Texts read: a WAV file of each, by which one voice, and who failed before it."""

    wavs: tuple[Path, ...]
    voice: str
    failures: tuple[Failure, ...]

    @property
    def wav(self) -> Path:
        """The first text's file."""
        return self.wavs[0]


class Absent:
    """The place of a voice that is not here: it stops no station, and says why it does not read."""

    def __init__(self, name: str, why: VoiceError) -> None:
        self.name, self._why = name, why

    def why_not(self) -> VoiceError | None:
        """That it is not here."""
        return self._why

    def speak(self, text: str, work_dir: Path) -> Path:  # noqa: ARG002
        """Raises the reason."""
        raise self._why


class Chain:
    """Voices in the order they are asked (at least one)."""

    def __init__(self, voices: Sequence[Voice]) -> None:
        if not voices:
            raise VoiceError(Trouble.REFUSED, "studio.no_voice", tried="–")
        self.voices = tuple(voices)
        self._resting: dict[str, tuple[float, VoiceError]] = {}  # until when (monotonic), and why

    def speak(self, work_dir: Path, *texts: str) -> Reading:
        """``texts`` read by the first voice that can read all. Raises VoiceError: the one failure, or all of them."""
        failures: list[Failure] = []
        for voice in self._awake():
            try:
                read = Reading(_read(voice, texts, work_dir), voice.name, ())
            except VoiceError as error:
                log.warning("voice failed voice=%s kind=%s why=%s", voice.name, error.kind, error)
                failures.append(Failure(voice.name, error))
                if error.kind is Trouble.BAD_TEXT:
                    raise
                if error.kind in _PASSING:
                    self._resting[voice.name] = time.monotonic() + REST_SECONDS, error
            else:
                self._resting.pop(voice.name, None)
                return replace(read, failures=self._passed_over(voice, failures))
        raise _all_failed(failures)

    def states(self) -> list[VoiceState]:
        """Each voice, in order: whether it can be used as far as is known without speaking, and whether it rests."""
        now, found = time.monotonic(), []
        for voice in self.voices:
            until, last = self._resting.get(voice.name, (0.0, None))
            missing = voice.why_not()
            resting = missing is None and until > now
            found.append(VoiceState(voice.name, missing is None, last if resting else missing, resting))
        return found

    def _awake(self) -> list[Voice]:
        """Whom to ask, in order: who rests is asked after the others."""
        now = time.monotonic()
        resting = {name for name, (until, _) in self._resting.items() if until > now}
        return sorted(self.voices, key=lambda voice: voice.name in resting)

    def _passed_over(self, reader: Voice, failed: list[Failure]) -> tuple[Failure, ...]:
        """Why each voice that stands before ``reader`` was not the one, now or when it was asked last."""
        now_failed = {failure.voice: failure.error for failure in failed}
        before = [voice.name for voice in self.voices[: self.voices.index(reader)]]
        last = {name: error for name, (_, error) in self._resting.items()}
        return tuple(Failure(name, why) for name in before if (why := now_failed.get(name) or last.get(name)))


def _read(voice: Voice, texts: Sequence[str], work_dir: Path) -> tuple[Path, ...]:
    read: dict[str, Path] = {}
    for text in texts:
        if text not in read:
            folder = work_dir / f"{voice.name.replace(':', '-')}-{len(read)}"
            folder.mkdir(exist_ok=True)
            read[text] = voice.speak(text, folder)
    return tuple(read[text] for text in texts)


def _all_failed(failures: list[Failure]) -> VoiceError:
    if len(failures) == 1:
        return failures[0].error
    kinds = {failure.error.kind for failure in failures}
    kind = next((k for k in (Trouble.TEMPORARY, Trouble.QUOTA) if k in kinds), Trouble.REFUSED)
    tried = "; ".join(f"{failure.voice}: {failure.error.say('vi')}" for failure in failures)
    return VoiceError(kind, "studio.no_voice", tried=tried)


def make_chain(names: Sequence[str], voices_dir: Path | None = None) -> Chain:
    """The chain of voices with these names: of ``VOICES``, or of what lies in ``voices_dir`` (see `known_names`).

    Raises VoiceError for a name that is none.
    """
    return Chain([_voice(name, voices_dir) for name in names])


def known_names(voices_dir: Path | None = None) -> list[str]:
    """Every voice: those built in; each folder ``NAME`` (``neural:NAME``), each file ``NAME.toml`` (``http:NAME``)."""
    neural = kept(voices_dir) if voices_dir else []
    return [*VOICES, *(f"neural:{name}" for name in neural), *(f"http:{path.stem}" for path in _described(voices_dir))]


def voices(voices_dir: Path | None = None) -> list[VoiceState]:
    """Every voice the station knows, and whether it can be used here."""
    known = [(voice.name, voice.why_not()) for voice in make_chain(known_names(voices_dir), voices_dir).voices]
    return [VoiceState(name, why_not is None, why_not) for name, why_not in known]


def _voice(name: str, voices_dir: Path | None) -> Voice:
    makers: dict[str, Callable[[], Voice]] = {"espeak": EspeakVoice, "gtts": GttsVoice, "kokoro": KokoroVoice}
    if name in makers:
        return makers[name]()
    for path in _described(voices_dir):
        if name == f"http:{path.stem}":
            return HttpVoice(path)
    own = name.removeprefix("neural:")
    if voices_dir and own != name and own in kept(voices_dir):
        return NeuralVoice(voices_dir / own)
    known = ", ".join(known_names(voices_dir))
    unknown = VoiceError(Trouble.REFUSED, "studio.unknown_voice", name=name[:80], known=known)
    if re.fullmatch(f"(?:neural|http):(?:{NAME})", name):  # brought once, not here (any more): the next one reads
        log.warning("voice absent voice=%s", name[:80])
        return Absent(name, unknown)
    raise unknown


def _described(voices_dir: Path | None) -> list[Path]:
    try:
        found = sorted(voices_dir.glob("*.toml")) if voices_dir else []
    except OSError:
        return []
    return [path for path in found if re.fullmatch(NAME, path.stem)]
