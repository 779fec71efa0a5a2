"""One sentence by itself, as it will sound on air: the same voice, the same filters, the same loudness, no tones.

- For a person who checks a text, so it is small in every way: one sentence at a time, kept on disk by what it says.
- It has its own folder and its own turn: the station's work on whole texts waits for nobody here.
"""

from __future__ import annotations

import errno
import hashlib
from pathlib import Path

from controller.newsroom import has_words
from controller.studio.chain import Chain, VoiceState
from controller.studio.mastering import MasteringError, Score, master
from controller.studio.remade import Remade
from controller.studio.style import Style
from controller.studio.voice import Trouble, VoiceError

MOST_CHARS = 600
MOST_KEPT = 500
_NO_TONE = ((0, 1),)


class Sampler:
    """Voices and the style of the station, and the folder where samples are kept, emptied first: voices do change."""

    def __init__(self, chain: Chain, style: Style, folder: Path) -> None:
        self._chain, self._style, self._kept = chain, style, Remade(folder, MOST_KEPT)
        self._kept.clear()

    def sample(self, sentence: str, voice: str = "") -> Path:
        """An Opus file of ``sentence`` (spoken form, ≤ ``MOST_CHARS``), read by ``voice`` where it is in the chain.

        Raises VoiceError, MasteringError, Busy: each a sentence for whoever asked.
        """
        return self._sampled(sentence, self._led_by(voice))

    def alone(self, sentence: str, voice: str) -> Path:
        """The same by ``voice`` and no other, so that what is heard is that voice. Raises as `sample`."""
        return self._sampled(sentence, self._only(voice))

    def kept_alone(self, sentence: str, voice: str) -> Path | None:
        """What `alone` made, while it is kept. Raises VoiceError for a voice that is not in the chain."""
        return self._kept.find(self._name(sentence, self._only(voice)))

    def voices(self) -> list[VoiceState]:
        """The voices of the chain, as they are for the web: what rests for the station may not rest here."""
        return self._chain.states()

    def _sampled(self, sentence: str, chain: Chain) -> Path:
        if not has_words(sentence):
            raise VoiceError(Trouble.BAD_TEXT, "studio.nothing_to_say")
        if len(sentence) > MOST_CHARS:
            raise VoiceError(Trouble.BAD_TEXT, "studio.text_too_long", chars=len(sentence), most=MOST_CHARS)
        try:
            return self._kept.get(self._name(sentence, chain), lambda work: self._make(sentence, chain, work))
        except OSError as wrong:
            key = "studio.disk_full" if wrong.errno in (errno.ENOSPC, errno.EDQUOT) else "studio.shelf_failed"
            raise MasteringError(key, folder="samples", detail=wrong.strerror or str(wrong)) from wrong

    def _name(self, sentence: str, chain: Chain) -> str:
        return hashlib.sha256(repr((sentence, [each.name for each in chain.voices], self._style)).encode()).hexdigest()

    def _only(self, voice: str) -> Chain:
        return Chain([each for each in self._chain.voices if each.name == voice])

    def _make(self, sentence: str, chain: Chain, work: Path) -> Path:
        speech = [(chain.speak(work, sentence).wav, 0)]
        style = Style(preset=self._style.preset, lead_in_ms=0)
        return master(Score(_NO_TONE, speech, _NO_TONE), style, work)[0].path

    def _led_by(self, voice: str) -> Chain:
        """The chain with ``voice``, the one that read the whole text, asked first."""
        return Chain(sorted(self._chain.voices, key=lambda each: each.name != voice))
