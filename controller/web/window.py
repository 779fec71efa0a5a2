"""What a view may reach: the desk to wish, the store to read, the shelf and the sampler to listen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from flask import current_app

from controller.desk import Desk
from controller.settings import Settings
from controller.store import Store
from controller.studio import Archive
from controller.studio.peaks import Outlines
from controller.studio.sampling import Sampler


@dataclass(frozen=True)
class Window:
    """The web's surroundings. ``now`` gives aware UTC; ``heartbeat`` the station's last tick, None when unknown.

    ``first_token``: whoever brings it to ``/chao/<token>`` while there are no people becomes the first
    administrator. It lives in memory only; empty closes that way. ``sampler`` lets a person hear one sentence,
    ``outlines`` see a recording: both are the web's own, and keep the station waiting for nothing. ``archive`` takes
    in what people recorded. ``broker``: whether the station's link to it stands, None where the station is elsewhere.
    """

    desk: Desk
    store: Store
    shelf_dir: Path
    settings: Settings
    now: Callable[[], datetime]
    heartbeat: Callable[[], datetime | None] = lambda: None
    first_token: str = field(default="", repr=False)
    sampler: Sampler = field(kw_only=True)
    outlines: Outlines = field(kw_only=True)
    archive: Archive = field(kw_only=True)
    broker: Callable[[], bool | None] = field(kw_only=True, default=lambda: None)


def window() -> Window:
    """The window of the app that answers this request."""
    held = current_app.extensions["window"]
    assert isinstance(held, Window)
    return held
