"""The station's rooms for a verb: settings, store and desk, opened when the verb runs and closed after it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from words import Said, discretion

if TYPE_CHECKING:
    from controller.desk import Desk
    from controller.settings import Settings
    from controller.store import Store
    from controller.store.rows import User
    from loa.parser import Parser


CLASSES = ("ordinary", "priority", "emergency")


class Refused(Said):
    """What the command line itself cannot do."""


@dataclass(frozen=True)
class House:
    """An open station: what a verb may wish and read."""

    settings: Settings
    store: Store
    desk: Desk

    def person(self, name: str | None) -> User:
        """Who acts: the person of that name, else the administrator of everything who came first. Raises Refused."""
        from controller import rights
        from controller.rights import EVERYWHERE, Permission

        if name is not None:
            user = self.store.people.by_name(name)
            if user is None or user.disabled:
                raise Refused("loa.nobody_of_that_name", name=name[:80])
            return user
        everybody = self.store.people.all()
        people = [each for each in everybody if rights.may(each, Permission.PEOPLE, EVERYWHERE, now())]
        if not people:
            raise Refused("loa.nobody_yet")
        return min(people, key=lambda each: each.created_at)

    def without_time(self) -> set[str]:
        """The nodes that said last that they do not know the time: they sound emergencies only."""
        known = ((each.node, each.health) for each in self.store.health.latest())
        return {node for node, health in known if health and not health.vitals.clock_known}

    def recorded(self, path: Path, language: str, who: User) -> str:
        """What a person recorded, taken into the station; its name there. Raises Said."""
        from controller.studio import Archive

        kept = Archive(self.settings.recordings_dir).keep(upload(path), language)
        return self.desk.record(kept, path.name, who, now()).sha256


def now() -> datetime:
    """The moment, for a verb to hand on."""
    return datetime.now(UTC)


def takes_config(parser: Parser) -> None:
    """The option that says where the station's settings are."""
    default = os.environ.get("LOA_CONFIG")
    parser.add_argument(
        "--config",
        metavar=parser.word("file"),
        type=Path,
        default=Path(default) if default else None,
        help=parser.t("config_help"),
    )


def takes_person(parser: Parser) -> None:
    """The option that says who acts."""
    parser.add_argument("--as", dest="person", metavar=parser.word("name"), help=parser.t("as_help"))


def takes_class(parser: Parser, about: str) -> None:
    """The option that says of what bulletin class; ``about`` is the key of its help."""
    parser.add_argument("--class", dest="bulletin_class", choices=CLASSES, default="ordinary", help=parser.t(about))


def takes_recording(parser: Parser, among: argparse._MutuallyExclusiveGroup | None = None) -> None:
    """The options of what a person recorded, instead of the others ``among``."""
    file = parser.word("file")
    (among or parser).add_argument("--recording", metavar=file, type=Path, help=parser.t("recording_help"))
    parser.add_argument("--spoken-language", default="vi", metavar="TAG", help=parser.t("spoken_language_help"))


def takes_manner(parser: Parser) -> None:
    """The options of how often the words are heard, and whether it is only a drill."""
    parser.add_argument("--times", type=parser.number(1, 10), default=1, metavar="N", help=parser.t("times_help"))
    parser.add_argument("--drill", action="store_true", help=parser.t("drill_help"))


def upload(path: Path) -> Path:
    """A file that a person named, if it can be read. Raises Refused."""
    try:
        with path.open("rb") as content:
            content.read(1)
    except OSError as wrong:
        raise Refused("loa.unreadable_file", path=path, why=wrong.strerror or wrong) from wrong
    return path


def settings_of(wanted: argparse.Namespace) -> Settings:
    """The station's settings. Raises SettingsError."""
    from controller import settings

    found = settings.load(wanted.config)
    discretion.start_log("ERROR", found.secrets(), "%(levelname)s %(name)s %(message)s")
    return found


@contextmanager
def opened(wanted: argparse.Namespace) -> Iterator[House]:
    """The station's house over its store, brought up to date. Raises Said."""
    from controller import bootstrap

    settings = settings_of(wanted)
    store = bootstrap.open_store(settings)
    try:
        yield House(settings, store, bootstrap.make_desk(settings, store))
    finally:
        store.close()
