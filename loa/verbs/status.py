"""`loa status` and `loa settings`: how the station's parts are, and which settings are in force and why."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE, FAILED
from words import discretion, say

if TYPE_CHECKING:
    from controller.setting_sheet import Line
    from loa.parser import Verbs

SETTINGS_EXAMPLE = """\
loa settings --config /etc/loa/controller.toml
loa settings --changed"""


def add(verbs: Verbs) -> None:
    """Both verbs, and what they take."""
    parser = verbs.add("status", "about_status", status, "loa status --config /etc/loa/controller.toml")
    parser.takes_json()
    house.takes_config(parser)
    parser = verbs.add("settings", "about_settings", show, SETTINGS_EXAMPLE)
    parser.add_argument("--changed", action="store_true", help=parser.t("settings_changed_help"))
    parser.takes_json()
    house.takes_config(parser)


def status(wanted: argparse.Namespace) -> int:
    """Every part and what to do about it; exit code 1 where one is not well."""
    from controller import bootstrap, condition

    language = wanted.language
    with house.opened(wanted) as station:
        zone = station.settings.zone
        parts = bootstrap.make_gauges(station.settings, station.store).condition(house.now())
    code = FAILED if condition.worst(parts) is condition.Mark.BAD else DONE
    if wanted.json:
        told = [{"part": each.name, "about": each.about, "mark": each.mark.value} for each in parts]
        said = [{"said": each.say("en", zone), "advice": each.say_advice("en", zone)} for each in parts]
        out.as_json([one | other for one, other in zip(told, said, strict=True)])
        return code
    for each in parts:
        mark, name = say(f"condition.mark_{each.mark}", language), say(f"condition.name_{each.name}", language)
        print(f"{mark:<12} {name}: {each.say(language, zone)}")
        if advice := each.say_advice(language, zone):
            print(f"{'':<12} → {advice}")
    return code


def show(wanted: argparse.Namespace) -> int:
    """Every setting in force and where it comes from; a mistake in the file is a sentence and exit code 1."""
    from controller import setting_sheet, settings

    found, origins = settings.read(wanted.config)
    discretion.start_log("ERROR", found.secrets(), "%(levelname)s %(name)s %(message)s")
    lines = setting_sheet.sheet(found, origins).lines
    shown = [each for each in lines if each.differs] if wanted.changed else lines
    if wanted.json:
        names = ("name", "value", "default", "origin", "differs", "overruled")
        out.as_json([{name: getattr(each, name) for name in names} for each in shown])
        return DONE
    for each in shown:
        print(_told(each, wanted.language))
    return DONE


def _told(line: Line, language: str) -> str:
    origin = say(f"settings.origin_{line.origin}", language)
    return f"{'*' if line.differs else ' '} {line.name} = {line.value or '–'}  ({origin})"
