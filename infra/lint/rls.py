"""Row-level security, judged by pgrls against a freshly migrated database: `python -m infra.lint.rls [--write]`.

Three questions. `lint`: is anything against the rules that `pgrls.toml` does not excuse? `verify`: is every tenant table
proven isolated (nobody without an organisation reads, nobody reads or writes another organisation's rows)? `matrix`: is
who may do what still what was reviewed and committed (`--write` writes it anew)?

The proof is over what the work roles can reach. The policies of the roles that own functions (core_lookup, core_key_use,
core_session_use, core_purge, core_directory) admit more, so they are taken away in the copy that is proven; nobody can become one of them, and
tests/conformance/test_tenancy.py holds what they may do.
"""

from __future__ import annotations

import difflib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from pg8000 import native

from infra.suite import load_suite
from local_emulator.postgres import temporary_cluster, with_database
from shared.data.migrations import connect, migrate

ROOT = Path(__file__).parents[2]
CONFIG = Path(__file__).with_name("pgrls.toml")
MATRIX = ROOT / "tests" / "conformance" / "rls_matrix.md"
MIGRATIONS = ROOT / "infra" / "migrations"
LOOKUP_ROLE = "core_lookup"
KEY_USE_ROLE = "core_key_use"
SESSION_USE_ROLE = "core_session_use"
PURGE_ROLE = "core_purge"
DIRECTORY_ROLE = "core_directory"
SCHEMAS = ("core", "scan", "webhook", "analysis", "scim")
_DEFINERS = (LOOKUP_ROLE, KEY_USE_ROLE, SESSION_USE_ROLE, PURGE_ROLE, DIRECTORY_ROLE)

_PROOFS = ("anon", "cross-tenant", "write")
_SEARCHES = ("anon", "cross-tenant", "write", "escalation", "reachability")
_LOOKUP_POLICIES = """
select format('drop policy %I on %I.%I', policyname, schemaname, tablename)
from pg_policies
where roles <@ cast(:roles as name[])
"""
_TENANT_TABLES = """
select n.nspname || '.' || c.relname
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any(cast(:schemas as text[])) and c.relkind in ('r', 'p') and (
  (n.nspname = 'core' and c.relname = 'orgs')
  or exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped)
)
"""


def problems(url: str, copy_url: str) -> Iterator[str]:
    """Yield what is wrong, one line each; nothing when all is well.

    Args:
        url: the owner's, of a freshly migrated database.
        copy_url: of another one, which is changed.
    """
    yield from _lint(url)
    for mode in _SEARCHES:
        yield from _leaks(url, mode)
    with closing(connect(copy_url)) as connection:
        tables = {str(row[0]) for row in connection.run(_TENANT_TABLES, schemas=list(SCHEMAS))}
        _drop_lookup_policies(connection)
    for mode in _PROOFS:
        yield from _unproven(copy_url, mode, tables)
    yield from difflib.unified_diff(
        MATRIX.read_text("utf-8").splitlines() if MATRIX.exists() else [],
        matrix(url).splitlines(),
        "committed matrix",
        "matrix of these migrations",
        lineterm="",
        n=0,
    )


def matrix(url: str) -> str:
    """Return who may do what, as Markdown."""
    functions = load_suite().roles()
    roles = [
        "PUBLIC",
        *(item.login for item in functions),
        *(item.work for item in functions),
        *_DEFINERS,
    ]
    return _pgrls("matrix", url, "--roles", ",".join(roles), "--format", "markdown").stdout.strip() + "\n"


def _lint(url: str) -> Iterator[str]:
    done = _pgrls("lint", url, "--fail-on", "info", "--format", "json")
    for item in json.loads(done.stdout)["violations"]:
        yield f"lint: {item['severity']} {item['rule_id']} {item.get('location', '')}: {item['message']}"


def _leaks(url: str, mode: str) -> Iterator[str]:
    for name, verdict, detail in _verdicts(url, mode):
        if verdict == "leak":
            yield f"verify {mode}: {name} leaks: {detail}"


def _unproven(url: str, mode: str, tables: set[str]) -> Iterator[str]:
    found = {name: (verdict, detail) for name, verdict, detail in _verdicts(url, mode)}
    for name in sorted(tables):
        verdict, detail = found.get(name, ("not looked at", "row-level security is off"))
        if verdict != "isolated":
            yield f"verify {mode}: {name} is {verdict}: {detail}"


def _verdicts(url: str, mode: str) -> Iterator[tuple[str, str, str]]:
    done = _pgrls("verify", url, "--mode", mode, "--format", "json")
    document: dict[str, Any] = json.loads(done.stdout)
    for item in document["tables"]:
        reasons = [str(policy["reason"]) for policy in item["policies"] if policy["reason"]]
        yield item["table"], item["verdict"], "; ".join(reasons)


def _drop_lookup_policies(connection: native.Connection) -> None:
    for (statement,) in connection.run(_LOOKUP_POLICIES, roles=list(_DEFINERS)):
        connection.run(statement)


def _pgrls(command: str, url: str, *options: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "pgrls", command, "--config", str(CONFIG), "--schemas", ",".join(SCHEMAS), *options],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "DATABASE_URL": url},  # not an argument: those can be read by every user of the machine
    )
    if done.returncode not in {0, 1}:  # 1: it found something
        raise RuntimeError(f"pgrls {command} ended with {done.returncode}: {done.stderr.strip()}")
    return done


def main(arguments: Sequence[str]) -> int:
    """Judge the migrations of this tree."""
    with temporary_cluster() as server:
        url, copy_url = with_database(server, "migrated"), with_database(server, "copy")
        with closing(connect(server)) as connection:
            connection.run("create database migrated")
            migrate(url, MIGRATIONS)
            connection.run("create database copy template migrated")
        if "--write" in arguments:
            MATRIX.write_text(matrix(url), "utf-8")
            print(f"wrote {MATRIX.relative_to(ROOT)}")
        found = list(problems(url, copy_url))
    for line in found:
        print(line)
    print(f"row-level security: {len(found)} problems" if found else "row-level security: proven")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
