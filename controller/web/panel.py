"""The part of the compose page where one reading is changed: what is open in it, out of the form that was sent."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from controller.desk.lexicon import teachable
from controller.web.hearing import about
from controller.web.seen import Change, Seen

MOST_CHARS = 200  # no honest word or reading is longer
WHOLE_SENTENCES = {"language", "accentless"}  # doubts that no reading of a word settles


@dataclass(frozen=True)
class Panel:
    """``written`` is what a reading is asked for, ``reading`` what stands in the field, ``problem`` why not."""

    written: str
    reading: str
    about: str
    teachable: bool
    suggestion: str = ""
    problem: str = ""


def for_change(change: Change) -> Panel:
    """The panel as it opens: the likely reading stands in it already."""
    likely = change.suggestion or change.spoken
    word = change.why not in WHOLE_SENTENCES and teachable(change.written)
    return Panel(change.written, likely, about(change), word, change.suggestion)


def asked(form: MultiDict[str, str], seen: Seen) -> Panel | None:
    """The panel that a button of the page asked for, or that was open; None where there is none."""
    wanted, typed = form.get("cho"), form.get("reading", "")[:MOST_CHARS]
    found = change_of(wanted if wanted is not None else form.get("written", ""), seen)
    if found is None:
        return None
    made = for_change(found)
    keeps = wanted is None and typed.strip()
    return Panel(made.written, typed if keeps else made.reading, made.about, made.teachable, made.suggestion)


def change_of(written: str, seen: Seen) -> Change | None:
    """The change of what is written so; a doubtful one first."""
    found = [change for change in (*seen.doubts, *seen.changes) if change.written == written]
    return found[0] if found else None
