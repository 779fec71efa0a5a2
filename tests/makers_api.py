"""Makers for the API: a town whose people give programs tokens, and a program that asks by one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import Flask
from makers_web import Town
from werkzeug.test import TestResponse

from controller.desk import Lending
from controller.rights import Role
from controller.store.rows import User

COMMUNE, FOREIGN = "lang-son:dong-dang", "lang-son:tam-thanh"
PREFIX = "/api/v1"


def lend(town: Town, who: User, role: Role, area: str = COMMUNE, name: str = "may-chu") -> str:
    """The secret of a new token."""
    return town.desk.make_token(Lending(name, role, area, town.now + timedelta(days=30)), who, town.now)[1]


@dataclass
class Program:
    """A program with its token."""

    app: Flask
    secret: str
    language: str = "en"
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, json: Any = None, **headers: str) -> TestResponse:
        """One request; a header is named with ``_`` for ``-``."""
        sent = {"Authorization": f"Bearer {self.secret}", "Accept-Language": self.language} | self.headers
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        client = self.app.test_client(use_cookies=False)
        return client.open(PREFIX + path, method=method, json=json, headers=sent, buffered=True)

    def get(self, path: str, **headers: str) -> TestResponse:
        """Read."""
        return self.ask("GET", path, **headers)

    def post(self, path: str, json: Any = None, **headers: str) -> TestResponse:
        """Let something be done."""
        return self.ask("POST", path, json, **headers)


def problem(answer: TestResponse) -> tuple[int, str]:
    """Status and code of what was refused."""
    assert answer.mimetype == "application/problem+json", answer.text
    told = answer.json
    assert told is not None
    assert told["status"] == answer.status_code
    assert told["type"] == f"urn:loa:problem:{told['code']}"
    assert told["title"]
    assert told["detail"]
    return answer.status_code, told["code"]
