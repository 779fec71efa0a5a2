"""A person at the web of a running radio: a browser without scripts, over real HTTP."""

from __future__ import annotations

import re
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

PASSWORD = "một câu dễ nhớ"


class Visitor:
    """Comes in by an invitation, and sends what the compose form sends."""

    def __init__(self, invitation: str) -> None:
        self.address = invitation.partition("/chao/")[0]
        self._browser = build_opener(HTTPCookieProcessor(CookieJar()))
        page = self.get(invitation.removeprefix(self.address))
        fields = {"csrf_token": form_key(page), "password": PASSWORD, "again": PASSWORD}
        self._post(invitation.removeprefix(self.address), fields)

    def get(self, path: str) -> str:
        with self._browser.open(f"{self.address}{path}", timeout=90) as answer:
            return str(answer.read().decode())

    def announce(self, text: str, area: str) -> str:
        """Send a text to ``area``, now. The booking that its page is about."""
        page = self.get("/soan")
        key = re.search(r'name="key" value="(\w{32})"', page)
        assert key
        fields = {"csrf_token": form_key(page), "key": key[1], "text": text, "areas": area, "when": "now"}
        arrived = self._post("/soan", fields | {"bulletin_class": "ordinary"})
        found = re.search(r"/(b[0-9a-f]{12})\b", arrived)
        assert found, arrived
        return found[1]

    def _post(self, path: str, fields: dict[str, str]) -> str:
        """Where it led to."""
        with self._browser.open(f"{self.address}{path}", urlencode(fields).encode(), timeout=90) as answer:
            return str(answer.url)


def form_key(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, "no form key"
    return found[1]
