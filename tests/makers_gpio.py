"""gpioget and gpioset without hardware: programs on PATH that take the arguments of libgpiod 1 or 2, and no others.

Levels lie in a folder as files: ``gpiochip0:17`` holds 0 or 1. A line that somebody holds is busy for others.
"""

from __future__ import annotations

import sys
from pathlib import Path

PROGRAM = """#!{python}
import fcntl, getopt, os, signal, sys
MAJOR, FOLDER = {major}, {folder!r}
name = os.path.basename(sys.argv[0])
def fail(why):
    sys.stderr.write(f"{{name}}: {{why}}\\n")
    sys.exit(1)
one = ("active-low", "version", "mode=", "bias=") if MAJOR == 1 else ("active-low", "version", "numeric", "chip=")
try:
    options, words = getopt.gnu_getopt(sys.argv[1:], "lv" + ("m:B:" if MAJOR == 1 else "c:"), one)
except getopt.GetoptError as wrong:
    fail(wrong)
told = dict(options)
if "--version" in told:
    print(f"{{name}} (libgpiod) v{{MAJOR}}.6.3" if MAJOR == 1 else f"{{name}} (libgpiod) v{{MAJOR}}.2.1")
    sys.exit(0)
chip = told.get("--chip", "gpiochip0")
if MAJOR == 1:
    chip = words.pop(0) if words else fail("gpiochip must be specified")
if not words:
    fail("at least one line must be specified")
low = "--active-low" in told
def place(offset):
    path = os.path.join(FOLDER, f"{{chip}}:{{int(offset)}}")
    return path if os.path.exists(path) else fail(f"cannot find line {{offset}}")
if name == "gpioget":
    raw = int(open(place(words[0])).read())
    active = raw != low
    plain = MAJOR == 1 or "--numeric" in told
    print(int(active) if plain else f'"{{words[0]}}"={{"active" if active else "inactive"}}')
    sys.exit(0)
offset, value = words[0].split("=")
line = open(place(offset), "r+")
try:
    fcntl.flock(line, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    fail("Device or resource busy")
stays = MAJOR != 1 or told.get("--mode", "exit") != "exit"
if stays:  # noted before the level shows: whoever sees that may end this
    with open(os.path.join(FOLDER, "held"), "a") as held:
        held.write(f"{{os.getpid()}} {{words[0]}}\\n")
line.write(str(int((value == "1") != low)))
line.flush()
if stays:
    signal.pause()
"""


def install(folder: Path, major: int, *lines: str) -> Path:
    """A folder for PATH with both programs; ``lines`` exist, all low."""
    levels, programs = folder / "levels", folder / "programs"
    levels.mkdir(parents=True)
    programs.mkdir()
    for line in lines:
        (levels / line).write_text("0")
    text = PROGRAM.format(python=sys.executable, major=major, folder=str(levels))
    for name in ("gpioget", "gpioset"):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    return programs
