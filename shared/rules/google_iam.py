"""Who is granted what by a Google Cloud IAM resource. Source: Google Cloud IAM, "Policy" and "Principal identifiers"."""

from __future__ import annotations

from collections.abc import Mapping

from .values import blocks, parsed, raw, values_at


def grants(document: object) -> set[tuple[str, str]]:
    """Return (role, member) of a member, a binding or a whole policy; nothing of what is not there."""
    found = {
        (str(raw(document, "role")), member)
        for path in ("member", "members")
        for member in values_at(document, path)
        if isinstance(member, str)
    }
    policy = parsed(raw(document, "policy_data"))
    for _, binding in blocks(policy, "bindings") if isinstance(policy, Mapping) else ():
        role = str(binding.get("role"))
        found |= {(role, member) for member in values_at(binding, "members") if isinstance(member, str)}
    return found
