"""The description of the suite says what the code does: paths, events, topics, secrets and keys, both ways."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from functions.auth.handlers.secret_rotation import ROTATED_BYTES
from infra.build.imports import absolute_imports
from infra.build.openapi import routes_of
from infra.suite import load_suite
from local_emulator.context import Context
from local_emulator.processes import Ports

ROOT = Path(__file__).parents[2]
SUITE = load_suite()
PEPPER = "api-key-pepper"  # read by the authentication that every function with a database shares

each_function = pytest.mark.parametrize("name", SUITE.functions)


@each_function
def test_the_public_paths_are_the_routes(name: str) -> None:
    described = {(method, path) for path, methods in SUITE.functions[name].paths.items() for method in methods}
    routed = {(route.method, route.path) for route in routes_of(name) if not route.is_internal}
    assert not routed - described, f"suite.yaml lacks paths that {name} serves: {sorted(routed - described)}"
    assert not described - routed, f"suite.yaml names paths that {name} does not serve: {sorted(described - routed)}"


@each_function
def test_events_arrive_where_they_are_sent(name: str) -> None:
    senders = [*SUITE.subscriptions.values(), *SUITE.schedules.values()]
    sent = {("POST", sender.path, sender.name) for sender in senders if sender.function == name}
    routed = {(route.method, route.path, route.access.event) for route in routes_of(name, "EVENT_ROUTES")}
    assert not sent - routed, f"{name} has no event route for {sorted(sent - routed)}"
    assert not routed - sent, f"nobody in suite.yaml sends to {sorted(routed - sent)} of {name}"


@each_function
def test_only_event_routes_take_events(name: str) -> None:
    assert all(route.is_internal and route.access.who == "event" for route in routes_of(name, "EVENT_ROUTES"))
    assert not [route.path for route in routes_of(name) if route.access.who == "event"]


@each_function
def test_the_entry_points_are_the_public_functions_of_main(name: str) -> None:
    tree = ast.parse((ROOT / "functions" / name / "main.py").read_text(encoding="utf-8"))
    found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")}
    assert found == set(SUITE.functions[name].entry_points)


@each_function
def test_the_topics_are_the_ones_it_emits_to(name: str) -> None:
    # the relay publishes what a crash left in any function's outbox, so it may publish whatever any of them may
    relays = any(_is_method(call, "relay") for call in _calls(name))
    emitters = SUITE.functions if relays else [name]
    emitted = {topic for emitter in emitters for topic in _arguments(emitter, lambda call: _is_method(call, "emit"))}
    _compare(name, "publishes", SUITE.functions[name].publishes, emitted)


@each_function
def test_the_secrets_are_the_ones_it_reads(name: str) -> None:
    read = _arguments(name, lambda call: _is_method(call, "read", "latest_version", of="secrets"))
    read |= _arguments(name, lambda call: isinstance(call.func, ast.Name) and call.func.id == "SecretVersions")
    shared = {PEPPER} if SUITE.functions[name].database else set()
    _compare(name, "secrets", SUITE.functions[name].secrets, read | shared)


@each_function
def test_the_secrets_it_rotates_are_the_random_ones(name: str) -> None:
    rotated = set(ROTATED_BYTES) if name == "auth" else set()
    _compare(name, "rotates", SUITE.functions[name].rotates, rotated)
    assert all(SUITE.secrets[secret].generated_bytes == ROTATED_BYTES[secret] for secret in rotated)


@each_function
def test_the_buckets_are_the_ones_it_opens(name: str) -> None:
    constants = {node.value for tree in _trees(name) for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    _compare(name, "buckets", SUITE.functions[name].buckets, constants & set(SUITE.buckets))
    opens_store = any(isinstance(call.func, ast.Name) and call.func.id == "GoogleObjectStore" for call in _calls(name))
    assert opens_store == bool(SUITE.functions[name].buckets), f"{name} opens a bucket it has not, or the reverse"


@each_function
def test_the_kms_keys_are_the_ones_it_names(name: str) -> None:
    constants = {node.value for tree in _trees(name) for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    _compare(name, "kms_keys", SUITE.functions[name].kms_keys, constants & set(SUITE.kms_keys))
    makes_manager = any(isinstance(call.func, ast.Name) and call.func.id == "GoogleKeyManager" for call in _calls(name))
    assert makes_manager == bool(SUITE.functions[name].kms_keys), (
        f"{name} makes a key manager for no key, or the reverse"
    )


# Topics that Google's own services publish to: Secret Manager's notices.
FROM_GOOGLE = {"secret-rotations"}

# Secrets that jobs read and no function does (terraform/modules/journey).
OF_JOBS = {"journey-api-key"}


def test_every_described_thing_is_used() -> None:
    functions = SUITE.functions.values()
    assert set(SUITE.secrets) == {secret for function in functions for secret in function.secrets} | OF_JOBS
    assert set(SUITE.buckets) == {bucket for function in functions for bucket in function.buckets}
    assert set(SUITE.kms_keys) == {key for function in functions for key in function.kms_keys}
    published = {topic for function in functions for topic in function.publishes}
    dead = {item.dead_letter_topic for item in SUITE.subscriptions.values() if item.dead_letter_topic}
    assert set(SUITE.topics) == published | dead | FROM_GOOGLE


def test_the_emulator_gives_a_process_as_many_threads_as_it_is_sent_requests_at_once() -> None:
    """As Terraform does (tests/integration/terraform/test_laws.py); the Functions Framework reads THREADS."""
    context = Context(SUITE, ROOT, None, {}, "http://127.0.0.1:8080", Ports(), frozenset())
    found = {entry.name: context.environment(entry)["THREADS"] for entry in SUITE.entry_points()}
    assert found == {entry.name: str(entry.concurrency) for entry in SUITE.entry_points()}


def _compare(name: str, member: str, described: tuple[str, ...], used: set[str]) -> None:
    missing, idle = sorted(used - set(described)), sorted(set(described) - used)
    assert not missing, f"add {missing} to functions.{name}.{member} in suite.yaml: the code uses them"
    assert not idle, f"take {idle} out of functions.{name}.{member} in suite.yaml: the code does not use them"


@cache
def _trees(name: str) -> tuple[ast.Module, ...]:
    root = ROOT / "functions" / name
    files = sorted(
        file for file in root.rglob("*.py") if "types" not in file.relative_to(root).parts
    )  # tables of words
    return tuple(ast.parse(file.read_text(encoding="utf-8"), str(file)) for file in files)


def _calls(name: str) -> Iterator[ast.Call]:
    return (node for tree in _trees(name) for node in ast.walk(tree) if isinstance(node, ast.Call))


def _is_method(call: ast.Call, *methods: str, of: str | None = None) -> bool:
    """Whether a call is `x.method(...)`, or `secrets.method(...)` and `x.secrets.method(...)` when `of` is given."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in methods:
        return False
    owner = call.func.value
    named = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
    return of is None or named.lstrip("_") == of


def _arguments(name: str, wanted: Callable[[ast.Call], bool]) -> set[str]:
    """Return the first arguments of the wanted calls: text, or a constant that one of the function's modules defines."""
    constants = {
        target.id: node.value.value
        for tree in _trees(name)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found: set[str] = set()
    for call in filter(wanted, _calls(name)):
        first = call.args[0] if call.args else None
        value = (
            first.value
            if isinstance(first, ast.Constant)
            else constants.get(first.id)
            if isinstance(first, ast.Name)
            else None
        )
        assert isinstance(value, str), (
            f"{name}, line {call.lineno}: {ast.unparse(call)} does not name its topic or secret"
        )
        found.add(value)
    return found


# What calls somebody outside of Google and the suite: the firewall lets no other function out.
OUTWARD = ("boto3", "shared.security.egress", "shared.security.operator_calls", "shared.security.reporter_signatures")


@each_function
def test_a_function_that_calls_the_internet_says_so(name: str) -> None:
    files = {path.as_posix(): path.read_bytes() for path in (ROOT / "functions" / name).rglob("*.py")}
    calls_out = [item.place for item in absolute_imports(files) if item.module.startswith(OUTWARD)]
    assert SUITE.functions[name].internet == bool(calls_out), calls_out


def test_reading_it_builds_no_parser_of_a_format_that_it_does_not_have() -> None:
    """It would take every process that reads it three seconds of a core."""
    program = "import sys, infra.suite; sys.exit('rfc3987_syntax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
