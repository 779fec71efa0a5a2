"""WHAT IS SAID: every sentence that a person reads, Vietnamese first, English complete (ADR 8).

- Sentences lie in ``vi/*.toml`` and ``en/*.toml``, one file per room, one key per sentence; `say` looks one up.
- A `Said` error carries a key and its facts, so that whoever shows it chooses the language.
- Logs are for programs and engineers: they are English and do not come from here.
"""

from __future__ import annotations

import os
import tomllib
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

LANGUAGES = ("vi", "en")
_PLACES = ("LOA_LANG", "LC_ALL", "LC_MESSAGES", "LANG")  # the last three: POSIX.1-2017, 8.2


@cache
def table(language: str) -> dict[str, str]:
    """All sentences of a language by ``room.key``; read once."""
    sentences: dict[str, str] = {}
    for path in sorted((Path(__file__).parent / language).glob("*.toml")):
        for key, sentence in tomllib.loads(path.read_text("utf-8")).items():
            sentences[f"{path.stem}.{key}"] = sentence
    return sentences


class _Counting(Formatter):
    """Fills in a number with the word for one, or the word for many, behind it."""

    def format_field(self, value: Any, format_spec: str) -> str:
        one, bar, many = format_spec.partition("|")
        return f"{value} {one if str(value) == '1' else many}" if bar else format(value, format_spec)


_COUNTING = _Counting()


def say(key: str, language: str = "vi", **facts: object) -> str:
    """The sentence ``room.key`` with its ``{facts}`` filled in. An unknown key raises KeyError.

    English bends what is counted: ``{count:node is|nodes are}`` is “1 node is”, “2 nodes are”.
    """
    sentence = table(language if language in LANGUAGES else "vi")[key]
    return _COUNTING.vformat(sentence, (), facts) if "|" in sentence else sentence.format(**facts)


def system_language() -> str:
    """The language of the environment: ``en`` where the first that is set of `_PLACES` says so, else ``vi``."""
    wanted = next((os.environ[name] for name in _PLACES if os.environ.get(name)), "")
    return "en" if wanted.lower().startswith("en") else "vi"


class Said(Exception):
    """An error that a person must read: ``key`` names the sentence, ``facts`` fill it."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(say(key, "en", **facts))
        self.key, self.facts = key, facts

    def say(self, language: str) -> str:
        """The sentence in ``language``."""
        return say(self.key, language, **self.facts)
