"""The OpenAPI document: valid, complete, and what is committed."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from infra.build.openapi import FILE, main, openapi_text, routes_of
from infra.suite import load_suite
from shared.http.errors import AppError
from shared.http.openapi import standard_errors
from shared.http.scim_errors import status_of

SUITE = load_suite()
# codes that a handler's code names and its callers never see, with the reason
UNSEEN = {
    ("POST", "/api/v2/orgs/{org_id}/state-sources/{source_id}/refresh"): {"state_older"},  # a fetch takes any serial
    ("POST", "/api/v2/operator/report"): {"scan_in_progress", "scan_limit_reached"},  # the report is taken all the same
    ("GET", "/oauth/slack/callback"): {  # the console tells them: the browser is redirected there with the code
        "channel_limit_reached",
        "slack_install_denied",
        "slack_install_failed",
        "slack_install_refused",
        "slack_not_set_up",
    },
    ("POST", "/api/v2/billing/stripe-events"): {
        "not_found"
    },  # that there is no such organisation is told to the platform alone
    ("POST", "/webhooks/{provider}/{config_id}"): {"malformed_request"},  # a body that cannot be read has no name in it
}
METHODS = {"get", "put", "post", "patch", "delete", "head"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(openapi_text())
    return found


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def references(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(item) for item in value.values()))
    return set().union(*(references(item) for item in value)) if isinstance(value, list) else set()


def test_the_committed_file_is_what_the_routes_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().err


def test_a_stale_file_is_told(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "openapi.json"
    stale.write_text(FILE.read_text(encoding="utf-8").replace("create_key", "make_key"), encoding="utf-8")
    monkeypatch.setattr("infra.build.openapi.FILE", stale)
    assert main(["--check"]) == 1
    assert "is stale" in capsys.readouterr().err
    assert main([]) == 0
    assert main(["--check"]) == 0


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


def test_every_public_path_of_the_suite_is_in_it(document: dict[str, Any]) -> None:
    described = {
        (method, path)
        for function in SUITE.functions.values()
        for path, ways in function.paths.items()
        for method in ways
    }
    assert set(operations(document)) == described


def test_operations_have_names_of_their_own_and_say_what_they_do(document: dict[str, Any]) -> None:
    found = operations(document)
    names = [operation["operationId"] for operation in found.values()]
    assert len(set(names)) == len(names)
    assert not [call for call, operation in found.items() if not operation.get("summary")], (
        "handlers without a docstring"
    )


def test_every_reference_leads_somewhere_and_every_component_is_used(document: dict[str, Any]) -> None:
    used = references(document)
    there = {
        f"#/components/{kind}/{name}" for kind in ("schemas", "responses") for name in document["components"][kind]
    }
    assert used == there


def test_who_may_call_is_said(document: dict[str, Any]) -> None:
    found = operations(document)
    for name in SUITE.functions:
        for route in routes_of(name):
            operation = found[route.method, route.path]
            schemes = {scheme for way in operation["security"] for scheme in way}
            expected = {
                "anyone": set(),
                "human": {"bearer"},
                "key": {"apiKey"},
                "platform": {"bearer"},
                "scim": {"scimToken"},
            }
            assert schemes == expected.get(route.access.who, {"apiKey", "bearer"}), f"{route.method} {route.path}"
            assert ("401" in operation["responses"]) >= (route.access.who != "anyone")


def test_every_error_of_a_route_is_in_its_replies(document: dict[str, Any]) -> None:
    found = operations(document)
    for name in SUITE.functions:
        for route in routes_of(name):
            replies = found[route.method, route.path]["responses"]
            for error in route.errors:
                if route.access.who == "scim":  # errors in SCIM's form carry no code of ours
                    reference = replies[str(int(status_of(error)))]["$ref"].rpartition("/")[2]
                    assert error.title in document["components"]["responses"][reference]["description"]
                    continue
                reference = replies[str(error.status)]["$ref"].rpartition("/")[2]
                schema = document["components"]["responses"][reference]["content"]["application/problem+json"]["schema"]
                assert error.code in schema["allOf"][1]["properties"]["code"]["enum"]


def test_a_raw_body_is_bytes(document: dict[str, Any]) -> None:
    upload = operations(document)["PUT", "/api/v2/orgs/{org_id}/state-sources/{source_id}/state"]
    assert list(upload["requestBody"]["content"]) == ["application/octet-stream"]
    assert "415" in upload["responses"], "a compressed body may be refused"


def test_a_secret_is_write_only(document: dict[str, Any]) -> None:
    secret = document["components"]["schemas"]["StaticKey"]["properties"]["secret_access_key"]
    assert secret["writeOnly"] is True


def test_every_error_that_a_handler_raises_is_named_by_its_route() -> None:
    unnamed: list[str] = []
    for name in SUITE.functions:
        for route in routes_of(name):
            named = {error.code for error in (*standard_errors(route), *route.errors)}
            codes = {error.code for error in raised(route.handler, set())} - named
            codes -= UNSEEN.get((route.method, route.path), set())
            unnamed += [f"{route.method} {route.path} can answer {code}" for code in sorted(codes)]
    assert not unnamed, "\n".join(["name these in Route.errors:", *unnamed])


def raised(function: Callable[..., object], seen: set[object]) -> set[type[AppError]]:
    """Return the errors that a function of ours raises by name, those of the functions it calls by name included."""
    if function in seen:
        return set()
    seen.add(function)
    scope: dict[str, Any] = function.__globals__  # type: ignore[attr-defined]
    found: set[type[AppError]] = set()
    for node in unguarded(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Raise) and node.exc is not None:
            error = resolved(node.exc.func if isinstance(node.exc, ast.Call) else node.exc, scope)
            found |= {error} if isinstance(error, type) and issubclass(error, AppError) else set()
        if isinstance(node, ast.Call):
            called = resolved(node.func, scope)
            if isinstance(called, FunctionType) and called.__module__.startswith("functions."):
                found |= raised(called, seen)
    return found


def unguarded(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree without the bodies of `try` statements that catch every error of ours."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Try) and any(catches_ours(handler) for handler in child.handlers):
            for part in (*child.handlers, *child.orelse, *child.finalbody):
                yield from unguarded(part)
        else:
            yield from unguarded(child)


def catches_ours(handler: ast.ExceptHandler) -> bool:
    names = (
        {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)} if handler.type else {"Exception"}
    )
    return bool(names & {"AppError", "Exception"})


def resolved(node: ast.expr, scope: dict[str, Any]) -> object:
    """Return what a name, or a module's member, stands for."""
    if isinstance(node, ast.Name):
        return scope.get(node.id)
    owner = resolved(node.value, scope) if isinstance(node, ast.Attribute) else None
    return (
        getattr(owner, node.attr, None) if isinstance(node, ast.Attribute) and isinstance(owner, ModuleType) else None
    )
