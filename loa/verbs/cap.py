"""`loa cap`: a warning from elsewhere, as CAP 1.2, is taken in and waits for a person; nothing sounds from here."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from loa import house, out, texts, told
from loa.codes import DONE
from schedules import moments
from words import say

if TYPE_CHECKING:
    from controller.desk.alerting import TakenIn
    from loa.house import House
    from loa.parser import Verbs

EXAMPLE = """\
loa cap canh-bao.xml --as mai
curl -s https://example/cap.xml | loa cap - --as mai"""


def add(verbs: Verbs) -> None:
    """The verb and what it takes."""
    parser = verbs.add("cap", "about_cap", take_in, EXAMPLE)
    parser.add_argument("file", metavar=parser.word("file"), type=Path, help=parser.t("cap_file_help"))
    parser.takes_json()
    house.takes_person(parser)
    house.takes_config(parser)


def take_in(wanted: argparse.Namespace) -> int:
    """Take in one alert; print what it became."""
    from controller.cap import MOST_BYTES

    raw = _bytes(wanted.file, MOST_BYTES + 1)
    with house.opened(wanted) as station:
        made = station.desk.take_in(raw, station.person(wanted.person), house.now())
        _told(made, station, wanted)
    return DONE


def _bytes(path: Path, most: int) -> bytes:
    """What is in a file, ``-`` being standard input; one that is larger is not read to its end. Raises Refused."""
    if path == texts.STANDARD_INPUT:
        return sys.stdin.buffer.read(most) if sys.stdin is not None else b""
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as wrong:
        raise house.Refused("loa.unreadable_file", path=path, why=wrong.strerror or wrong) from wrong


def _told(made: TakenIn, station: House, wanted: argparse.Namespace) -> None:
    row, language = made.row, wanted.language
    if wanted.json:
        facts: dict[str, object] = {
            "announcement": row.announcement,
            "waits_for_approval": made.placed,
            "areas": row.areas,
        }
        facts |= {"sender": row.sender, "identifier": row.identifier, "kind": row.kind.value, "expires": row.expires}
        out.as_json(facts | {"unknown": row.unknown, "outside": row.outside, "notes": row.notes})
        return
    until = f"{moments.local(row.expires, station.settings.zone):%H:%M %d/%m/%Y}"
    print(say("loa.cap_claims", language, sender=row.sender, identifier=row.identifier, until=until))
    if made.announcement:
        key = "loa.cap_placed" if made.placed else "loa.cap_drafted"
        title = told.plain(made.announcement.title)
        print(say(key, language, announcement=row.announcement, title=title, areas=", ".join(row.areas)))
    for title in made.overtaken:
        print(say("loa.cap_overtaken", language, title=told.plain(title)))
    for key, names in (("loa.cap_unknown", row.unknown), ("loa.cap_outside", row.outside)):
        if names:
            print(say(key, language, names=told.plain("; ".join(names))))
    for note in row.notes:
        print(say(f"cap.note_{note}", language))
