"""`loa alarms`: what somebody at the station must look at, and the word that they have."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE, FAILED
from words import say

if TYPE_CHECKING:
    from loa.parser import Verbs


def add(verbs: Verbs) -> None:
    """The verb and what it takes."""
    parser = verbs.add("alarms", "about_alarms", run, "loa alarms --confirm restored")
    parser.add_argument("--confirm", choices=("restored", "unseen", "newer_list"), help=parser.t("confirm_help"))
    house.takes_config(parser)
    parser.takes_json()


def run(wanted: argparse.Namespace) -> int:
    """Those that stand; exit code 1 while there is any."""
    from controller import flags
    from controller.store.rows import Act

    with house.opened(wanted) as station:
        if wanted.confirm:
            act = Act("loa", "confirmed an alarm", wanted.confirm, "", house.now())
            flags.silence(station.store, wanted.confirm, act)
        standing, zone = flags.standing(station.store), station.settings.zone
    if wanted.json:
        out.as_json([{"name": each.name, "since": each.since, **each.facts} for each in standing])
        return FAILED if standing else DONE
    for each in standing:
        print(out.second(each.since, zone), say(f"web.flag_{each.name}", wanted.language, **each.facts))
    if not standing:
        print(say("loa.no_alarms", wanted.language))
    return FAILED if standing else DONE
