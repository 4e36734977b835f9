"""A tiny suite of its own, so that the frame is tested without the real functions."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

ENTRY_POINT = {
    "memory_mib": 256, "cpu": 1, "concurrency": 8, "timeout_seconds": 5, "max_instances": 1,
}  # fmt: skip

SUITE: dict[str, Any] = {
    "suite": "tiny",
    "runtime": "python311",
    "database": {"name": "tiny", "version": 18},
    "kms_keys": {"signing": {"purpose": "asymmetric_sign", "algorithm": "ec_sign_p256_sha256"}},
    "secrets": {"pepper": {"generated_bytes": 32}, "oidc-client-secret": {"generated_bytes": 32}},
    "topics": {"jobs": {}, "dead-letters": {}},
    "subscriptions": {
        "jobs": {
            "topic": "jobs",
            "function": "tiny",
            "entry_point": "tiny_worker",
            "path": "/_events/jobs",
            "ack_deadline_seconds": 10,
            "minimum_backoff_seconds": 1,
            "maximum_backoff_seconds": 10,
            "max_delivery_attempts": 5,
            "dead_letter_topic": "dead-letters",
        }
    },
    "schedules": {
        "tick": {"every_seconds": 1, "function": "tiny", "entry_point": "tiny_worker", "path": "/_events/tick"}
    },
    "functions": {
        "tiny": {
            "database": {"login": "tiny_login", "work": "tiny_work"},
            "kms_keys": ["signing"],
            "secrets": ["pepper"],
            "publishes": ["jobs"],
            "entry_points": {
                "tiny": {"trigger": "http", **ENTRY_POINT},
                "tiny_worker": {"trigger": "events", **ENTRY_POINT},
            },
            "paths": {
                "/tiny/env": ["GET"],
                "/things": ["GET", "POST"],
                "/things/{thing_id}": ["GET", "DELETE"],
                "/things/latest": ["GET"],
            },
        },
        "other": {
            "database": None,
            "kms_keys": [],
            "secrets": [],
            "publishes": [],
            "entry_points": {"other": {"trigger": "http", **ENTRY_POINT}},
            "paths": {"/": ["GET"], "/things/{id}": ["PUT"], "/things/{id}/parts/{part_id}": ["GET"]},
        },
    },
}

MAIN = """
import json, os, signal

def {name}(request):
    if request.path == "/_health":
        return "ok"
    if request.path == "/things" and request.method == "POST":
        os.kill(os.getppid(), signal.SIGKILL)  # the server's master: a crash
    return {{name: value for name, value in os.environ.items() if name.startswith("DW_")}}
"""

MIGRATION = """
do $$ begin
  if not exists (select from pg_roles where rolname = 'tiny_login') then
    create role tiny_login noinherit;
  end if;
end $$;
"""


def suite_document() -> dict[str, Any]:
    """Return a copy of the tiny suite that a test may change."""
    return copy.deepcopy(SUITE)


def write_suite(directory: Path, document: dict[str, Any] | None = None) -> Path:
    """Write a suite.yaml."""
    file = directory / "suite.yaml"
    file.write_text(yaml.safe_dump(document or SUITE, sort_keys=False), encoding="utf-8")
    return file


def write_tree(root: Path) -> Path:
    """Write the functions and migrations of the tiny suite; returns the root."""
    for function, described in SUITE["functions"].items():
        folder = root / "functions" / function
        folder.mkdir(parents=True)
        source = "".join(MAIN.format(name=name) for name in described["entry_points"])
        (folder / "main.py").write_text(source, encoding="utf-8")
    migrations = root / "infra" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "0001_roles.sql").write_text(MIGRATION, encoding="utf-8")
    write_suite(root)
    return root
