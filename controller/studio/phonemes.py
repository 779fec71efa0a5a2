"""Text as the phonemes that a Piper voice was taught: espeak-ng's IPA, clause by clause.

- espeak-ng is a process (GPL, so never linked).
- As piper-phonemize does it: each clause, its mark, decomposed (NFD), without the marks of a change of language.
"""

from __future__ import annotations

import re
import shutil
import unicodedata

import cage
from controller.studio import programs
from controller.studio.voice import Trouble, VoiceError

PROGRAM = "espeak-ng"
_CLAUSE = re.compile(r"[^,;:.!?…]*[,;:.!?…]*")
_INSTRUCTIONS = re.compile(r"[\[\]<>|]+")
_OTHER_LANGUAGE = re.compile(r"\([a-z-]+\)")
_MARKS = {"…": "."}
_LIMIT_SECONDS = 20.0


def phonemes(sentence: str, language: str) -> str:
    """The phonemes of one sentence; ``language`` is a voice of espeak-ng. Raises VoiceError."""
    spoken = []
    for clause in _CLAUSE.findall(_INSTRUCTIONS.sub(" ", sentence)):
        words = clause.rstrip(",;:.!?… ")
        if not any(letter.isalnum() for letter in words):
            continue
        mark = clause[len(words) :].strip()[:1]
        spoken.append(_ipa(words, language) + _MARKS.get(mark, mark))
    return unicodedata.normalize("NFD", " ".join(spoken))


def not_installed() -> VoiceError | None:
    """The error that espeak-ng is not there; None where it is."""
    return None if shutil.which(PROGRAM) else VoiceError(Trouble.REFUSED, "studio.espeak_missing", program=PROGRAM)


def _ipa(words: str, language: str) -> str:
    try:
        ended = programs.run([PROGRAM, "-q", "--ipa", "-v", language, "--stdin"], _LIMIT_SECONDS, f"{words}\n")
    except cage.NotInstalled:
        raise VoiceError(Trouble.REFUSED, "studio.espeak_missing", program=PROGRAM) from None
    except cage.Hung:
        seconds = f"{_LIMIT_SECONDS:g}"
        raise VoiceError(Trouble.TEMPORARY, "studio.hung", voice=PROGRAM, seconds=seconds) from None
    if ended.code != 0:
        raise VoiceError(Trouble.TEMPORARY, "studio.failed", voice=PROGRAM, detail=ended.said.strip()[-200:])
    return " ".join(_OTHER_LANGUAGE.sub("", ended.wrote.decode("utf-8", "replace")).split())
