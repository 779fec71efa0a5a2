"""`loa policy check|apply|show`: the broadcasting policy of an area, as a TOML file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from loa import house, texts
from loa.codes import DONE
from schedules import moments, rulebook_text
from words import say

if TYPE_CHECKING:
    from loa.parser import Verbs

EXAMPLE = "loa policy apply quy-che.toml"


def add(verbs: Verbs) -> None:
    """The verb, its verbs, and what they take."""
    from loa.parser import Verbs as Below

    below = Below(verbs.add("policy", "about_policy"), "policy_verb")
    parser = below.add("check", "about_policy_check", check)
    parser.add_argument("file", metavar=parser.word("file"), type=Path, help=parser.t("policy_file_help"))
    parser = below.add("apply", "about_policy_apply", apply, EXAMPLE)
    parser.add_argument("file", metavar=parser.word("file"), type=Path, help=parser.t("policy_file_help"))
    house.takes_person(parser)
    house.takes_config(parser)
    parser = below.add("show", "about_policy_show", show)
    parser.add_argument("area", metavar=parser.word("area"), help=parser.t("policy_area_help"))
    parser.add_argument("--day", metavar=parser.word("day"), help=parser.t("policy_day_help"))
    house.takes_config(parser)


def check(wanted: argparse.Namespace) -> int:
    """Say whether a file is a policy, without a station."""
    policy = rulebook_text.read(texts.read(wanted.file, wanted.language))
    print(say("loa.policy_good", wanted.language, area=policy.area, since=policy.since))
    return DONE


def apply(wanted: argparse.Namespace) -> int:
    """Let the policy of a file hold."""
    policy = rulebook_text.read(texts.read(wanted.file, wanted.language))
    with house.opened(wanted) as station:
        station.desk.set_policy(policy, station.person(wanted.person), house.now())
    print(say("loa.policy_set", wanted.language, area=policy.area, since=policy.since))
    return DONE


def show(wanted: argparse.Namespace) -> int:
    """Print what holds in an area on a day, as it was set: with the area and the first day of its own."""
    with house.opened(wanted) as station:
        zone, now = station.settings.zone, house.now()
        day = moments.local(moments.read(wanted.day, now, zone) if wanted.day else now, zone).date()
        policy = station.store.policies.standing(wanted.area, day)
    if policy is None:
        print(say("loa.policy_none", wanted.language, area=wanted.area[:80]))
        return DONE
    if policy.area != wanted.area:
        print("# " + say("loa.policy_inherited", wanted.language, area=policy.area))
    print(rulebook_text.write(policy), end="")
    return DONE
