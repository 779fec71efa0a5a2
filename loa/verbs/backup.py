"""`loa backup`, `loa restore`, `loa revocations`: a station into one locked file, and out of it on an empty machine.

- A restored station says that it is one from its first moment; what was taken away since is taken away after that, by
  the list that is found then, and by any other that turns up later.
"""

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
    from controller.store import Store
    from controller.vault.keeping import Contents
    from loa.parser import Parser, Verbs

BACKUP_EXAMPLE = "loa backup /media/usb/loa-2026-11-27.tar --passphrase-file /etc/loa/passphrase"
RESTORE_EXAMPLE = "loa restore /media/usb/loa-2026-11-27.tar --config /etc/loa/controller.toml"
REVOCATIONS_EXAMPLE = "loa revocations /mnt/nas/loa-revocations.aside-1 --config /etc/loa/controller.toml"
MOST_PASSPHRASE_BYTES = 4096


def add(verbs: Verbs) -> None:
    """The verbs, and what they take."""
    _takes_file(verbs.add("backup", "about_backup", keep, BACKUP_EXAMPLE))
    parser = verbs.add("restore", "about_restore", give_back, RESTORE_EXAMPLE)
    _takes_file(parser)
    parser.add_argument("--revocations", type=Path, metavar=parser.word("file"), help=parser.t("revocations_help"))
    parser = verbs.add("revocations", "about_revocations", take_away, REVOCATIONS_EXAMPLE)
    parser.add_argument("file", type=Path, metavar=parser.word("file"), help=parser.t("revocations_help"))
    house.takes_config(parser)
    parser.takes_json()


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
    from controller import revocations, vault

    settings = house.settings_of(wanted)
    if wanted.revocations:
        revocations.check(wanted.revocations)  # before there is a station that nothing was taken from

    def told(store: Store, contents: Contents) -> None:
        _say_restored(store, contents, wanted.file.name, settings.zone)

    contents = vault.give_back(settings, wanted.file, _passphrase(wanted), told)
    with house.opened(wanted) as station:
        met, upto, troubles = _taken_away(wanted, station)
        _note_taken(station, upto, len(met))
    if wanted.json:
        facts = {"made_at": contents.made_at, "version": contents.version, "files": len(contents.members)}
        out.as_json(facts | {"taken_away": met, "revocations_upto": upto})
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


def take_away(wanted: argparse.Namespace) -> int:
    """Take away by a list that turned up after the restore."""
    from controller import flags, revocations

    with house.opened(wanted) as station:
        noted = revocations.read(wanted.file, station.store)
        met = revocations.take_away(station.store, noted, house.now())
        upto = out.second(noted.at, station.settings.zone)
        _note_taken(station, upto, len(met))
        told = flags.find(station.store, flags.NEWER_LIST)
        if told is not None and told.facts["path"] == str(wanted.file.absolute()):
            flags.silence(station.store, flags.NEWER_LIST)
    if wanted.json:
        out.as_json({"taken_away": met, "revocations_upto": upto})
        return DONE
    print(say("loa.taken_away", wanted.language, upto=upto, count=len(met), names=", ".join(met) or "-"))
    return DONE


def _say_restored(store: Store, contents: Contents, file: str, zone: str) -> None:
    """From its first moment the station says what it is, and that nothing was taken away yet."""
    from controller import flags, gaps
    from controller.store.rows import Act

    now = house.now()
    act = Act("loa", "restored", file, f"made={contents.made_at.isoformat()} files={len(contents.members)}", now)
    facts = {"made": out.second(contents.made_at, zone), "upto": "-", "count": "0"}
    flags.silence(store, flags.RESTORED)  # of the restore before, if the backup holds it
    flags.sound(store, flags.RESTORED, facts, now, act)
    gaps.restored(store, contents.made_at, now)


def _note_taken(station: house.House, upto: str | None, count: int) -> None:
    """What the alarm of the restore says of it, while that stands."""
    from controller import flags

    held = flags.find(station.store, flags.RESTORED)
    if held is not None and upto is not None:
        facts = held.facts | {"upto": upto, "count": str(count + int(held.facts["count"]))}
        flags.sound(station.store, flags.RESTORED, facts, house.now())


def _taken_away(wanted: argparse.Namespace, station: house.House) -> tuple[list[str], str | None, list[Said]]:
    """What the newest list of revocations takes away again: whom, as of when (None: there was no list), and trouble."""
    from controller import revocations

    given = [wanted.revocations] if wanted.revocations else []
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
