"""Alerts, their runbooks and the lines of the log that they count say the same (`terraform/modules/observability`)."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from shared.security.api_keys import parse_key
from shared.security.redact import _OURS, redact_event
from tests.support.runbooks import RUNBOOKS

ROOT = Path(__file__).parents[2]
MODULE = ROOT / "terraform" / "modules" / "observability"


def module_text() -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted(MODULE.glob("*.tf")))


def pages_of_alerts() -> set[str]:
    _, _, table = (RUNBOOKS / "README.md").read_text("utf-8").partition("One page per alert")
    return set(re.findall(r"^\| \[([a-z-]+)\]", table, re.MULTILINE))


def logged_messages() -> set[str]:
    """Return every constant that the code gives to a logger as its message."""
    trees = (
        ast.parse(path.read_text("utf-8"))
        for folder in ("functions", "infra", "shared")
        for path in (ROOT / folder).rglob("*.py")
    )
    return {
        str(call.args[0].value)
        for tree in trees
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in {"info", "warning", "error", "exception", "critical"}
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def test_every_alert_has_a_runbook_and_every_page_of_an_alert_its_alert() -> None:
    named = set(re.findall(r'\brunbook\s*=\s*"([a-z-]+)"', module_text()))
    assert len(named) >= 18
    assert named == pages_of_alerts()
    assert {name for name in named if not (RUNBOOKS / f"{name}.md").exists()} == set()


def test_every_line_that_is_counted_is_written_by_the_code() -> None:
    groups = re.findall(r"jsonPayload\.message=(\\\"[a-z ]+\\\"|\([^)]*\))", module_text())
    counted = {message for group in groups for message in re.findall(r"\\\"([a-z ]+)\\\"", group)}
    assert len(counted) >= 15
    assert counted - logged_messages() == set()


def logged_fields() -> set[str]:
    """Return every field that the code gives to a logger by name, and those that every line has."""
    trees = (
        ast.parse(path.read_text("utf-8"))
        for folder in ("functions", "infra", "shared")
        for path in (ROOT / folder).rglob("*.py")
    )
    calls = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call))
    named = {
        keyword.arg or ""
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in {"info", "warning", "error"}
        for keyword in call.keywords
    }
    return named | _OURS


def test_every_field_that_a_metric_reads_is_written_by_the_code_and_not_redacted() -> None:
    read = set(re.findall(r"(?:EXTRACT\()?jsonPayload\.([a-z_]+)\)", module_text()))
    read |= set(re.findall(r'field\s*=\s*"([a-z_]+)"', module_text()))
    assert {"lag_seconds", "latency_ms", "messages", "outcome", "step"} <= read
    assert read - logged_fields() == set()
    assert {name for name in read if redact_event(None, "info", {name: "kept"})[name] != "kept"} == set()


def test_the_key_of_the_journey_is_of_the_right_form_so_that_it_is_looked_up() -> None:
    parts = re.search(r'never_issued_key = join\("", \["(dw2_)", .*range\((\d+)\).*"([0-9A-Za-z]+)"\]\)', module_text())
    assert parts is not None
    prefix, zeros, checksum = parts.groups()
    assert parse_key(prefix + "0" * int(zeros) + checksum) is not None
