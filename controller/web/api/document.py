"""The document of the API: OpenAPI 3.1, made of the operations themselves."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from flask import Response, request
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI

from controller.web.api.operation import api
from controller.web.api.problems import Problem

VERSION = "1.0.0"
ABOUT = (
    "Programs act by a token (page Khóa API) for the person who made it, and never beyond that person's own rights. "
    "Emergencies, people, keys and second factors want a person who has just proved who they are: no token may."
)


@api.get("/openapi.json", doc_ui=False)
def openapi() -> Response:
    """The document."""
    answer = Response(text(), mimetype="application/json")
    answer.add_etag()
    answer.headers["Cache-Control"] = "no-cache"
    answer.make_conditional(request)
    return answer


@cache
def text() -> str:
    """The document as it is served."""
    return json.dumps(made(), ensure_ascii=False, separators=(",", ":"))


def made() -> dict[str, Any]:
    """The document, from a blank app that serves nothing."""
    blank = OpenAPI(
        __name__,
        info=Info(title="Loa", version=VERSION, description=ABOUT),
        security_schemes={"token": {"type": "http", "scheme": "bearer"}},
        doc_ui=False,
    )
    blank.register_api(api)
    document: dict[str, Any] = json.loads(json.dumps(blank.api_doc))
    schemas = document["components"]["schemas"]
    schemas.pop("ValidationErrorModel", None)
    problem = Problem.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    for schema in schemas.values():
        schema.pop("$defs", None)
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", []):
                parameter["schema"] = _of_address(parameter["schema"])
    return document


def _of_address(schema: dict[str, Any]) -> dict[str, Any]:
    """In an address and a header there is no null: what may be left out is only that."""
    kept = {name: value for name, value in schema.items() if name != "anyOf" and not (name == "default" and not value)}
    forms = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    return kept | (forms[0] if forms else {})
