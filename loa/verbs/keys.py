"""`loa key init|show`: the root key, the station's key, and the trust document that ties them together."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE
from words import say

if TYPE_CHECKING:
    from loa.parser import Verbs


def add(verbs: Verbs) -> None:
    """The verb, its verbs, and what they take."""
    from loa.parser import Verbs as Below

    below = Below(verbs.add("key", "about_key"), "key_verb")
    parser = below.add("init", "about_key_init", init)
    area = parser.word("area")
    parser.add_argument("--area", action="append", dest="areas", metavar=area, help=parser.t("key_area_help"))
    parser.takes_json()
    house.takes_config(parser)
    parser = below.add("show", "about_key_show", show)
    parser.takes_json()
    house.takes_config(parser)


def init(wanted: argparse.Namespace) -> int:
    """Make what is not there yet, and seal the trust document when it lacks the station's key or is half spent."""
    from controller import keys

    with house.opened(wanted) as station:
        areas = tuple(wanted.areas or ())
        for area in areas:
            if area != keys.EVERYTHING and station.store.roster.area(area) is None:
                raise house.Refused("loa.unknown_place", place=area)
        ring = keys.Keyring(station.settings.keys_dir)
        keys.establish(ring, station.store, areas, house.now())
        return _show(wanted, station)


def show(wanted: argparse.Namespace) -> int:
    """Print the public halves, and until when the trust document holds."""
    with house.opened(wanted) as station:
        return _show(wanted, station)


def _show(wanted: argparse.Namespace, station: house.House) -> int:
    from controller import keys

    ring = keys.Keyring(station.settings.keys_dir)
    root, own, trust = ring.find(keys.ROOT), ring.station(), keys.held_trust(station.store)
    areas = sorted(keys.areas_of(trust, own.public))
    facts: dict[str, object] = {
        "root_public_key": root.public.hex if root else None,
        "station_public_key": own.public.hex,
        "areas": areas,
        "trust_serial": trust.serial if trust else None,
        "trust_valid_until": trust.valid_until if trust else None,
    }
    if wanted.json:
        out.as_json(facts)
        return DONE
    language, zone = wanted.language, station.settings.zone
    print(say("loa.root_key", language, public=root.public.hex if root else say("loa.root_elsewhere", language)))
    print(say("loa.station_key", language, public=own.public.hex, areas=", ".join(areas) or "–"))
    until = out.second(trust.valid_until if trust else None, zone)
    print(say("loa.trust_until", language, serial=trust.serial if trust else 0, until=until))
    return DONE
