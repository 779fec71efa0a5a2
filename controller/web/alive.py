"""Liveness, for installers and watchdogs: no sign-in, no names, no numbers that help a stranger."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from controller.store import StoreError
from controller.web.window import window

pages = Blueprint("alive", __name__)


@pages.get("/suc-khoe")
def alive() -> ResponseReturnValue:
    """``web``, ``store`` (ok or why not, then 503), ``broker``, ``station_seconds`` since the station's last tick.

    ``broker`` (ok, down) and the seconds are null where the station is another process.
    """
    here = window()
    beat = here.heartbeat()
    age = None if beat is None else round((here.now() - beat).total_seconds(), 1)
    linked = here.broker()
    broker = None if linked is None else "ok" if linked else "down"
    try:
        here.store.changed()
    except StoreError as wrong:
        return jsonify(web="ok", store=wrong.key, broker=broker, station_seconds=age), 503
    return jsonify(web="ok", store="ok", broker=broker, station_seconds=age)
