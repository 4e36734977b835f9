"""Writes `infra/permissions.md` from the permission table and the routes: `python -m infra.build.permissions [--check]`."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence

from infra.suite import load_suite
from shared.http.access import Access
from shared.http.permissions import PERMISSIONS
from shared.security.actor import SCOPE_ROLES

from .generated import ROOT, write_or_check
from .openapi import routes_of

FILE = ROOT / "infra" / "permissions.md"
_HEAD = """# Who may do what

Made from `shared/http/permissions.py` and the route tables by `python -m infra.build.permissions`; a test fails when it is
stale. A higher role includes the lower ones: viewer < member < admin < owner. A key is worth its widest scope, and never more
than its maker is today; a narrow scope (`report`) opens the calls that name it and nothing else. *Fresh*: signed in within the last 15 minutes.

| permission | people | keys | calls |
|---|---|---|---|
"""
# What a handler asks for itself, once it knows what the call is about.
_ASKED_BY_HANDLERS = {"members:remove": "`DELETE /api/v2/orgs/{org_id}/members/{user_id}` of others"}
_PEOPLE = {"anyone": "anyone", "signed_in": "any", "key": "none", "platform": "platform admins", "scim": "none"}
_KEYS = {
    "anyone": "anyone",
    "signed_in": "any",
    "human": "none",
    "platform": "none",
    "scim": "none; the organisation's SCIM tokens",
}


def permissions_text() -> str:
    """Return the overview as Markdown."""
    calls: defaultdict[str, list[str]] = defaultdict(list)
    for function in load_suite().functions:
        for route in routes_of(function):
            calls[route.access.permission].append(f"`{route.method} {route.path}`")
    rows = [
        f"| `{name}` | {_people(access)} | {_keys(access)} | {_calls(name, calls[name])} |\n"
        for name, access in PERMISSIONS.items()
    ]
    return _HEAD + "".join(rows)


def _calls(name: str, routes: Sequence[str]) -> str:
    return "<br>".join(routes) or _ASKED_BY_HANDLERS.get(name, "not served yet")


def _people(access: Access) -> str:
    found = _PEOPLE.get(access.who) or (access.role.name.lower() if access.role else "any")
    return f"{found}, fresh" if access.is_fresh else found


def _keys(access: Access) -> str:
    if (found := _KEYS.get(access.who)) is not None:
        return found
    if access.scope:
        return f"`{access.scope}` alone"
    return next((f"`{scope}`" for scope, worth in SCOPE_ROLES.items() if access.role and worth >= access.role), "none")


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or only say whether it is what it should be; returns the exit status."""
    return write_or_check(FILE, permissions_text(), "infra.build.permissions", arguments)


if __name__ == "__main__":
    sys.exit(main())
