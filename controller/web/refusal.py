"""What the server itself answers, to requests that no view may see: too large, or not readable.

- The same headers as on every page, the same words in both languages; a node that enrols gets the JSON that it reads.
"""

from __future__ import annotations

import json
from html import escape

from waitress.task import ErrorTask

from controller.web import assets
from controller.web.asking import API
from controller.web.headers import carried
from wire import codec, enrolment
from wire.enrolment import No
from words import say, table


class Refusal(ErrorTask):  # type: ignore[misc]
    """The answer to what was refused while it arrived."""

    def execute(self) -> None:
        """Say it, and end the connection."""
        wrong = self.request.error
        path = getattr(self.request, "path", "")
        body, kind = answered(path, wrong.code)
        self.status = f"{wrong.code} {wrong.reason}"
        told = {"Content-Type": kind, "Cache-Control": "no-store"}
        self.response_headers.extend((carried(self.channel.adj.url_scheme == "https") | told).items())
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


def answered(path: str, code: int) -> tuple[bytes, str]:
    """What is said, and of which media type, to who asks for ``path``."""
    if path == enrolment.PATH:
        return of_node(code), "application/json"
    if path.startswith(API):
        return of_program(code), "application/problem+json"
    return page(code), "text/html; charset=utf-8"


def of_program(code: int) -> bytes:
    """For a program that asks by the API."""
    sentence = say("web.api_error_413" if code == 413 else "web.api_error_400", "en")
    facts = {"type": f"urn:loa:problem:http_{code}", "title": sentence, "status": code, "code": f"http_{code}"}
    return json.dumps(facts | {"detail": sentence, "errors": []}).encode()


def of_node(code: int) -> bytes:
    """For a node that enrols."""
    return codec.write(enrolment.Refusal((No.TOO_BIG if code in (413, 431) else No.MALFORMED).value))


def page(code: int) -> bytes:
    """For a person: which language he reads is not known here."""
    key = f"web.error_{code}" if f"web.error_{code}" in table("vi") else "web.error_other"
    title, *told = (escape(say(each, tongue)) for each in ("web.error_title", key) for tongue in ("vi", "en"))
    words = "".join(f"<p>{each}</p>" for each in told[1:])
    look = assets.address("look.css")
    head = f'<meta charset="utf-8"><title>{title}</title><link rel="stylesheet" href="{look}">'
    return (
        f'<!doctype html><html lang="vi"><head>{head}</head><body><main class="wide"><div class="card narrow">'
        f'<h1>{title}</h1>{words}<p><a class="button" href="/">{escape(say("web.home", "vi"))}</a></p></div></main>'
        "</body></html>"
    ).encode()
