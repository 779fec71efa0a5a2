"""What a view may reach: the desk to wish, the store to read, the shelf and the sampler to listen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from flask import current_app

from controller.condition import Part
from controller.desk import Desk
from controller.setting_origins import Origins
from controller.settings import Settings
from controller.store import Store
from controller.studio import Archive
from controller.studio.peaks import Outlines
from controller.studio.sampling import Sampler
from wire.roots import RootSet


def _nobody(_node: str, _raw: bytes, _now: datetime) -> tuple[bytes, int]:
    return b'{"reason":"closed"}', 503


@dataclass(frozen=True)
class Window:
    """The web's surroundings. ``now`` gives aware UTC; ``heartbeat`` the station's last tick, None when unknown.

    ``first_key`` and until when it counts: whoever brings it to ``/chao/<token>`` while there are no people becomes the
    first administrator. It lives in memory only; None closes that way. ``sampler`` lets a person hear one sentence,
    ``outlines`` see a recording: both are the web's own, and keep the station waiting for nothing. ``archive`` takes
    in what people recorded. ``broker``: whether the station's link to it stands, None where the station is elsewhere.
    ``receive`` answers a node that brings a one-time code, ``renew`` one whose certificate ended: bytes, HTTP status.
    ``ending`` says which of the station's own certificates end soon, and when.
    ``condition``: every part of the station as it is; ``origins``: where the settings come from, None where no file
    and no environment was read. ``roots``: which roots are in force, None where nobody has noted any.
    """

    desk: Desk
    store: Store
    shelf_dir: Path
    settings: Settings
    now: Callable[[], datetime]
    heartbeat: Callable[[], datetime | None] = lambda: None
    first_key: tuple[str, datetime] | None = field(default=None, repr=False)
    sampler: Sampler = field(kw_only=True)
    outlines: Outlines = field(kw_only=True)
    archive: Archive = field(kw_only=True)
    broker: Callable[[], bool | None] = field(kw_only=True, default=lambda: None)
    roots: Callable[[], RootSet | None] = field(kw_only=True, default=lambda: None)
    receive: Callable[[bytes, datetime], tuple[bytes, int]] = field(kw_only=True)
    renew: Callable[[str, bytes, datetime], tuple[bytes, int]] = field(kw_only=True, default=_nobody)
    condition: Callable[[datetime], tuple[Part, ...]] = field(kw_only=True, default=lambda _now: ())
    origins: Origins | None = field(kw_only=True, default=None)
    ending: Callable[[datetime], dict[str, datetime]] = field(kw_only=True, default=lambda _now: {})

    @property
    def first_token(self) -> str:
        """The first key while it counts, else empty."""
        return self.first_key[0] if self.first_key and self.now() < self.first_key[1] else ""


def window() -> Window:
    """The window of the app that answers this request."""
    held = current_app.extensions["window"]
    assert isinstance(held, Window)
    return held
