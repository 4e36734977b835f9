"""AWS policies on resources and roles: who is let in from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..bounded import policy_rule
from ..levels import Severity, worst
from ..plan import Change, Plan
from ..policies import (
    Statement,
    account_of,
    allows,
    conditions_cover,
    outsiders,
    public_statements,
    statements_at,
)
from ..rule import Match, Rule, seen
from ..switches import rule_of
from ..values import raw

_TYPES = {
    "policy": (
        "aws_s3_bucket_policy", "aws_s3_bucket", "aws_sqs_queue_policy", "aws_sqs_queue", "aws_sns_topic_policy", "aws_sns_topic", "aws_kms_key", "aws_kms_key_policy",
        "aws_secretsmanager_secret_policy", "aws_secretsmanager_secret", "aws_ecr_repository_policy", "aws_ecr_registry_policy", "aws_ecrpublic_repository_policy", "aws_backup_vault_policy",
        "aws_efs_file_system_policy", "aws_api_gateway_rest_api_policy", "aws_api_gateway_rest_api", "aws_glacier_vault", "aws_s3_access_point", "aws_cloudwatch_event_bus_policy",
    ),
    "access_policies": ("aws_opensearch_domain", "aws_opensearch_domain_policy", "aws_elasticsearch_domain", "aws_elasticsearch_domain_policy"),
    "assume_role_policy": ("aws_iam_role",),
}  # fmt: skip
_SUBJECT_KEYS = (":sub", ":aud")


def _public(path: str) -> Callable[[Change, Plan], Iterator[Match]]:
    def judge(change: Change, _plan: Plan) -> Iterator[Match]:
        was = public_statements(statements_at(change.before, (path,)))
        will = public_statements(statements_at(change.after, (path,)))
        evidence = (seen(path, raw(change.before, path), raw(change.after, path)),)
        new = [item for item in will if not any(_includes(old, item) for old in was)]
        if new:
            yield Match(evidence, note=f"Anybody may {', '.join(new[0].actions[:3]) or 'do nothing'}.")
        elif will and change.before is not None:
            yield Match(evidence, "low", "It is so already; this change keeps it.")

    return judge


def _includes(old: Statement, new: Statement) -> bool:
    return (
        old.conditions in {(), new.conditions} and set(new.actions) <= set(old.actions) and old.excepted == new.excepted
    )


def _trusted(path: str) -> Callable[[Change, Plan], Iterator[Match]]:
    def judge(change: Change, plan: Plan) -> Iterator[Match]:
        was, will = (outsiders(statements_at(side, (path,))) for side in (change.before, change.after))
        own = next((account_of(raw(side, "arn")) for side in (change.before, change.after) if raw(side, "arn")), None)
        found: list[tuple[Severity, str]] = []
        for (kind, name), item in sorted(will.items(), key=lambda pair: pair[0]):
            old = was.get((kind, name))
            if old is not None and conditions_cover(old, item):
                continue
            severity = _trust(kind, name, item, own, plan.own)
            if severity is not None:
                found.append((severity, name))
        if found:
            names = ", ".join(name for _, name in found[:3])
            yield Match(
                (seen(path, raw(change.before, path), raw(change.after, path)),),
                worst(severity for severity, _ in found),
                f"Let in: {names}.",
            )

    return judge


def _trust(kind: str, name: str, item: Statement, own: str | None, planner: frozenset[str]) -> Severity | None:
    """Say how far a principal that is newly let in is from this account; None when it is no outsider."""
    if kind == "AWS" and name != "*":
        account = account_of(name)
        if account is None or account == own:
            return None
        if account in planner:  # another account of the planner's, or this one when the resource does not say its own
            return None if own is None else "low"
        return "medium" if (own is None and not planner) or item.conditions else "high"
    if kind == "Federated":
        subjects = [values for _, key, values in item.conditions if key.endswith(_SUBJECT_KEYS[0])]
        if "oidc" not in name and ":" in name and "saml-provider" in name:
            return "medium"
        if any(word.strip("*") in {"", "repo:", "repo"} for values in subjects for word in values):
            return "critical"
        if any("*" in word.split(":", 2)[1] for values in subjects for word in values if word.count(":") >= 2):
            return "critical"
        return "medium" if subjects else "high"
    return None


def _key_owner_lost(change: Change, _plan: Plan) -> Iterator[Match]:
    """A key whose policy lets nobody change the policy can never be managed again."""
    if change.before is None or change.after is None:
        return
    was, will = (statements_at(side, ("policy",)) for side in (change.before, change.after))
    if will and allows(was, "kms:PutKeyPolicy") and not allows(will, "kms:PutKeyPolicy"):
        yield Match((seen("policy", raw(change.before, "policy"), raw(change.after, "policy")),))


RULES: tuple[Rule, ...] = (
    *(
        rule_of(f"aws-{path.replace('_', '-')}-public", "access", "public-access", "critical", "A policy lets anybody in", types, policy_rule(_public(path), (path,)),
                paths=(path,), refs=("CKV_AWS_70", "CKV_AWS_283", "CWE-284"))
        for path, types in _TYPES.items()
    ),
    *(
        rule_of(f"aws-{path.replace('_', '-')}-outsider", "identity", "cross-account-trust", "high", "Somebody outside of the account is let in", types,
                policy_rule(_trusted(path), (path,)), paths=(path,), refs=("CKV_AWS_61", "CWE-266"))
        for path, types in _TYPES.items()
    ),
    rule_of("aws-key-policy-lockout", "keys", "key-destruction", "high", "Nobody may manage the key any more", ("aws_kms_key", "aws_kms_key_policy"),
            policy_rule(_key_owner_lost, ("policy",)), paths=("policy",), refs=("CKV_AWS_33",)),
)  # fmt: skip
