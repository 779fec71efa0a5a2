"""What was drawn before is not drawn again: the markup of a part that many pages and many readers show alike.

- A template says ``once(macro, facts…)`` instead of ``macro(facts…)``. The facts are the part's name: whatever it shows
  must follow from them, from the reader's language and from what never changes while the console runs. So nothing here
  can be out of date.
- Never of forms: their keys belong to one reader. Never of what says how long ago, or how soon.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

from flask import current_app, request
from markupsafe import Markup

from controller.web.language import chosen

MOST_KEPT = 20_000  # parts of about a kilobyte


class Drawn:
    """Parts by what they show; whoever was not asked for longest is let go. Safe from any thread."""

    def __init__(self, most_kept: int = MOST_KEPT) -> None:
        self._most_kept, self._lock = most_kept, Lock()
        self._parts: OrderedDict[Hashable, Markup] = OrderedDict()

    def __len__(self) -> int:
        return len(self._parts)

    def of(self, key: Hashable, draw: Callable[[], Markup]) -> Markup:
        """The part of that name."""
        with self._lock:
            part = self._parts.get(key)
            if part is not None:
                self._parts.move_to_end(key)
                return part
        part = draw()
        with self._lock:
            self._parts[key] = part
            while len(self._parts) > self._most_kept:
                self._parts.popitem(last=False)
        return part


def once(macro: Callable[..., Markup], *facts: Hashable) -> Markup:
    """What ``macro`` draws of these facts, for templates. The macro's name is one of a kind among all templates."""
    held = current_app.extensions["drawn"]
    assert isinstance(held, Drawn)
    name = getattr(macro, "name", "")
    return held.of((name, request.script_root, chosen(), facts), lambda: macro(*facts))
