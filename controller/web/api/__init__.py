"""THE API: what the pages do, for programs. REST under ``/api/v1``, described by ``/api/v1/openapi.json``.

- Reads through the store, wishes through the desk, by the same rights and the same limits as the pages.
- One file for each resource; nothing here knows a cookie, and nothing here is a page.
"""

from __future__ import annotations

from flask import Flask

from controller.web.api import (
    alarms,
    alerts,
    announcements,
    areas,
    asrun,
    audit,
    bookings,
    document,
    foresight,
    inbox,
    lexicon,
    listeners,
    nodes,
    people,
    plans,
    policies,
    recordings,
    settings,
    status,
    upkeep,
)
from controller.web.api.gate import Strict
from controller.web.api.operation import api
from controller.web.api.problems import of_broken, of_http, of_model, of_said

RESOURCES = (
    *(
        status,
        announcements,
        foresight,
        recordings,
        bookings,
        plans,
        areas,
        policies,
        nodes,
        upkeep,
        alarms,
        asrun,
        inbox,
        alerts,
        listeners,
        lexicon,
        people,
        audit,
        settings,
        document,
    ),
)  # importing them makes their operations

__all__ = ["RESOURCES", "api", "of_broken", "of_http", "of_said", "serve"]


def serve(app: Flask) -> None:
    """Let ``app`` answer programs too."""
    app.json = Strict(app)
    vars(app)["validation_error_callback"] = of_model  # flask-openapi3 asks the app that serves its blueprint
    app.register_blueprint(api)
