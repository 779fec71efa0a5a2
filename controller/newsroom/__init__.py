"""THE NEWSROOM: what an official writes becomes what a voice reads.

- `clean` makes text safe to keep and refuses what is too long; `spoken` writes figures, dates, units, document
  numbers, acronyms and symbols out as words; `sentences` and `parts` cut text for voices that take little at once.
- Pure: no files but this room's own tables, no clock, no network. `spoken` never raises.
- Each rewrite says where it stood, what stood there, what is read instead, and why, so that a person can check it.
- It does not guess meaning: capitals it does not know are spelt out and *flagged*, for a person to decide; so are
  slips of the keyboard, with what was probably meant.
- A place's own readings (`lexicon`) are handed in and go before every rule.
"""

from controller.newsroom.cutting import parts, sentences
from controller.newsroom.editor import Flag, Rewrite, Spoken, spoken
from controller.newsroom.lexicon import MOST_CHARS as MOST_ENTRY_CHARS
from controller.newsroom.lexicon import one_line
from controller.newsroom.reasons import reason
from controller.newsroom.tidy import MAX_CHARS, NewsroomError, clean, has_words

__all__ = [
    "MAX_CHARS",
    "MOST_ENTRY_CHARS",
    "Flag",
    "NewsroomError",
    "Rewrite",
    "Spoken",
    "clean",
    "has_words",
    "one_line",
    "parts",
    "reason",
    "sentences",
    "spoken",
]
