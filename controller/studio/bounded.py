"""Runs a program within bounds that it cannot lift: ``python -I bounded.py MEMORY CPU_SECONDS FILE_BYTES PROGRAM …``.

- A script of its own, not imported: the bounds are set in the child, after the fork and before the program.
"""

from __future__ import annotations

import os
import resource
import sys

MOST_OPEN_FILES = 64


def main(arguments: list[str]) -> None:
    """Sets the bounds (bytes, seconds, bytes) and becomes the program."""
    memory, seconds, file_bytes = (int(argument) for argument in arguments[:3])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MOST_OPEN_FILES, MOST_OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        os.execvp(arguments[3], arguments[3:])  # noqa: S606 (no shell)
    except FileNotFoundError:
        sys.exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
