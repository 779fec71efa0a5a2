"""What can be typed: the verbs, their help, and how a wrong line is answered, in the language of the locale."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Callable, Generator, Sequence
from typing import Any, NoReturn

from loa import mistakes, told
from loa.codes import NOT_UNDERSTOOD
from loa.verbs import (
    alarms,
    announce,
    areas,
    asrun,
    audit,
    backup,
    bench,
    broker,
    calendars,
    cap,
    controller,
    demo,
    inbox,
    keys,
    migrate,
    nodes,
    people,
    place,
    plan,
    policy,
    programme,
    releases,
    simulate,
    speech,
    standby,
    status,
    tokens,
    voices,
)
from words import say

VERBS = (
    demo,
    announce,
    cap,
    inbox,
    standby,
    plan,
    policy,
    programme,
    simulate,
    calendars,
    asrun,
    audit,
    speech,
    voices,
    controller,
    status,
    broker,
    keys,
    people,
    tokens,
    areas,
    place,
    nodes,
    releases,
    migrate,
    backup,
    alarms,
    bench,
)
MOST_COLUMNS = 100
Run = Callable[[argparse.Namespace], int]


class Parser(argparse.ArgumentParser):
    """An argparse parser that speaks ``language`` wherever a person reads."""

    def __init__(self, language: str, example: str = "", **rest: Any) -> None:
        """``example``: command lines, each on its own line, for the end of the help."""
        super().__init__(add_help=False, allow_abbrev=False, formatter_class=_Formatter, **rest)
        self.language = language
        self._positionals.title = self.t("what_group")
        self._optionals.title = self.t("options_group")
        if example:
            self.epilog = "\n  ".join([f"{self.t('example')}:", *example.splitlines()])
        self.add_argument("-h", "--help", action="help", help=self.t("help_help"))

    def t(self, key: str, **facts: object) -> str:
        """The command line's own sentence."""
        return say(f"loa.{key}", self.language, **facts)

    def word(self, name: str) -> str:
        """What stands in the help for a value: FILE, TIME …"""
        return self.t(f"word_{name}")

    def takes_json(self) -> None:
        """The option by which a program reads the answer."""
        self.add_argument("--json", action="store_true", help=self.t("json_help"))

    def number(self, low: int, high: int) -> Callable[[str], int]:
        """The kind of an argument: a whole number from ``low`` to ``high``."""

        def read(text: str) -> int:
            if re.fullmatch(r"[+-]?[0-9]{1,15}", text) and low <= int(text) <= high:
                return int(text)
            raise argparse.ArgumentTypeError(self.t("mistake_number", low=low, high=high, value=text))

        return read

    def format_help(self) -> str:
        """The page of help, its first word in the language."""
        return super().format_help().replace("usage: ", f"{self.t('usage')}: ", 1)

    def error(self, message: str) -> NoReturn:
        """Say what was not understood, and where help is; exit code 2."""
        self.refuse(mistakes.retold(message, self.language))

    def refuse(self, why: str) -> NoReturn:
        """`error`, for what is said in the language already."""
        why = told.plain(why, told.MOST_CHARS)
        print(self.t("not_understood", why=why, command=self.prog), file=sys.stderr)
        sys.exit(NOT_UNDERSTOOD)

    def refuse_unexpected(self, extra: list[str]) -> NoReturn:
        """`refuse`, for what nothing takes."""
        self.refuse(mistakes.unexpected(extra, self._option_string_actions, self.language))


class Verbs:
    """The verbs of one level, added one by one."""

    def __init__(self, parser: Parser, level: str = "verb", *, required: bool = True) -> None:
        self._into = parser.add_subparsers(metavar=parser.t("verb_word"), required=required, dest=level)
        parser._positionals.title = parser.t("verbs_group")
        self._language = parser.language

    def add(self, name: str, about: str, run: Run | None = None, example: str = "") -> Parser:
        """A verb; ``about`` is the key of its one-line help, ``example`` one or more whole command lines."""
        sentence = say(f"loa.{about}", self._language)
        added: Parser = self._into.add_parser(
            name, language=self._language, help=sentence, description=sentence, example=example
        )
        if run is not None:
            added.set_defaults(run=run, language=self._language, parser=added)
        return added


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=min(MOST_COLUMNS, shutil.get_terminal_size().columns - 2))

    def _iter_indented_subactions(self, action: argparse.Action) -> Generator[argparse.Action, None, None]:
        """Verbs stand in the same column as options, so that each has its help beside it."""
        yield from getattr(action, "_get_subactions", list)()

    def _format_action(self, action: argparse.Action) -> str:
        """The list of verbs needs no line of its own above it."""
        lines = super()._format_action(action)
        return lines.partition("\n")[2] if hasattr(action, "_get_subactions") else lines


class _Version(argparse.Action):
    """Prints the version; looked up only when asked for, since that takes time."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib import metadata

        try:
            version = metadata.version("loa-radio")
        except metadata.PackageNotFoundError:
            version = "0"
        print(f"loa {version}")
        parser.exit()


def make(language: str) -> Parser:
    """The whole command line."""
    parser = Parser(language, prog="loa", description=say("loa.about", language), epilog=say("loa.about_all", language))
    parser.add_argument("--version", action=_Version, nargs=0, help=parser.t("version_help"))
    verbs = Verbs(parser)
    for verb in VERBS:
        verb.add(verbs)
    return parser


def read(arguments: Sequence[str] | None, language: str) -> argparse.Namespace:
    """What is wanted. Exits with code 2 for a line that is not understood, with 0 after help."""
    wanted, extra = make(language).parse_known_args(arguments)
    verb: Parser = wanted.parser
    if extra:
        verb.refuse_unexpected(extra)
    for value in vars(wanted).values():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and not _is_utf8(text):
                verb.refuse(verb.t("mistake_not_utf8", value=text))
    return wanted


def _is_utf8(text: str) -> bool:
    """Whether the bytes that were typed were text; Python hands on the others as lone surrogates."""
    return not any("\ud800" <= each <= "\udfff" for each in text)
