"""The proof: what a version that was just installed shows before it may run, and the answer the updater reads.

- Asked by the version that runs now (`loa node prove`), so its answer keeps its form: one line of JSON with ``version``
  and ``good``; ``findings`` are for an engineer.
- Touches nothing of the node's: the ledger is copied by SQLite itself and opened as a copy, everything else is read.
- What hangs on the outside (broker, sound card) is no part of it: that is the trial's.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from edge_node import identity
from edge_node.gate import Gate
from edge_node.held import Held
from edge_node.ledger import Ledger
from edge_node.radio import LIBRARIES
from edge_node.report import version
from edge_node.settings import Settings
from wire import closed
from words import LANGUAGES, Said, table

ROOMS = ("edge_node", "wire", "words")  # and of `schedules` what they use


def answer(settings: Settings) -> dict[str, object]:
    """What is to be printed: ``good`` only when nothing was found."""
    findings = [*_modules(settings), *_libraries(settings), *_state(settings)]
    return {"version": version(), "good": not findings, "findings": findings}


def _modules(settings: Settings) -> list[str]:
    """What cannot be imported, but for the libraries of players that this node does not use."""
    found, unused = [], {name for names in LIBRARIES.values() for name in names} - {*LIBRARIES[settings.player]}
    for room in ROOMS:
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            try:
                importlib.import_module(module.name)
            except (ImportError, OSError, SyntaxError) as wrong:
                if getattr(wrong, "name", None) not in unused:
                    found.append(f"{module.name}: {wrong}")
    lacking = [language for language in LANGUAGES if not table(language)]
    return [*found, *(f"no sentences: {language}" for language in lacking)]


def _libraries(settings: Settings) -> list[str]:
    return [f"no {name}" for name in LIBRARIES[settings.player] if importlib.util.find_spec(name) is None]


def _state(settings: Settings) -> list[str]:
    home = settings.state_dir
    try:
        path = home / "node.key"
        if path.exists() and not closed.is_closed(path.read_bytes()):  # what is closed opens for the service alone
            identity.load_or_make(home / "node.key")
        Gate(settings.node, settings.home, settings.roots)
        Held(home / "held").load()
        if (home / "ledger.sqlite").exists():
            return _ledger(home / "ledger.sqlite")
    except (Said, OSError, ValueError, sqlite3.Error) as wrong:
        return [f"{home}: {wrong}"]
    return []


def _ledger(path: Path) -> list[str]:
    """What this version makes of a copy of the ledger. Raises sqlite3.Error, OSError."""
    with tempfile.TemporaryDirectory(prefix="loa-prove-") as folder:
        copy = Path(folder) / path.name
        with (
            closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as here,
            closing(sqlite3.connect(copy)) as there,
        ):
            here.backup(there)
        ledger = Ledger(copy)
        try:
            return ["the ledger cannot be read"] if ledger.book.spoilt else []
        finally:
            ledger.close()
