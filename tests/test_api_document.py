"""The API is as its document says: the document is valid, schemathesis finds nothing, and the page's examples run."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from makers_api import PREFIX, lend
from makers_web import Town, a_day, settled_town
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from pydantic import BaseModel

from controller.rights import Role
from controller.web import limits
from controller.web.api import RESOURCES, paper
from controller.web.api.document import made
from controller.web.api.fields import Answered, Asked
from controller.web.server import serve

TOP = Path(__file__).parent.parent
EXAMPLES = re.findall(r"```sh\n(.*?)```", (TOP / "docs" / "api.md").read_text("utf-8"), re.DOTALL)
ADMINISTRATORS = "/people|/audit|/settings"


@contextmanager
def served(folder: Path, role: Role, each: Callable[[Any], Any] = lambda app: app) -> Iterator[tuple[str, str, Town]]:
    """The address of the API of a town in which a day has passed, and a token."""
    with settled_town(folder) as town:
        app = town.app()
        a_day(town, app)
        who, area = (town.boss, "*") if role is Role.ADMINISTRATOR else (town.approver, "lang-son:dong-dang")
        secret = lend(town, who, role, area)
        app.wsgi_app = each(app.wsgi_app)  # type: ignore[method-assign]
        server = serve(app, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.port}{PREFIX}", secret, town
        finally:
            server.stop()


def own_keys(app: Any) -> Any:
    """Each request with a right key has one of its own: schemathesis sends all with the same."""
    count = itertools.count()

    def asked(environ: dict[str, Any], start: Any) -> Any:
        if re.fullmatch(r"[!-~]{1,100}", environ.get("HTTP_IDEMPOTENCY_KEY", "")):
            environ["HTTP_IDEMPOTENCY_KEY"] = f"key-{next(count)}"
        return app(environ, start)

    return asked


def test_the_document_is_valid_and_served_to_everybody(tmp_path: Path) -> None:
    with settled_town(tmp_path) as town:
        answer = town.app().test_client().get(f"{PREFIX}/openapi.json")
        assert answer.status_code == 200
        assert answer.json == made()
        assert answer.json["openapi"] == "3.1.0"
        validate(answer.json, cls=OpenAPIV31SpecValidator)


def test_every_model_has_a_name_of_its_own_and_every_operation_says_what_it_is() -> None:
    models = [each for kind in (Asked, Answered) for each in below(kind)]
    written = set(made()["components"]["schemas"])
    names = [each.__name__ for each in models if each.__name__ in written]
    assert sorted(names) == sorted(set(names))
    for path, methods in made()["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"].endswith("."), (path, method)
            assert {"401", "403", "422", "429", "500"} <= operation["responses"].keys()
    assert len(RESOURCES) == 20


def below(kind: type[BaseModel]) -> list[type[BaseModel]]:
    """Every model made of this one."""
    return [each for sub in kind.__subclasses__() for each in (sub, *below(sub))]


def test_the_page_lists_the_operations_of_today() -> None:
    page = (TOP / "docs" / "api.md").read_text("utf-8")
    assert page == paper.written(page), "run ./run docs"


def test_every_form_of_the_pages_is_listed_with_its_operation_or_with_why_it_has_none(tmp_path: Path) -> None:
    page = (TOP / "docs" / "api.md").read_text("utf-8").partition("## Pages and operations")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \| (.*) \|$", page, re.MULTILINE)
    listed = [form for forms, _ in rows for form in re.findall(r"`(.*?)`", forms)]
    with settled_town(tmp_path) as town:
        rules = [rule for rule in town.app().url_map.iter_rules() if not rule.endpoint.startswith("api.")]
    assert sorted(listed) == sorted(rule.rule for rule in rules if "POST" in (rule.methods or ()))
    known = {f"{method.upper()} {path[7:]}" for path, methods in made()["paths"].items() for method in methods}
    for forms, told in rows:
        named = set(re.findall(r"`([A-Z]+ /.*?)`", told))
        assert (named and named <= known) or told.startswith("– "), forms


@pytest.mark.timeout(900)
@pytest.mark.parametrize("role", [Role.APPROVER, Role.ADMINISTRATOR])
def test_schemathesis_finds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: Role) -> None:
    for name in ("ANYTHING", "CHANGE"):
        monkeypatch.setattr(limits, name, limits.Limit(10**9, 10**9))
    monkeypatch.setattr(limits, "STRANGER", 10**9)
    which = "--include-path-regex" if role is Role.ADMINISTRATOR else "--exclude-path-regex"
    with served(tmp_path, role, own_keys) as (address, secret, _):
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(TOP / "tests" / "schemathesis.toml")]
        command += ["run", f"{address}/openapi.json", "-H", f"Authorization: Bearer {secret}", which, ADMINISTRATORS]
        command += ["--checks", "all", "--max-examples", "3", "--generation-deterministic", "--no-color"]
        command += ["--request-timeout", "60"]
        environment = {**os.environ, "PYTHONWARNINGS": "", "PYTHONPATH": str(TOP)}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=800, check=False
        )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    found = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert found, done.stdout[-2000:]
    assert int(found[1]) > (60 if role is Role.ADMINISTRATOR else 800)


def test_every_example_of_the_page_runs(tmp_path: Path) -> None:
    assert len(EXAMPLES) >= 4
    with served(tmp_path, Role.EDITOR) as (address, secret, town):
        environment = {**os.environ, "LOA": address, "KEY": secret, "no_proxy": "127.0.0.1"}
        for example in EXAMPLES:
            command = ["bash", "-euo", "pipefail", "-c", example]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
            assert done.returncode == 0, example + done.stderr
            assert done.stdout.startswith("{"), example
        assert "Mời bà con họp thôn" in town.store.announcements.list(1)[0].text


def test_the_server_itself_refuses_in_the_same_form(tmp_path: Path) -> None:
    with served(tmp_path, Role.EDITOR) as (address, secret, _):
        command = ["curl", "-sS", "-H", f"Authorization: Bearer {secret}", "-H", "Content-Length: 99999999", "-d", "{}"]
        done = subprocess.run(
            [*command, f"{address}/spoken", "-i"], capture_output=True, text=True, timeout=120, check=False
        )
        assert "413" in done.stdout.splitlines()[0], done.stdout + done.stderr
        assert "application/problem+json" in done.stdout


def test_the_app_of_the_pages_is_a_plain_one(tmp_path: Path) -> None:
    with settled_town(tmp_path) as town:
        assert type(town.app()) is Flask
