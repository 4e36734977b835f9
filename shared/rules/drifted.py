"""A drift as the change that it is, from what the state says to what runs, so that the rules for plans judge it too."""

from __future__ import annotations

import re
from typing import Any

from .plan import Change
from .values import SENSITIVE, SENSITIVE_CHANGED

_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def change_of(
    *,
    kind: str,
    type_name: str,
    key: str,
    address: str | None,
    path: str | None,
    before: Any,
    after: Any,
    is_sensitive: bool,
) -> Change:
    """Return a drift as a change.

    Args:
        kind: `missing`, `unmanaged` or `changed`.
        type_name: Terraform type.
        key: what it is matched by within its type.
        address: in the state, None for what is in none.
        path: attribute path of a changed value.
        before: what the state says.
        after: what runs.
        is_sensitive: the two are digests; only that they differ is known.
    """
    where = address or f"{type_name}.{key}"
    if kind == "missing":
        return Change(where, type_name, ("delete",), {}, None)
    if kind == "unmanaged":
        return Change(where, type_name, ("create",), None, _told_by(type_name, key))
    was, now = (SENSITIVE, SENSITIVE_CHANGED) if is_sensitive else (before, after)
    return Change(where, type_name, ("update",), _placed(path, was), _placed(path, now))


def _told_by(type_name: str, key: str) -> dict[str, Any]:
    """Return the attributes that a match key tells, where a link or a grant has hardly others."""
    if type_name.endswith("_policy_attachment"):
        return {"policy_arn": key.rsplit("|", 1)[-1]}
    if type_name.startswith("google_") and type_name.endswith("_iam_member"):
        _, _, grant = key.partition("|")
        role, _, rest = grant.partition("|")
        return {"role": role, "member": rest.partition("|")[2]}
    return {}


def _placed(path: str | None, value: Any) -> dict[str, Any]:
    """Return attributes that hold one value at a path."""
    steps = [name or None for _, name in _STEP.findall(path or "")]
    for name in reversed(steps[1:]):
        value = {name: value} if name else [value]
    return {steps[0]: value} if steps and steps[0] else {}
