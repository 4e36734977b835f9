"""Every route by which somebody changes something writes to the audit log.

The list comes from the route tables. Whether a handler audits is read from its source: a call of `audit` or `audit_platform`
in the handler, or in a function of the same folder that it calls.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

import pytest

from infra.suite import SUITE_FILE, load_suite
from shared.http.routes import Route

WRITERS = {"audit", "audit_platform"}

# Routes that change something and audit nothing, each with its reason.
NOT_AUDITED = {
    "functions.scan.handlers.verifying.verify_account": "tries what the account was given; keeps nothing but when",
    "functions.scan.handlers.sources.refresh_source": "fetches now what every scan fetches by itself",
    "functions.analyze.handlers.custom_rules.try_custom_rule": "tries an expression on a change that comes with it; keeps nothing",
    "functions.scan.handlers.scans.compare_again": "computes anew what follows from rows that are stored",
}

ROUTES: list[Route[Any]] = [
    route
    for name in sorted(load_suite(SUITE_FILE).functions)
    for route in importlib.import_module(f"functions.{name}.routes").ROUTES
    if route.method in {"POST", "PUT", "PATCH", "DELETE"} and route.access.who in {"member", "human", "key", "platform"}
]


def name_of(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def audits(function: FunctionType, seen: set[str] | None = None) -> bool:
    """Say whether a function, or one of the same folder that it calls, writes to the audit log."""
    seen = set() if seen is None else seen
    if name_of(function) in seen:
        return False
    seen.add(name_of(function))
    calls = [node for node in ast.walk(tree_of(function)) if isinstance(node, ast.Call)]
    if any(isinstance(call.func, ast.Attribute) and call.func.attr in WRITERS for call in calls):
        return True
    return any(audits(called, seen) for call in calls for called in called_by(call.func, function))


def tree_of(function: FunctionType) -> ast.Module:
    return ast.parse(textwrap.dedent(inspect.getsource(function)))


def called_by(expression: ast.expr, caller: FunctionType) -> Iterator[FunctionType]:
    found: Any = None
    if isinstance(expression, ast.Name):
        found = caller.__globals__.get(expression.id)
    elif isinstance(expression, ast.Attribute) and isinstance(expression.value, ast.Name):
        module = caller.__globals__.get(expression.value.id)
        found = getattr(module, expression.attr, None) if isinstance(module, ModuleType) else None
    folder = ".".join(caller.__module__.split(".")[:2])
    if isinstance(found, FunctionType) and found.__module__.startswith(folder):
        yield found


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_whoever_changes_something_is_in_the_audit_log(route: Route[Any]) -> None:
    handler = route.handler
    assert isinstance(handler, FunctionType)
    if name_of(handler) in NOT_AUDITED:
        assert not audits(handler), f"{name_of(handler)} audits after all: take it off the list"
        return
    assert audits(handler), (
        f"{route.method} {route.path}: {name_of(handler)} never calls tx.audit; if nothing security-sensitive "
        "changes, give the reason in NOT_AUDITED"
    )


def test_every_exception_is_a_route() -> None:
    assert set(NOT_AUDITED) <= {name_of(route.handler) for route in ROUTES}


def quiet(call: Any, deps: Any) -> None:
    with deps.db.unit(call.actor) as tx:
        tx.execute("…")


def loud(call: Any, deps: Any) -> None:
    quiet(call, deps)
    with deps.db.unit(call.actor) as tx:
        tx.audit("test:thing:changed")


def passing_on(call: Any, deps: Any) -> None:
    loud(call, deps)


def test_the_reader_tells_who_audits() -> None:
    assert [audits(function) for function in (quiet, loud, passing_on)] == [False, True, True]  # type: ignore[arg-type]
