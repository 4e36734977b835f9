"""What the OpenAPI document says of SCIM's paths, tried by schemathesis: requests that fit it, and requests that do not.

Small and the same in every run. No answer is a server's error, each has a status, a media type and a body that the document names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import schemathesis
from flask import Request
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from infra.build.openapi import FILE
from tests.support.scim_function import ScimOrg

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
DOCUMENT = json.loads(FILE.read_text("utf-8"))
PATHS = sorted(path for path in DOCUMENT["paths"] if path.startswith("/scim/v2/") and not path.endswith("/Me"))


def wsgi(org: ScimOrg) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """Return the function as a WSGI application."""
    return lambda environ, start_response: org.function.app.handle(Request(environ))(environ, start_response)


@pytest.mark.parametrize("path", PATHS)
def test_answers_are_those_of_the_document(org: ScimOrg, path: str) -> None:
    schema = schemathesis.openapi.from_dict({**DOCUMENT, "paths": {path: DOCUMENT["paths"][path]}})
    schema.app = wsgi(org)
    user, group = org.make_user("fuzzed")["id"], org.make_group("Fuzzed")["id"]
    seen: list[int] = []
    for result in schema.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr]  # a document that is wrong fails here

        @settings(
            max_examples=8, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        def run(case: schemathesis.Case[Any]) -> None:
            case.path_parameters = {**(case.path_parameters or {}), "org_id": str(org.id)}
            if len(str(case.path_parameters)) % 2:
                case.path_parameters |= {"user_id": user, "group_id": group}
            headers = {"Authorization": f"Bearer {org.token}", "X-Forwarded-For": "127.0.0.1"}
            seen.append(case.call_and_validate(headers=headers, checks=CHECKS).status_code)

        given(case=operation.as_strategy())(run)()
    assert len(seen) >= len(DOCUMENT["paths"][path])
    assert 401 not in seen, "the requests came no further than the door"
