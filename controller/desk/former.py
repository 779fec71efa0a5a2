"""Names that areas had before they moved: nobody else is ever called so. Pure but for reading the audit log.

- A form, a link or a list that somebody still holds may name an area as it was called when it was made. If another one
  had got that name meanwhile, it would sound there. So what it names is there no more, and is refused.
- The audit log is where they are kept: every move is a line of it, and no line is ever taken away.
- One that comes back to where it was is called as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from controller.store import Store
from controller.store.rows import Act
from wire.names import lies_within

MOVED, MERGED = "moved area", "merged area"
TO = "to="


@dataclass(frozen=True)
class Former:
    """``bearers``: of each name that was left, who bore it, by its name of today; empty for one that is no more."""

    bearers: Mapping[str, str] = field(default_factory=dict)

    def has(self, area: str, by: str = "") -> bool:
        """Whether ``area`` was the name of another than the one that is called ``by`` today."""
        left = ((name, now) for name, now in self.bearers.items() if lies_within(area, name))
        return any(not now or by != now + area[len(name) :] for name, now in left)


def read(store: Store) -> Former:
    """All that were ever left."""
    return of(reversed(store.acts.recent(None, (MOVED, MERGED))))


def of(moves: Iterable[Act]) -> Former:
    """What these lines of the audit log, the oldest first, have left."""
    bearers: dict[str, str] = {}
    for each in moves:
        old, new = each.subject, each.detail.split(" ", 1)[0].removeprefix(TO)
        if each.what == MERGED:  # what was in it may be called otherwise where it came: it is held for gone
            bearers = {name: "" if now and lies_within(now, old) else now for name, now in bearers.items()}
            bearers[old] = ""
            continue
        bearers |= {new + name[len(old) :]: now for name, now in bearers.items() if lies_within(name, old)}
        bearers = {name: new + now[len(old) :] if lies_within(now, old) else now for name, now in bearers.items()}
        bearers[old] = new
        bearers.pop(new, None)
    return Former(bearers)
