"""`loa backup` and `loa restore`: a whole station into one locked file, and out of it on an empty machine."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE
from words import Said, say

if TYPE_CHECKING:
    from loa.parser import Parser, Verbs

BACKUP_EXAMPLE = "loa backup /media/usb/loa-2026-11-27.tar --passphrase-file /etc/loa/passphrase"
RESTORE_EXAMPLE = "loa restore /media/usb/loa-2026-11-27.tar --config /etc/loa/controller.toml"
MOST_PASSPHRASE_BYTES = 4096


def add(verbs: Verbs) -> None:
    """Both verbs, and what they take."""
    _takes_file(verbs.add("backup", "about_backup", keep, BACKUP_EXAMPLE))
    parser = verbs.add("restore", "about_restore", give_back, RESTORE_EXAMPLE)
    _takes_file(parser)
    parser.add_argument("--revocations", type=Path, metavar=parser.word("file"), help=parser.t("revocations_help"))


def keep(wanted: argparse.Namespace) -> int:
    """Write the backup, while the station runs."""
    from controller import vault

    passphrase = _passphrase(wanted, twice=True)
    with house.opened(wanted) as station:
        now = house.now()
        kept = vault.keep(station.settings, station.store, wanted.file, passphrase, now)
        vault.note(station.store, kept, now)
    if wanted.json:
        out.as_json({"file": kept.path, "size_bytes": kept.size_bytes, "files": kept.files, "vanished": kept.vanished})
        return DONE
    print(say("loa.kept", wanted.language, path=kept.path, files=kept.files, size=f"{kept.size_bytes / 1e6:.1f}"))
    for name in kept.vanished:
        print(say("loa.vanished", wanted.language, name=name))
    return DONE


def give_back(wanted: argparse.Namespace) -> int:
    """Make an empty machine the station that was kept."""
    from controller import flags, vault
    from controller.store.rows import Act

    settings = house.settings_of(wanted)
    contents = vault.give_back(settings, wanted.file, _passphrase(wanted))
    with house.opened(wanted) as station:
        made = f"made={contents.made_at.isoformat()} files={len(contents.members)}"
        station.store.acts.add(Act("loa", "restored", wanted.file.name, made, house.now()))
        met, upto, troubles = _taken_away(wanted, station)
        facts = {"made": out.second(contents.made_at, settings.zone), "upto": upto or "-", "count": str(len(met))}
        flags.sound(station.store, flags.RESTORED, facts, house.now())
    if wanted.json:
        told = {"made_at": contents.made_at, "version": contents.version, "files": len(contents.members)}
        out.as_json(told | {"taken_away": met, "revocations_upto": upto})
        return DONE
    made = out.second(contents.made_at, settings.zone)
    print(say("loa.given_back", wanted.language, path=settings.state_dir, files=len(contents.members), made=made))
    for wrong in troubles:
        print(wrong.say(wanted.language))
    if upto is None:
        print(say("loa.no_revocations", wanted.language, made=made))
    else:
        print(say("loa.taken_away", wanted.language, upto=upto, count=len(met), names=", ".join(met) or "-"))
    print(say("loa.confirm_restored", wanted.language))
    return DONE


def _taken_away(wanted: argparse.Namespace, station: house.House) -> tuple[list[str], str | None, list[Said]]:
    """What the newest list of revocations takes away again: whom, as of when (None: there was no list), and trouble."""
    from controller import revocations

    given = [wanted.revocations] if wanted.revocations else []
    if given and not given[0].exists():
        raise house.Refused("loa.unreadable_file", path=given[0], why="-")
    noted, troubles = revocations.newest(station.store, [*given, *revocations.places(station.settings)])
    if noted is None:
        return [], None, [*troubles]
    met = revocations.take_away(station.store, noted, house.now())
    return met, out.second(noted.at, station.settings.zone), [*troubles]


def _takes_file(parser: Parser) -> None:
    file = parser.word("file")
    parser.add_argument("file", type=Path, metavar=file, help=parser.t("backup_file_help"))
    parser.add_argument("--passphrase-file", type=Path, metavar=file, help=parser.t("passphrase_file_help"))
    house.takes_config(parser)
    parser.takes_json()


def _passphrase(wanted: argparse.Namespace, twice: bool = False) -> str:
    """From its file, else asked for at the terminal: never an argument, which everybody on the machine could read."""
    if wanted.passphrase_file is not None:
        try:
            with wanted.passphrase_file.open("rb") as file:
                return str(file.read(MOST_PASSPHRASE_BYTES).decode("utf-8").strip("\r\n"))
        except (OSError, UnicodeDecodeError) as wrong:
            raise house.Refused("loa.unreadable_file", path=wanted.passphrase_file, why=wrong) from wrong
    if not sys.stdin.isatty():
        raise house.Refused("loa.no_passphrase")
    try:
        given = getpass.getpass(say("loa.ask_passphrase", wanted.language))
        if twice and getpass.getpass(say("loa.ask_passphrase_again", wanted.language)) != given:
            raise house.Refused("loa.passphrases_differ")
    except EOFError:
        raise house.Refused("loa.no_passphrase") from None
    return given
