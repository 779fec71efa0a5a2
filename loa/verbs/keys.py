"""`loa key init|show|change|revoke|certify`: root and station key, the trust over them, the broker's certificates."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from loa import house, out, rootkeys
from loa.codes import DONE, FAILED
from words import say

if TYPE_CHECKING:
    from loa.parser import Parser, Verbs

COMMAND_LINE = "loa"  # who acts, in the audit log: whoever may read the keys
REVOKE_EXAMPLE = "loa key revoke 64_HEX --config /etc/loa/controller.toml"


def add(verbs: Verbs) -> None:
    """The verb, its verbs, and what they take."""
    from loa.parser import Verbs as Below
    from loa.verbs import trust

    below = Below(verbs.add("key", "about_key"), "key_verb")
    parser = below.add("init", "about_key_init", init)
    _takes_areas(parser)
    trust.takes_new_roots(parser)
    rootkeys.takes_roots(parser)
    parser.takes_json()
    house.takes_config(parser)
    parser = below.add("certify", "about_key_certify", certify, "loa key certify loa.example.vn 192.0.2.10 127.0.0.1")
    parser.add_argument("hosts", nargs="+", metavar=parser.word("host"), help=parser.t("certify_help"))
    parser.takes_json()
    house.takes_config(parser)
    parser = below.add("show", "about_key_show", show)
    parser.takes_json()
    house.takes_config(parser)
    parser = below.add("change", "about_key_change", change)
    parser.add_argument("--stolen", action="store_true", help=parser.t("key_stolen_help"))
    _takes_areas(parser)
    rootkeys.takes_roots(parser)
    parser.takes_json()
    house.takes_config(parser)
    parser = below.add("revoke", "about_key_revoke", revoke, REVOKE_EXAMPLE)
    parser.add_argument("public_key", metavar=parser.word("key"), help=parser.t("key_revoke_help"))
    parser.add_argument(
        "--above", type=parser.number(0, 10**12), default=0, metavar="N", help=parser.t("key_above_help")
    )
    rootkeys.takes_roots(parser)
    parser.takes_json()
    house.takes_config(parser)
    parser = below.add("left", "about_key_left", left, "loa key left --root /media/a")
    rootkeys.takes_roots(parser)
    parser.takes_json()
    house.takes_config(parser)
    trust.add_to(below)


def certify(wanted: argparse.Namespace) -> int:
    """Make the certificates of the broker and of this station, and say what to set."""
    from controller import guestlist
    from controller.authority import CERTIFICATE
    from controller.store.rows import Act
    from wire.certificates import BadCertificate

    with house.opened(wanted) as station:
        settings, now = station.settings, house.now()
        try:
            folder = guestlist.Guestlist(station.store, settings).certify(wanted.hosts, now)
            station.store.acts.add(Act(COMMAND_LINE, "certified broker", ",".join(wanted.hosts)[:200], "", now))
        except BadCertificate as wrong:
            raise house.Refused("loa.bad_host", why=wrong) from wrong
        except OSError as wrong:
            raise house.Refused("loa.cannot_write", path=wrong.filename or settings.broker_dir, why=wrong) from wrong
        own = {"broker_ca": CERTIFICATE, "broker_cert": guestlist.OWN_CERT, "broker_key": guestlist.OWN_KEY}
        told = {name: str(settings.keys_dir / file) for name, file in own.items()}
    if wanted.json:
        out.as_json({"folder": folder, **told})
        return DONE
    print(say("loa.certified", wanted.language, folder=folder))
    for name, path in told.items():
        print(f'{name} = "{path}"')
    return DONE


def init(wanted: argparse.Namespace) -> int:
    """Make what is not there yet, and seal the trust document when it lacks the station's key or is half spent."""
    from controller import keyring, keys
    from controller.store.rows import Act

    with house.opened(wanted) as station:
        areas = _areas_of(wanted, station)
        ring, now, given = keyring.of(station.settings), house.now(), rootkeys.given(wanted)
        if wanted.roots:
            if ring.roots() is not None:  # before any key is handed out
                raise keys.KeyTrouble("keys.founded", path=ring.folder)
            new = rootkeys.hand_out(wanted, wanted.roots)
            keys.found(ring, station.store, tuple(new), wanted.threshold)
            given += new
        if wanted.draft is not None:
            drawn = keys.renewed(ring, station.store, areas, now)
            if drawn and rootkeys.drafted(wanted, drawn):
                return DONE
        before, trust = keys.held_trust(station.store), keys.establish(ring, station.store, areas, now, given)
        if trust != before:
            station.store.acts.add(Act(COMMAND_LINE, "sealed trust", str(trust.serial), ",".join(areas), now))
        return _show(wanted, station)


def show(wanted: argparse.Namespace) -> int:
    """Print the public halves, and until when the trust document holds; exit code 1 where it does not name the key."""
    with house.opened(wanted) as station:
        return _show(wanted, station)


def change(wanted: argparse.Namespace) -> int:
    """Give the station a new key; the old one counts a day more, or no more."""
    from controller import keyring, keys
    from controller.store.rows import Act

    with house.opened(wanted) as station:
        ring, now, given = keyring.of(station.settings), house.now(), rootkeys.given(wanted)
        areas = _areas_of(wanted, station)
        if wanted.draft is None:
            keys.need_roots(ring, given)  # before a key is made
        old, drawn = ring.public(keys.STATION), keys.changed(ring, station.store, now, wanted.stolen, areas)
        if rootkeys.drafted(wanted, drawn):
            return DONE
        assert old
        trust = keys.settle(ring, station.store, drawn, now, given)
        new, zone = ring.station().public, station.settings.zone
        station.store.acts.add(Act(COMMAND_LINE, "changed key", old.id, f"new={new.id} stolen={wanted.stolen}", now))
    until = next((each.until for each in trust.grants if each.public_key == old.hex), None)
    if wanted.json:
        out.as_json({"new": new.hex, "old": old.hex, "old_until": until, "trust_serial": trust.serial})
        return DONE
    key = "loa.key_changed" if until else "loa.key_changed_at_once"
    print(say(key, wanted.language, new=new.hex, old=old.hex, until=out.second(until, zone)))
    return DONE


def revoke(wanted: argparse.Namespace) -> int:
    """Seal a trust document without a key: every node forgets what it had sealed."""
    from controller import keyring, keys
    from controller.store.rows import Act

    with house.opened(wanted) as station:
        ring, now, given = keyring.of(station.settings), house.now(), rootkeys.given(wanted)
        drawn = keys.without(ring, station.store, wanted.public_key, now, wanted.above)
        if rootkeys.drafted(wanted, drawn):
            return DONE
        trust = keys.settle(ring, station.store, drawn, now, given)
        station.store.acts.add(Act(COMMAND_LINE, "revoked key", wanted.public_key[:16], f"trust={trust.serial}", now))
    if wanted.json:
        out.as_json({"revoked": wanted.public_key, "trust_serial": trust.serial})
    else:
        print(say("loa.key_revoked", wanted.language, public=wanted.public_key, serial=trust.serial))
    return DONE


def left(wanted: argparse.Namespace) -> int:
    """Seal a trust document without the second keys of those who left: nodes count them no more."""
    from controller import keyring, keys
    from controller.store.rows import Act

    with house.opened(wanted) as station:
        ring, now, given = keyring.of(station.settings), house.now(), rootkeys.given(wanted)
        drawn, before = keys.without_left(station.store, now), keys.held_trust(station.store)
        if drawn is None:
            raise house.Refused("loa.nobody_left")
        if rootkeys.drafted(wanted, drawn):
            return DONE
        trust = keys.settle(ring, station.store, drawn, now, given)
        gone = [each for each in (before.cosigners if before else ()) if each not in trust.cosigners]
        for each in gone:
            act = Act(COMMAND_LINE, "revoked key", each.public_key[:16], f"trust={trust.serial} of={each.holder}", now)
            station.store.acts.add(act)
    if wanted.json:
        out.as_json({"revoked": [each.public_key for each in gone], "trust_serial": trust.serial})
        return DONE
    return rootkeys.told_published(wanted, trust.serial)


def _takes_areas(parser: Parser) -> None:
    area = parser.word("area")
    parser.add_argument("--area", action="append", dest="areas", metavar=area, help=parser.t("key_area_help"))


def _areas_of(wanted: argparse.Namespace, station: house.House) -> tuple[str, ...]:
    """For which areas the key is to count; none: as it is. Raises Refused."""
    from controller import keys

    areas = tuple(wanted.areas or ())
    for area in areas:
        if area != keys.EVERYTHING and station.store.roster.area(area) is None:
            raise house.Refused("loa.unknown_place", place=area)
    return areas


def _show(wanted: argparse.Namespace, station: house.House) -> int:
    from controller import keyring, keys, succession

    ring = keyring.of(station.settings)
    known, trust, own = ring.roots(), keys.held_trust(station.store), ring.public(keys.STATION)
    if own is None:
        raise keys.KeyTrouble("keys.missing", path=ring.path(keys.STATION))
    root = known.keys[0] if known and len(known.keys) == 1 else None
    areas = sorted(keys.areas_of(trust, own))
    facts: dict[str, object] = {
        "root_public_key": root.hex if root else None,
        "root_key_here": ring.public(keys.ROOT) is not None,
        "root_public_keys": known.hexes if known else (),
        "root_threshold": known.threshold if known else None,
        "station_key_locked": not ring.token and ring.is_locked(keys.STATION),
        "station_public_key": own.hex,
        "areas": areas,
        "trust_serial": trust.serial if trust else None,
        "trust_valid_until": trust.valid_until if trust else None,
    }
    code = DONE if areas and not succession.is_cut(ring, station.store) else FAILED
    if wanted.json:
        out.as_json(facts)
        return code
    language, zone = wanted.language, station.settings.zone
    if known and len(known.keys) > 1:
        print(say("loa.root_keys", language, threshold=known.threshold, count=len(known.keys)))
        for each in known.hexes:
            print(f"  {each}")
    shown = [root.hex if root else "", "" if facts["root_key_here"] else say("loa.root_elsewhere", language)]
    if known is None or root:
        print(say("loa.root_key", language, public=" – ".join(filter(None, shown))))
    print(say("loa.station_key", language, public=own.hex, areas=", ".join(areas) or "–"))
    until = out.second(trust.valid_until if trust else None, zone)
    print(say("loa.trust_until", language, serial=trust.serial if trust else 0, until=until))
    if code != DONE:
        print(say("loa.key_not_in_force", language))
    return code
