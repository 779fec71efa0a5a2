"""`loa key roots|cosigner|lock|unlock` and `loa key trust draft|sign|publish`: acts of several people over keys."""

from __future__ import annotations

import argparse
import getpass
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from loa import house, out, rootkeys
from loa.codes import DONE
from words import say

if TYPE_CHECKING:
    from controller.store.rows import User
    from loa.parser import Parser, Verbs

ROOTS_EXAMPLE = "loa key roots --roots 3 --threshold 2 --to /media/a --to /media/b --to /media/c"
COSIGNER_EXAMPLE = "loa key cosigner hoa --area lang-son --config /etc/loa/controller.toml"
KEY_KINDS = ("station", "root", "authority", "broker", "mqtt", "web", "factors")  # as `controller.lockup.ALL`
SIGN_EXAMPLE = "loa key trust sign trust.draft --root /media/a"


def add_to(below: Verbs) -> None:
    """The verbs below `loa key`."""
    from loa.parser import Verbs as Below

    parser = below.add("roots", "about_key_roots", roots, ROOTS_EXAMPLE)
    takes_new_roots(parser, required=True)
    rootkeys.takes_roots(parser)
    house.takes_config(parser)
    parser = below.add("cosigner", "about_key_cosigner", cosigner, COSIGNER_EXAMPLE)
    parser.add_argument("person", metavar=parser.word("name"), help=parser.t("cosigner_help"))
    days = parser.number(1, 3650)
    parser.add_argument("--days", type=days, default=730, metavar="N", help=parser.t("cosigner_days_help"))
    parser.add_argument("--passphrase-file", type=Path, metavar=parser.word("file"), help=parser.t("passphrase_help"))
    area = parser.word("area")
    parser.add_argument("--area", action="append", dest="areas", metavar=area, help=parser.t("cosigner_area_help"))
    rootkeys.takes_roots(parser)
    house.takes_config(parser)
    for name, about, run in (("lock", "about_key_lock", lock), ("unlock", "about_key_unlock", unlock)):
        parser = below.add(name, about, run)
        parser.add_argument(
            "--passphrase-file", type=Path, metavar=parser.word("file"), help=parser.t("passphrase_help")
        )
        parser.add_argument("--only", action="append", choices=KEY_KINDS, help=parser.t("lock_only_help"))
        house.takes_config(parser)
    trust = Below(below.add("trust", "about_key_trust"), "trust_verb")
    parser = trust.add("draft", "about_trust_draft", draft, "loa key trust draft trust.draft")
    parser.add_argument("draft", type=Path, metavar=parser.word("file"), help=parser.t("draft_file_help"))
    house.takes_config(parser)
    parser = trust.add("sign", "about_trust_sign", sign, SIGN_EXAMPLE)
    parser.add_argument("file", type=Path, metavar=parser.word("file"), help=parser.t("draft_file_help"))
    rootkeys.takes_roots(parser, draft=False)
    parser = trust.add("publish", "about_trust_publish", publish, "loa key trust publish trust.draft")
    parser.add_argument("file", type=Path, metavar=parser.word("file"), help=parser.t("draft_file_help"))
    house.takes_config(parser)


def takes_new_roots(parser: Parser, required: bool = False) -> None:
    """The options by which new roots are made."""
    count = parser.number(1, 8)
    parser.add_argument("--roots", type=count, required=required, metavar="N", help=parser.t("roots_help"))
    parser.add_argument("--threshold", type=count, default=1, metavar="K", help=parser.t("threshold_help"))
    folder = parser.word("dir")
    parser.add_argument("--to", action="append", type=Path, default=[], metavar=folder, help=parser.t("to_help"))
    parser.add_argument("--paper-only", action="store_true", help=parser.t("paper_only_help"))


def roots(wanted: argparse.Namespace) -> int:
    """Other roots in the place of those in force: sealed by enough of both."""
    from controller import keyring, keys

    with house.opened(wanted) as station:
        ring, now = keyring.of(station.settings), house.now()
        old = rootkeys.given(wanted)
        new = rootkeys.hand_out(wanted, wanted.roots)
        drawn = keys.with_roots(ring, station.store, [each.public for each in new], wanted.threshold, now)
        if rootkeys.drafted(wanted, drawn.signed(*new)):
            return DONE
        trust = keys.settle(ring, station.store, drawn, now, [*old, *new])
        _note(station, "changed roots", f"{wanted.threshold}/{wanted.roots}", trust.serial)
    return rootkeys.told_published(wanted, trust.serial)


def cosigner(wanted: argparse.Namespace) -> int:
    """Give a person a key with which they agree to wide emergencies, locked with a passphrase that only they know."""
    from controller import keyring, keys
    from controller.trustbook import held_trust
    from wire.seal import Signer
    from wire.trust import Cosigner

    with house.opened(wanted) as station:
        person, now = station.person(wanted.person), house.now()
        ring, signer = keyring.of(station.settings), Signer.generate()
        apart = keyring.Keyring(ring.folder / keyring.COSIGNERS)
        name = f"{person.name}-{signer.public.id}"
        until = now + timedelta(days=wanted.days)
        areas = _areas_of(station, person, wanted.areas, now)
        entry = Cosigner(signer.public.hex, person.name, areas, now - timedelta(minutes=5), until)
        held = held_trust(station.store)
        below = (held.cosign_below if held else 0) or _commune_width(station)
        drawn = keys.with_cosigner(station.store, entry, below, now)
        passphrase = _passphrase(wanted, say("loa.cosigner_passphrase", wanted.language, name=person.name))
        given = rootkeys.given(wanted)
        apart.keep(name, signer, passphrase)
        try:
            if rootkeys.drafted(wanted, drawn):
                return DONE
            trust = keys.settle(ring, station.store, drawn, now, given)
        except BaseException:
            apart.path(name).unlink(missing_ok=True)
            raise
        _note(station, "named cosigner", person.name, trust.serial)
    print(say("loa.cosigner_named", wanted.language, name=person.name, until=out.second(until, station.settings.zone)))
    return rootkeys.told_published(wanted, trust.serial)


def lock(wanted: argparse.Namespace) -> int:
    """Lock every key that the station holds with one passphrase, the root's too if it lies here; or ``--only`` some."""
    return _rewrite(wanted, _passphrase(wanted, say("loa.new_passphrase", wanted.language)), "loa.key_locked")


def unlock(wanted: argparse.Namespace) -> int:
    """Leave them plain again."""
    return _rewrite(wanted, None, "loa.key_unlocked")


def draft(wanted: argparse.Namespace) -> int:
    """Write the trust document that is next, with nothing changed but its times, for the roots to sign."""
    from controller import keyring, keys

    with house.opened(wanted) as station:
        drawn = keys.renewed(keyring.of(station.settings), station.store, (), house.now(), always=True)
        assert drawn
        rootkeys.drafted(wanted, drawn)
    return DONE


def sign(wanted: argparse.Namespace) -> int:
    """Add the seals of the root keys at hand, after saying what is signed. Needs no station and no network."""
    held = rootkeys.read_draft(wanted.file)
    if not wanted.root and not wanted.typed:
        raise house.Refused("loa.no_root_given")
    for line in _told(held.says, wanted.language):
        print(line)
    new = held.new_roots
    if new is not None:
        print(say("loa.draft_roots", wanted.language, count=len(new.keys), threshold=new.threshold))
        for key in new.keys:
            print(f"  {key}")
    signed = held.signed(*rootkeys.given(wanted))
    rootkeys.write_draft(wanted.file, signed)
    print(say("loa.draft_signed", wanted.language, path=wanted.file, count=len(signed.trust.seals)))
    return DONE


def publish(wanted: argparse.Namespace) -> int:
    """Take in what enough roots signed: nodes are told from now on."""
    from controller import keyring, keys

    with house.opened(wanted) as station:
        drawn, ring = rootkeys.read_draft(wanted.file), keyring.of(station.settings)
        trust = keys.publish(ring, station.store, drawn, house.now())
        _note(station, "published trust", str(trust.serial), trust.serial)
    return rootkeys.told_published(wanted, trust.serial)


def _told(trust: object, language: str) -> list[str]:
    from schedules.moments import DEFAULT_ZONE
    from wire.trust import Trust

    assert isinstance(trust, Trust)
    until = out.second(trust.valid_until, DEFAULT_ZONE)
    lines = [say("loa.trust_until", language, serial=trust.serial, until=until)]
    for each in trust.grants:
        end = out.second(each.until, DEFAULT_ZONE)
        facts = {"public": each.public_key, "areas": ", ".join(each.areas), "until": end}
        lines.append(say("loa.draft_grant", language, **facts, up_to=each.up_to.value))
    for second in trust.cosigners:
        end = out.second(second.until, DEFAULT_ZONE)
        lines.append(say("loa.draft_cosigner", language, public=second.public_key, name=second.holder, until=end))
    return lines


def _rewrite(wanted: argparse.Namespace, passphrase: str | None, key: str) -> int:
    """All or none; the audit log has what was begun, and what came of it."""
    from controller import keyring, lockup
    from controller.store.rows import Act

    kinds = tuple(wanted.only or lockup.ALL)
    begun, done, failed = lockup.UNLOCKING if passphrase is None else lockup.LOCKING
    with house.opened(wanted) as station:
        ring, settings = keyring.of(station.settings), station.settings
        if passphrase is None:
            changes = lockup.unlocking(ring, settings, kinds)
        else:
            changes = lockup.locking(ring, settings, passphrase, kinds)
        told = ",".join(each.path.name for each in changes)[:500]

        def note(what: str, detail: str = "") -> None:
            station.store.acts.add(Act("loa", what, told, detail, house.now()))

        note(begun)
        try:
            lockup.carry_out(changes)
        except lockup.NotAll as wrong:
            note(failed, f"failed={wrong.failed.name} left={','.join(each.name for each in wrong.left) or '-'}")
            raise
        note(done)
    print(say(key, wanted.language, files=", ".join(str(each.path) for each in changes)))
    return DONE


def _passphrase(wanted: argparse.Namespace, prompt: str) -> str:
    """A new one: from a file, or typed twice. Raises Refused."""
    if wanted.passphrase_file is not None:
        with house.upload(wanted.passphrase_file).open("rb") as file:
            lines = file.read(4096).decode("utf-8", "replace").splitlines()
        return lines[0] if lines else ""
    if not sys.stdin.isatty():
        raise house.Refused("loa.no_passphrase")
    first = getpass.getpass(f"{prompt}: ")
    if getpass.getpass(f"{prompt} ×2: ") != first:
        raise house.Refused("loa.passphrases_differ")
    return first


def _areas_of(station: house.House, person: User, wanted: list[str] | None, now: datetime) -> tuple[str, ...]:
    """For which areas a person may agree: those wanted, or all in which they order emergencies. Raises Refused."""
    from controller import rights
    from controller.rights import EVERYWHERE, Permission
    from wire.names import lies_within

    held = [each for each in person.grants if Permission.WARN in rights.PERMISSIONS[each.role]]
    mine = sorted({each.area for each in held if rights.lasts(each, now)})
    for area in wanted or ():
        if area != EVERYWHERE and station.store.roster.area(area) is None:
            raise house.Refused("loa.unknown_place", place=area[:80])
        if not any(lies_within(area, each) for each in mine):
            raise house.Refused("loa.cosigner_no_right", name=person.name, area=area[:80])
    areas = tuple(dict.fromkeys(wanted or mine))
    if not areas:
        raise house.Refused("loa.cosigner_no_right", name=person.name, area=person.area or EVERYWHERE)
    return areas


def _commune_width(station: house.House) -> int:
    """The fewest slugs of a commune's path: what is wider needs two. Two where no commune is known yet."""
    from controller.roster import AreaKind
    from wire.cosigned import width

    areas = station.store.roster.areas()
    return min((width(area.id) for area in areas if area.kind is AreaKind.COMMUNE), default=2)


def _note(station: house.House, verb: str, about: str, serial: int) -> None:
    from controller.store.rows import Act

    station.store.acts.add(Act("loa", verb, about, f"trust={serial}", house.now()))
