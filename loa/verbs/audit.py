"""`loa audit list|verify|export`: who did what, and whether somebody has been at the log since."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from loa import house, out
from loa.codes import DONE, FAILED
from words import say

if TYPE_CHECKING:
    from controller.public_log import Entry
    from controller.witness import Finding
    from loa.parser import Verbs
    from wire.seal import PublicKey

VERIFY_EXAMPLE = """\
loa audit verify --checkpoints /media/usb/audit-checkpoints
loa audit verify --file nhat-ky.jsonl --key 64_HEX"""
EXPORT_EXAMPLE = "loa audit export --config /etc/loa/controller.toml"


def add(verbs: Verbs) -> None:
    """The verb, its verbs, and what they take."""
    from loa.parser import Verbs as Below

    below = Below(verbs.add("audit", "about_audit"), "audit_verb")
    parser = below.add("list", "about_audit_list", show)
    parser.add_argument("--limit", type=parser.number(1, 100_000), default=50, metavar="N", help=parser.t("limit_help"))
    parser.add_argument("--about", metavar=parser.word("name"), help=parser.t("audit_about_help"))
    parser.takes_json()
    house.takes_config(parser)
    parser = below.add("verify", "about_audit_verify", verify, VERIFY_EXAMPLE)
    file, key = parser.word("file"), parser.word("key")
    parser.add_argument("--checkpoints", type=Path, metavar=file, help=parser.t("audit_checkpoints_help"))
    parser.add_argument("--file", type=Path, metavar=file, help=parser.t("audit_file_help"))
    parser.add_argument("--key", action="append", dest="keys", metavar=key, help=parser.t("audit_key_help"))
    parser.takes_json()
    house.takes_config(parser)
    parser = below.add("public", "about_audit_public", public, "loa audit public --verify 2026-11-25.json --key 64_HEX")
    parser.add_argument("--day", metavar=parser.word("time"), help=parser.t("audit_public_day_help"))
    parser.add_argument("--verify", type=Path, metavar=file, help=parser.t("audit_public_verify_help"))
    parser.add_argument("--key", action="append", dest="keys", metavar=key, help=parser.t("audit_key_help"))
    parser.takes_json()
    house.takes_config(parser)
    house.takes_config(below.add("export", "about_audit_export", export, EXPORT_EXAMPLE))


def show(wanted: argparse.Namespace) -> int:
    """Print the newest lines, the newest first."""
    with house.opened(wanted) as station:
        acts, zone = station.store.acts, station.settings.zone
        lines = acts.about(wanted.about, wanted.limit) if wanted.about else acts.recent(wanted.limit)
    if wanted.json:
        out.as_json([{"at": each.at, "who": each.who, "what": each.what, **_rest(each)} for each in lines])
        return DONE
    if not lines:
        print(say("loa.nothing_yet", wanted.language))
    for each in lines:
        print(f"{out.second(each.at, zone)}  {each.who}  {each.what}  {each.subject}  {each.detail}")
    return DONE


def verify(wanted: argparse.Namespace) -> int:
    """Say whether every line stands as it was written; exit code 1 when one does not, or nobody could tell."""
    found = _examined(wanted)
    if wanted.json:
        faults = [each.say(wanted.language) for each in found.faults]
        told = {"whole": not faults, "lines": found.lines, "sealed_upto": found.sealed_upto, "faults": faults}
        out.as_json(told | {"remarks": [each.say(wanted.language) for each in found.remarks]})
        return FAILED if faults else DONE
    for each in (*found.remarks, *found.faults):
        print(each.say(wanted.language))
    key = "loa.audit_broken" if found.faults else "loa.audit_whole"
    print(say(key, wanted.language, lines=found.lines, sealed=found.sealed_upto))
    return FAILED if found.faults else DONE


def export(wanted: argparse.Namespace) -> int:
    """Write the whole log to standard output, so that it can be examined elsewhere."""
    from controller import audit_export

    with house.opened(wanted) as station:
        for line in audit_export.lines(station.store):
            sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
    return DONE


def public(wanted: argparse.Namespace) -> int:
    """Print a day of the public log, or examine a sealed day (``--verify``) and the days of this station."""
    from controller import public_log, witness
    from schedules import moments

    given = _given_keys(wanted)
    if wanted.verify is not None and given:  # whoever has file and key needs no station
        _print_day(wanted, public_log.opened(_read(wanted.verify), given).entries)
        return DONE
    with house.opened(wanted) as station:
        keys = given | witness.known_keys(station.store)
        if wanted.verify is not None:
            envelope = _read(wanted.verify)
            day = public_log.opened(envelope, keys)
            held = station.store.public_days.day(day.day)
            if held is None or held.envelope != envelope:
                raise house.Refused("audit.public_other", day=day.day)
            found = public_log.examine(station.store, keys)
            for fault in found.faults:
                print(fault.say(wanted.language), file=sys.stderr)
            print(say("loa.audit_public_whole", wanted.language, days=found.days)) if not found.faults else None
            return FAILED if found.faults else DONE
        zone = station.settings.zone
        asked = moments.local(moments.read_past(wanted.day, house.now(), zone) if wanted.day else house.now(), zone)
        _print_day(wanted, public_log.entries_of(station.store, asked.date(), station.settings))
    return DONE


def _print_day(wanted: argparse.Namespace, entries: tuple[Entry, ...]) -> None:
    if wanted.json:
        out.as_json([msgspec.to_builtins(each) for each in entries])
        return
    for each in entries:
        heard = sum(place.sounded for place in each.places)
        print(f"{each.planned.isoformat()}  {each.bulletin_class or '–'}  {each.order or '–'}  {heard}  {each.title}")
    if not entries:
        print(say("loa.nothing_yet", wanted.language))


def _read(path: Path) -> bytes:
    from controller import public_log

    try:
        with path.open("rb") as file:
            return file.read(public_log.MOST_DAY_BYTES + 1)
    except OSError as wrong:
        raise house.Refused("audit.unreadable", path=path, why=wrong.strerror or wrong) from wrong


def _examined(wanted: argparse.Namespace) -> Finding:
    from controller import audit_export, witness

    keys = _given_keys(wanted)
    if wanted.file is not None:
        exported = audit_export.Export(wanted.file)
        links = list(exported.links())
        if not links and not exported.checkpoints:
            raise house.Refused("audit.nothing_in_it", path=wanted.file)
        if not keys:  # every seal would be an unknown key's, and a log without seals could be anybody's
            raise house.Refused("audit.no_key", path=wanted.file)
        return witness.examine(links, exported.checkpoints, keys)
    with house.opened(wanted) as station:
        kept = witness.kept_aside(station.settings.state_dir)
        if wanted.checkpoints is not None:
            kept = kept.and_also(witness.kept_in(wanted.checkpoints))
        found = witness.examine_store(station.store, kept.envelopes, keys | witness.known_keys(station.store))
    found.remarks += kept.remarks
    return found


def _given_keys(wanted: argparse.Namespace) -> dict[str, PublicKey]:
    from wire.seal import PublicKey

    try:
        return {key.id: key for key in map(PublicKey.from_hex, wanted.keys or ())}
    except ValueError:
        raise house.Refused("loa.not_a_public_key") from None


def _rest(act: object) -> dict[str, object]:
    return {name: getattr(act, name) for name in ("subject", "detail")}
