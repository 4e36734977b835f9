"""Who else is granted something by Google Cloud IAM, and who loses it by a resource that is authoritative.

A domain is the planner's own when the plan shows it as such, or when it stands in the same binding already. Source: Google Cloud
IAM, "Principal identifiers"; the google provider's page on `google_project_iam`.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..google_iam import grants
from ..levels import Severity, worst
from ..plan import Change, Plan
from ..rule import Evidence, Match, Rule, seen
from ..switches import rule_of
from ..values import holds_mark, raw

_WIDE = ("google_project_iam_", "google_folder_iam_", "google_organization_iam_")
_PEOPLE = ("user:", "group:", "domain:")
_CONSUMER = frozenset(
    {"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "yahoo.com", "icloud.com", "proton.me"}
)
_NAMES = ("role", "member", "members", "policy_data")


def _domain(member: str) -> str | None:
    if not member.startswith(_PEOPLE):
        return None
    return member.partition(":")[2].rpartition("@")[2].lower() or None


def _evidence(change: Change) -> tuple[Evidence, ...]:
    names = [name for name in _NAMES if raw(change.before, name) is not None or raw(change.after, name) is not None]
    return tuple(seen(name, raw(change.before, name), raw(change.after, name)) for name in names)


def _outsider(change: Change, plan: Plan) -> Iterator[Match]:
    was, will = grants(change.before), grants(change.after)
    before = {_domain(member) for _, member in was}
    own = {domain for domain in (*before, *plan.own) if domain and "." in domain}
    found: list[tuple[Severity, str]] = []
    for role, member in sorted(will - was):
        domain = _domain(member)
        if domain is None or domain in before or (domain in own and domain not in _CONSUMER):
            continue
        if own or domain in _CONSUMER:
            is_bad = domain in _CONSUMER and bool(own)
            found.append(("high" if is_bad or change.type.startswith(_WIDE) else "medium", f"{member} gets {role}"))
    if found:
        yield Match(_evidence(change), worst(severity for severity, _ in found), f"{found[0][1]}.")


def _authoritative(change: Change, _plan: Plan) -> Iterator[Match]:
    """A policy replaces all grants of a resource, a binding all members of a role; who they were is not in the plan."""
    is_policy, is_wide = change.type.endswith("_iam_policy"), change.type.startswith(_WIDE)
    if change.before is None and change.after is not None:
        severity: Severity = "high" if is_policy and is_wide else "medium"
        yield Match(_evidence(change), severity, "Whoever is not named here loses it.")
        return
    if is_policy and change.is_delete and change.deposed is None:
        yield Match(_evidence(change), "high" if is_wide else "medium", "Every grant on it goes.")
        return
    if change.after is None or any(holds_mark(raw(change.after, name)) for name in _NAMES):
        return
    lost = sorted(grants(change.before) - grants(change.after))
    if lost:
        kept = {role for role, _ in grants(change.after)}
        is_emptied = is_policy and any(role not in kept for role, _ in lost)
        yield Match(_evidence(change), "medium" if is_emptied else "low", f"{lost[0][1]} loses {lost[0][0]}.")


_AUTHORITATIVE = ("google_*_iam_binding", "google_*_iam_policy")
RULES: tuple[Rule, ...] = (
    rule_of("google-outsider", "identity", "cross-account-trust", "medium", "Somebody of another domain is let in", ("google_*_iam_member", *_AUTHORITATIVE), _outsider,
            paths=("member", "members", "policy_data"), refs=("CKV_GCP_125", "CWE-266")),
    rule_of("google-authoritative", "identity", "access-removed", "medium", "Others lose what they were granted", _AUTHORITATIVE, _authoritative,
            refs=("https://cloud.google.com/iam/docs/granting-changing-revoking-access",)),
)  # fmt: skip
