"""What argparse says of a line that it does not understand, said again in our words: one pattern for each sentence."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from words import say

_PATTERNS = (
    ("required", r"the following arguments are required: (?P<names>.+)"),
    ("one_of", r"one of the arguments (?P<names>.+) is required"),
    ("expected", r"argument (?P<name>.+?): expected (?:one|at least one|\d+) arguments?"),
    ("choice", r"argument (?P<name>.+?): invalid choice: (?P<value>.+) \(choose from (?P<choices>.*)\)"),
    ("not_with", r"argument (?P<name>.+?): not allowed with argument (?P<other>.+)"),
    ("takes_none", r"argument (?P<name>.+?): ignored explicit argument (?P<value>.+)"),
    ("about", r"argument (?P<name>.+?): (?P<why>.+)"),
)


def retold(message: str, language: str) -> str:
    """argparse's English ``message`` in ``language``; what is not known stays as it is."""
    for key, pattern in _PATTERNS:
        if found := re.fullmatch(pattern, message, re.DOTALL):
            facts = found.groupdict()
            if key == "choice":
                return _choice(facts, language)
            return say(f"loa.mistake_{key}", language, **facts)
    return message


def unexpected(extra: list[str], options: Iterable[str], language: str) -> str:
    """What to say of ``extra``, which no option and no argument takes; ``options`` are those that there are."""
    wrong = next((each for each in extra if each.startswith("-") and each != "-"), None)
    if wrong is None:
        return say("loa.mistake_too_many", language, extra=" ".join(extra))
    near = _nearest(wrong.partition("=")[0], options)
    return say("loa.mistake_option_near" if near else "loa.mistake_option", language, option=wrong, near=near)


def _choice(facts: dict[str, str], language: str) -> str:
    value = facts["value"].strip("'\"")
    choices = re.findall(r"[\w-]+", facts["choices"])
    if facts["name"] != say("loa.verb_word", language):
        return say("loa.mistake_choice", language, name=facts["name"], value=value, choices=", ".join(choices))
    near = _nearest(value, choices)
    key = "loa.mistake_verb_near" if near else "loa.mistake_verb"
    return say(key, language, value=value, near=near, choices=", ".join(choices))


def _nearest(wrong: str, known: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(wrong, list(known), 1, 0.6)), None)
