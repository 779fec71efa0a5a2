"""The cache: audio on the node's disk before it is needed, and checked before it is heard.

- `want` says what is needed, soonest first; one thread checks what is there and fetches what is not, in that order,
  and lets go of a fetch when something is needed sooner.
- With a ceiling, a file is fetched only while the day's data (`meter`) do not come beyond it.
- Nothing is ready that was not hashed; a file that changed since is hashed again; `verified` hashes before a play.
- Network and disk faults are answers (`why_not`), never exceptions; each asset backs off by itself.
- What nobody foresaw is logged and ends one try, not the thread; a thread that ended all the same is replaced.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from edge_node import troubles
from edge_node.fetch import Aborted, Fetcher, NotFetched, Patience, address
from edge_node.meter import Meter
from edge_node.rack import Rack, Signature
from edge_node.troubles import Troubles
from wire.errors import Reason
from wire.plan import Asset

log = logging.getLogger(__name__)

CLOSE_SECONDS = 5.0  # for a server that does not answer at all; the thread is a daemon


class Cache:
    """Thread-safe. ``on_ready`` is called from the cache's thread and must only wake somebody."""

    def __init__(
        self,
        folder: Path,
        budget_bytes: int = 2_000_000_000,
        on_ready: Callable[[], None] = lambda: None,
        patience: Patience | None = None,
        meter: Meter | None = None,
    ) -> None:
        self._rack = Rack(folder, budget_bytes)
        self.meter = meter or Meter()
        self._fetcher = Fetcher(patience, self.meter)
        self._on_ready = on_ready
        self._wake = threading.Condition()
        self._order: tuple[Asset, ...] = ()
        self._standby: frozenset[str] = frozenset()
        self._media_url = ""
        self._ceilings: Mapping[str, int] = {}
        self.arrivals = 0  # grows with every file that is found true
        self._true: dict[str, Signature] = {}  # hashed and found true, as it was then
        self._troubles = Troubles()
        self._fetching: str | None = None
        self._counts: Counter[str] = Counter()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._shunned: frozenset[str] = frozenset()

    def shun(self, sha256s: Iterable[str]) -> None:
        """These are not there, whatever lies on the disk, and are not fetched: a process died of them."""
        with self._wake:
            self._shunned = frozenset(sha256s)

    def want(
        self,
        assets: Sequence[Asset],
        standby: Sequence[Asset] = (),
        media_url: str = "",
        ceilings: Mapping[str, int] | None = None,
        last: Sequence[Asset] = (),
    ) -> None:
        """Replace the wish: ``assets`` in the order they are needed, then ``standby``, which is never evicted.

        ``media_url``: where relative asset addresses start. ``ceilings``: by SHA-256, up to how many bytes of data the
        day may come with it. ``last``: what comes after all that, and gives way to it.
        """
        order = tuple({asset.sha256: asset for asset in (*assets, *standby, *last)}.values())
        with self._wake:
            self._ceilings = ceilings or {}
            if self._closed:
                return
            if order:
                self._see_that_somebody_works()
            if (order, media_url) == (self._order, self._media_url):
                self._wake.notify_all()  # the day may be another, or its budget
                return
            self._order, self._media_url = order, media_url
            self._standby = frozenset(asset.sha256 for asset in standby)
            self._troubles.keep_only(asset.sha256 for asset in order)
            self._abort_if_not_first()
            self._wake.notify_all()

    def set_budget(self, budget_bytes: int) -> None:
        """How many bytes the audio may take on disk, from now on."""
        self._rack.budget_bytes = budget_bytes

    def hurry(self) -> None:
        """Forget all back-off: the network has come back."""
        with self._wake:
            self._troubles.hurry()
            self._wake.notify_all()

    def ready(self, asset: Asset) -> Path | None:
        """The file, if it is there and was hashed as it is now. Cheap: one stat."""
        signature = None if asset.sha256 in self._shunned else self._rack.signature(asset)
        if signature is not None and self._true.get(asset.sha256) == signature:
            return self._rack.path(asset)
        if asset.sha256 in self._true:
            self._doubt(asset)
        return None

    def verified(self, asset: Asset) -> Path | None:
        """The file, its whole content hashed now; None when it is not there or not true (removed, fetched anew)."""
        if asset.sha256 not in self._shunned and self._check(asset):
            self._rack.touch(asset)
            self._note_true(asset)
            return self._rack.path(asset)
        self._doubt(asset)
        return None

    def why_not(self, asset: Asset) -> Reason:
        """Why `ready` is None: set_aside, data_budget, no_audio, bad_hash or disk_full."""
        if asset.sha256 in self._shunned:
            return Reason.SET_ASIDE
        if not self._may_take(asset):
            return Reason.DATA_BUDGET
        return self._troubles.why(asset.sha256) or Reason.NO_AUDIO

    def came_bytes(self, asset: Asset) -> int | None:
        """How much of a wanted asset has come so far; None while its last try has failed."""
        if self._troubles.why(asset.sha256) or asset.sha256 in self._shunned:
            return None
        return self._rack.part_bytes(asset)

    def counts(self) -> dict[str, int]:
        """How often what went wrong since the start, by reason code."""
        return dict(self._counts)

    def close(self) -> None:
        """Stop fetching; what was fetched so far stays for the next time."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        self._fetcher.close()
        if self._thread:
            self._thread.join(CLOSE_SECONDS)
        self.meter.save()

    def _see_that_somebody_works(self) -> None:
        """A thread, where there is none that lives. A machine that has none to give is asked at the next wish."""
        if self._thread and self._thread.is_alive():
            return
        thread = threading.Thread(target=self._work, name="cache", daemon=True)
        try:
            thread.start()
        except RuntimeError as wrong:
            log.error("no thread to fetch audio error=%s", wrong)
            return
        self._thread = thread

    def _work(self) -> None:
        while not self._closed:
            asset = None
            try:
                asset = self._awaited()
                if asset and self._get(asset):
                    self._on_ready()
            except Exception as wrong:
                log.exception("audio failed asset=%s", asset.sha256 if asset else "none")
                self._put_off(asset, wrong)
            with self._wake:
                self._fetching = None

    def _awaited(self) -> Asset | None:
        """The next asset that may be tried, once there is one; None when it is closed."""
        with self._wake:
            asset = self._next()
            while asset is None and not self._closed:
                self._wake.wait(self._troubles.seconds_to_wait())
                asset = self._next()
            if self._closed or asset is None:
                return None
            self._fetching = asset.sha256
            self._fetcher.rearm()
        return asset

    def _put_off(self, asset: Asset | None, wrong: Exception) -> None:
        """What nobody foresaw: the others first, or a rest where it was about none."""
        if asset:
            self._note_trouble(asset, NotFetched(Reason.NO_AUDIO, f"{type(wrong).__name__}: {wrong}"))
            return
        with self._wake:
            self._wake.wait_for(lambda: self._closed, troubles.FIRST_BACK_OFF)

    def _next(self) -> Asset | None:
        """The first wanted asset that is not ready and may be tried now."""
        for asset in (each for each in self._order if each.sha256 not in self._shunned):
            if asset.sha256 in self._true or self._troubles.holds_back(asset.sha256):
                continue
            if self._may_take(asset):
                return asset
        return None

    def _may_take(self, asset: Asset) -> bool:
        """Whether the data of the day allow it, or it is here and only to be checked."""
        ceiling = self._ceilings.get(asset.sha256)
        if ceiling is None or os.path.exists(self._rack.path(asset)):  # a card that fails says no, and raises nothing
            return True
        return self.meter.allows(ceiling, max(0, asset.size_bytes - self._rack.part_bytes(asset)))

    def _abort_if_not_first(self) -> None:
        first = self._next()
        if self._fetching and (first is None or first.sha256 != self._fetching):
            self._fetcher.abort()

    def _get(self, asset: Asset) -> bool:
        """Check what is on disk or fetch it; whether it is ready now."""
        try:
            if not self._check(asset):
                self._fetch(asset)
        except NotFetched as wrong:
            self._note_trouble(asset, wrong)
        except Aborted:
            pass
        except OSError as wrong:
            self._note_trouble(asset, NotFetched(Reason.DISK_FULL, str(wrong)))
        else:
            self._note_true(asset)
            return True
        return False

    def _check(self, asset: Asset) -> bool:
        """Whether the file is there and true, by its whole content; one that is not is removed."""
        path = self._rack.path(asset)
        if not os.path.lexists(path):
            self._doubt(asset)
            return False
        if self._rack.is_true(asset, path):
            return True
        self._doubt(asset)
        self._rack.drop(asset)
        with self._wake:
            self._counts[Reason.BAD_HASH] += 1
        log.warning("corrupt audio removed asset=%s", asset.sha256)
        return False

    def _fetch(self, asset: Asset) -> None:
        order = [each.sha256 for each in self._order]
        place = order.index(asset.sha256) if asset.sha256 in order else len(order)
        if asset.sha256 in self._standby:
            place = -1  # kept at all times: everything else gives way, what is needed last first
        later = [name for name in order[place + 1 :] if name not in self._standby]
        if not self._rack.make_room(asset, keep=order, give_way=later):
            raise NotFetched(Reason.DISK_FULL, f"no room for {asset.size_bytes} bytes")
        part = self._rack.part(asset)
        self._rack.clear_way(asset)
        self._fetcher.fetch(address(self._media_url, asset), asset.size_bytes, part)
        if not self._rack.is_true(asset, part):
            raise NotFetched(Reason.BAD_HASH, "the audio is not the one that was sealed", start_over=True)
        self._rack.finish(asset)
        with self._wake:  # making room may have taken what was true before
            for name in [each for each in self._true if not os.path.exists(self._rack.folder / each)]:
                self._true.pop(name)

    def _doubt(self, asset: Asset) -> None:
        """It is not true any more, as far as is known: somebody has to look."""
        with self._wake:
            self._true.pop(asset.sha256, None)
            self._wake.notify_all()

    def _note_true(self, asset: Asset) -> None:
        signature = self._rack.signature(asset)
        with self._wake:
            self._troubles.over(asset.sha256)
            if signature and self._true.get(asset.sha256) != signature:
                self._true[asset.sha256] = signature
                self.arrivals += 1

    def _note_trouble(self, asset: Asset, wrong: NotFetched) -> None:
        if wrong.start_over:
            self._rack.drop(asset)
        with self._wake:
            tries = self._troubles.note(asset.sha256, wrong.reason)
            self._counts[wrong.reason] += 1
        log.warning("audio not fetched asset=%s reason=%s try=%d detail=%s", asset.sha256, wrong.reason, tries, wrong)
