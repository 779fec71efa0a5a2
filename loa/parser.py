"""What can be typed: the verbs, their help, and how a wrong line is answered, in the language of the locale."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib import metadata
from typing import Any, NoReturn

from loa.codes import NOT_UNDERSTOOD
from loa.verbs import (
    announce,
    areas,
    asrun,
    bench,
    broker,
    controller,
    demo,
    keys,
    migrate,
    nodes,
    people,
    plan,
    speech,
)
from words import say

VERBS = (demo, controller, announce, plan, asrun, nodes, areas, people, keys, speech, broker, migrate, bench)
Run = Callable[[argparse.Namespace], int]


class Parser(argparse.ArgumentParser):
    """An argparse parser that speaks ``language`` wherever a person reads."""

    def __init__(self, language: str, **rest: Any) -> None:
        super().__init__(add_help=False, formatter_class=_Formatter, **rest)
        self.language = language
        self._positionals.title = self.t("what_group")
        self._optionals.title = self.t("options_group")
        self.add_argument("-h", "--help", action="help", help=self.t("help_help"))

    def t(self, key: str, **facts: object) -> str:
        """The command line's own sentence."""
        return say(f"loa.{key}", self.language, **facts)

    def format_help(self) -> str:
        """The page of help, its first word in the language."""
        return super().format_help().replace("usage: ", f"{self.t('usage')}: ", 1)

    def error(self, message: str) -> NoReturn:
        """Say what was not understood, and where help is; exit code 2."""
        print(self.t("not_understood", why=message, command=self.prog), file=sys.stderr)
        sys.exit(NOT_UNDERSTOOD)


class Verbs:
    """The verbs of one level, added one by one."""

    def __init__(self, parser: Parser, level: str = "verb") -> None:
        self._into = parser.add_subparsers(
            metavar=parser.t("verb_word"), required=True, dest=level, title=parser.t("verbs_group")
        )
        self._language = parser.language

    def add(self, name: str, about: str, run: Run | None = None) -> Parser:
        """A verb; ``about`` is the key of its one-line help."""
        sentence = say(f"loa.{about}", self._language)
        added: Parser = self._into.add_parser(name, language=self._language, help=sentence, description=sentence)
        if run is not None:
            added.set_defaults(run=run, language=self._language)
        return added


class _Formatter(argparse.HelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=100)


def make(language: str) -> Parser:
    """The whole command line."""
    parser = Parser(language, prog="loa", description=say("loa.about", language))
    parser.add_argument("--version", action="version", version=f"loa {_version()}", help=parser.t("version_help"))
    verbs = Verbs(parser)
    for verb in VERBS:
        verb.add(verbs)
    return parser


def _version() -> str:
    try:
        return metadata.version("loa-radio")
    except metadata.PackageNotFoundError:
        return "0"
