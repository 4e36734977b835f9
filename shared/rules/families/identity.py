"""Identity: wildcards, administrators, and rights with which one gives oneself further ones.

Source: AWS IAM User Guide; Google Cloud "Roles and permissions" and "Best practices for using service accounts securely";
Azure "Built-in roles"; the public lists of escalation paths for AWS and Google Cloud (Rhino Security Labs).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ..bounded import policy_rule
from ..google_iam import grants
from ..levels import Severity, lowered, worst
from ..plan import Change, Plan
from ..policies import Statement, allows, covers, glob_covers, is_everywhere, statements_at
from ..rule import Evidence, Match, Rule, seen
from ..switches import rule_of
from ..values import blocks, first, is_mark, raw, texts, values_at
from .escalation import AWS_ALONE, AWS_PAIRS, AZURE_ALONE, AZURE_PAIRS, GOOGLE_ALONE, GOOGLE_PAIRS

_FAMILY = "identity"
_AWS_POLICIES = ("policy", "inline_policy.policy", "inline_policy")
_AWS_TYPES = (
    "aws_iam_policy",
    "aws_iam_role_policy",
    "aws_iam_user_policy",
    "aws_iam_group_policy",
    "aws_iam_role",
    "aws_ssoadmin_permission_set_inline_policy",
)
_ANYWHERE = 2
_PAIRS: tuple[tuple[str, ...], ...] = (*((action,) for action in AWS_ALONE), *AWS_PAIRS)
_ACTIONS = tuple(dict.fromkeys(action for pair in _PAIRS for action in pair))
_ASSUME = ("sts:AssumeRole",)  # of a named role it is how roles are used
_SENSITIVE_SERVICES = frozenset(
    {
        "iam",
        "sts",
        "kms",
        "s3",
        "secretsmanager",
        "organizations",
        "ec2",
        "lambda",
        "ssm",
        "dynamodb",
        "rds",
        "sso",
        "cloudformation",
    }
)
_AWS_ADMIN = {"AdministratorAccess": "critical", "IAMFullAccess": "critical", "PowerUserAccess": "high"}
_GOOGLE_BROAD: dict[str, Severity] = {"roles/owner": "critical", "roles/editor": "high"}
_GOOGLE_ESCALATING = frozenset({
    "roles/iam.serviceAccountTokenCreator", "roles/iam.serviceAccountUser", "roles/iam.serviceAccountKeyAdmin", "roles/iam.serviceAccountAdmin", "roles/iam.securityAdmin",
    "roles/iam.roleAdmin", "roles/iam.organizationRoleAdmin", "roles/resourcemanager.projectIamAdmin", "roles/resourcemanager.folderIamAdmin",
    "roles/resourcemanager.organizationAdmin", "roles/resourcemanager.folderAdmin", "roles/iam.workloadIdentityPoolAdmin", "roles/orgpolicy.policyAdmin", "roles/deploymentmanager.editor",
})  # fmt: skip
_WIDE_GOOGLE = ("google_project_iam_", "google_folder_iam_", "google_organization_iam_")
_AZURE_ADMIN = frozenset({"owner", "user access administrator", "role based access control administrator"})
_AZURE_IDS = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "owner", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "user access administrator",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "role based access control administrator", "b24988ac-6180-42a0-ab88-20f7382dd24c": "contributor",
}  # fmt: skip


def _statements(document: object) -> list[Statement]:
    return statements_at(document, _AWS_POLICIES)


def _aws_evidence(change: Change) -> tuple[Evidence, ...]:
    names = [name for name in ("policy", "inline_policy") if raw(change.after, name) is not None]
    return tuple(seen(name, raw(change.before, name), raw(change.after, name)) for name in names)


def _is_admin(policy: Sequence[Statement]) -> bool:
    return any(item.is_allow and "*" in item.actions and not item.excepted and is_everywhere(item) for item in policy)


def _aws_wildcards(change: Change, _plan: Plan) -> Iterator[Match]:
    was, will = _statements(change.before), _statements(change.after)
    found: list[tuple[Severity, str]] = []
    for item in will:
        for action in item.actions if item.is_allow else ():
            severity = _breadth(item, action)
            if severity is not None and not all(covers(was, item, action, name) for name in item.resources):
                found.append((lowered(severity) if item.conditions else severity, action))
    if found:
        named = ", ".join(dict.fromkeys(action for _, action in found))
        yield Match(_aws_evidence(change), worst(severity for severity, _ in found), f"Allowed now: {named[:200]}.")


def _breadth(item: Statement, action: str) -> Severity | None:
    service, _, verb = action.partition(":")
    if item.excepted:
        return "high" if is_everywhere(item) else "medium"
    if action.strip("*:") == "":
        return "critical" if is_everywhere(item) else "high"
    if verb == "*" and is_everywhere(item):
        return "high" if service in _SENSITIVE_SERVICES else "medium"
    return None


def _aws_escalation(change: Change, _plan: Plan) -> Iterator[Match]:
    was, will = _statements(change.before), _statements(change.after)
    if _is_admin(will):
        return
    old, rights = _rights(was), _rights(will)
    ways = {pair: _way(rights, pair) for pair in _PAIRS}
    new = [pair for pair, way in ways.items() if way > _way(old, pair)]
    if new:
        severity: Severity = "high" if any(ways[pair] == _ANYWHERE for pair in new) else "medium"
        named = "; ".join(" + ".join(pair) for pair in new[:4])
        yield Match(_aws_evidence(change), severity, f"Possible now: {named}{'; …' if len(new) > 4 else ''}.")


def _rights(policy: Sequence[Statement]) -> dict[str, str]:
    return {action: allows(policy, action) for action in _ACTIONS}


def _way(rights: Mapping[str, str], actions: tuple[str, ...]) -> int:
    """Say whether actions are allowed together: not, on some resources, or on any."""
    found = [rights[action] for action in actions]
    if not all(found) or (actions == _ASSUME and found != ["any"]):
        return 0
    return _ANYWHERE if set(found) == {"any"} else 1


def _aws_attached(change: Change, _plan: Plan) -> Iterator[Match]:
    paths = ("policy_arn", "managed_policy_arn", "managed_policy_arns", "policy_arns")
    was, will = (
        {text for path in paths for text in texts(values_at(side, path))} for side in (change.before, change.after)
    )
    names = [name for arn in sorted(will - was) if (name := arn.rsplit("/", 1)[-1]) in _AWS_ADMIN and ":policy/" in arn]
    if names:
        path = next(path for path in paths if raw(change.after, path) is not None)
        severity: Severity = "critical" if any(_AWS_ADMIN[name] == "critical" for name in names) else "high"
        yield Match(
            (seen(path, raw(change.before, path), raw(change.after, path)),), severity, f"{names[0]} is attached."
        )


def _denial_lost(change: Change, _plan: Plan) -> Iterator[Match]:
    if change.before is None or change.after is None:
        return
    was, will = ([item for item in _statements(side) if not item.is_allow] for side in (change.before, change.after))
    lost = [item for item in was if item not in will and not any(_denies(other, item) for other in will)]
    if lost and _statements(change.after):
        yield Match(_aws_evidence(change), note=f"No longer denied: {', '.join(lost[0].actions[:3])}.")


def _denies(new: Statement, old: Statement) -> bool:
    """Say whether one denial denies all that another one did."""
    return (
        new.conditions in {(), old.conditions}
        and new.excepted == old.excepted
        and all(any(glob_covers(wide, action) for wide in new.actions) for action in old.actions)
        and all(any(glob_covers(wide, resource) for wide in new.resources) for resource in old.resources)
    )


def _google_role(change: Change, _plan: Plan) -> Iterator[Match]:
    for role, member in _google_new(change):
        if role in _GOOGLE_BROAD:
            yield Match(_google_evidence(change), _GOOGLE_BROAD[role], f"{member} gets {role}.")


def _google_escalation(change: Change, _plan: Plan) -> Iterator[Match]:
    for role, member in _google_new(change):
        if role in _GOOGLE_ESCALATING:
            is_wide = change.type.startswith(_WIDE_GOOGLE)
            yield Match(_google_evidence(change), "high" if is_wide else "medium", f"{member} gets {role}.")


def _google_new(change: Change) -> list[tuple[str, str]]:
    new = sorted(grants(change.after) - grants(change.before))
    return list({role: (role, member) for role, member in reversed(new)}.values())


def _google_evidence(change: Change) -> tuple[Evidence, ...]:
    names = [name for name in ("role", "member", "members", "policy_data") if raw(change.after, name) is not None]
    return tuple(seen(name, raw(change.before, name), raw(change.after, name)) for name in names)


def _google_custom(change: Change, _plan: Plan) -> Iterator[Match]:
    was, will = (set(texts(raw(side, "permissions"))) for side in (change.before, change.after))
    yield from _combined(change, "permissions", was, will, GOOGLE_ALONE, GOOGLE_PAIRS)


def _combined(
    change: Change, path: str, was: set[str], will: set[str], alone: Sequence[str], pairs: Sequence[tuple[str, ...]]
) -> Iterator[Match]:
    new = [pair for pair in (*((one,) for one in alone), *pairs) if set(pair) <= will and not set(pair) <= was]
    if new:
        named = "; ".join(" + ".join(pair) for pair in new[:4])
        yield Match((seen(path, raw(change.before, path), raw(change.after, path)),), note=f"Possible now: {named}.")


def _azure_actions(document: object) -> tuple[set[str], set[str]]:
    """Return the action patterns and the excepted ones of a role definition, lower case."""
    found = [block for _, block in blocks(document, "permissions")]
    actions = {
        word.lower() for block in found for name in ("actions", "data_actions") for word in texts(block.get(name))
    }
    return actions, {word.lower() for block in found for word in texts(block.get("not_actions"))}


def _azure_wildcard(change: Change, _plan: Plan) -> Iterator[Match]:
    (was, was_not), (will, will_not) = _azure_actions(change.before), _azure_actions(change.after)
    if "*" in will and ("*" not in was or was_not - will_not):
        is_limited = any(glob_covers("microsoft.authorization/*", pattern) for pattern in will_not)
        evidence = (seen("permissions", raw(change.before, "permissions"), raw(change.after, "permissions")),)
        yield Match(evidence, "high" if is_limited else "critical")


def _azure_custom(change: Change, _plan: Plan) -> Iterator[Match]:
    (was, was_not), (will, will_not) = _azure_actions(change.before), _azure_actions(change.after)
    known = {action for pair in (*((one,) for one in AZURE_ALONE), *AZURE_PAIRS) for action in pair}
    if "*" in will and not will_not:
        return

    def granted(actions: set[str], excepted: set[str]) -> set[str]:
        return {
            action
            for action in known
            if any(glob_covers(pattern, action.lower()) for pattern in actions)
            and not any(glob_covers(pattern, action.lower()) for pattern in excepted)
        }

    yield from _combined(
        change, "permissions", granted(was, was_not), granted(will, will_not), AZURE_ALONE, AZURE_PAIRS
    )


def _azure_role(document: object) -> str:
    name = first(document, "role_definition_name")
    if isinstance(name, str) and name:
        return name.lower()
    return _AZURE_IDS.get(str(first(document, "role_definition_id") or "").rsplit("/", 1)[-1].lower(), "")


def _azure_assignment(*, flag_admin: bool) -> Callable[[Change, Plan], Iterator[Match]]:
    def judge(change: Change, _plan: Plan) -> Iterator[Match]:
        if change.after is None:
            return
        if is_mark(first(change.after, "role_definition_id")) and first(change.after, "role_definition_name") is None:
            if not flag_admin:
                return
            yield Match((seen("role_definition_id", None, first(change.after, "role_definition_id")),), is_unknown=True)
            return
        role, scope = _azure_role(change.after), str(first(change.after, "scope") or "")
        is_new = change.before is None or role != _azure_role(change.before) or first(change.before, "scope") != scope
        is_wide = scope.count("/") <= 2 or "managementgroups" in scope.lower()
        evidence = (
            seen("role_definition_name", first(change.before, "role_definition_name"), role),
            seen("scope", first(change.before, "scope"), scope),
        )
        if is_new and flag_admin and role in _AZURE_ADMIN:
            yield Match(evidence, "critical" if is_wide else "high", f"{role.title()} on {scope[:200]}.")
        elif is_new and not flag_admin and role == "contributor" and is_wide:
            yield Match(evidence, "high", f"Contributor on {scope[:200]}.")

    return judge


def _long_lived(change: Change, _plan: Plan) -> Iterator[Match]:
    if change.before is None and change.after is not None:
        yield Match((seen("", None, "exists"),))


def _federated(change: Change, _plan: Plan) -> Iterator[Match]:
    names = ("issuer", "subject")
    if change.after is not None and any(first(change.before, name) != first(change.after, name) for name in names):
        yield Match(tuple(seen(name, first(change.before, name), first(change.after, name)) for name in names))


def _identity_provider(change: Change, _plan: Plan) -> Iterator[Match]:
    names = ("url", "client_id_list", "thumbprint_list", "saml_metadata_document")
    moved = [name for name in names if raw(change.before, name) != raw(change.after, name) and raw(change.after, name)]
    if change.after is not None and moved:
        yield Match(tuple(seen(name, raw(change.before, name), raw(change.after, name)) for name in moved))


def _google_federated(change: Change, _plan: Plan) -> Iterator[Match]:
    was, will = (raw(side, "attribute_condition") for side in (change.before, change.after))
    if change.after is not None and (change.before is None or was != will):
        yield Match((seen("attribute_condition", was, will),), None if will else "high")


_GOOGLE_IAM = ("google_*_iam_member", "google_*_iam_binding", "google_*_iam_policy")
_WILD, _GIVEN, _UP = (
    "Nearly everything is allowed",
    "A role that can do nearly everything is given",
    "Rights can be widened by whoever holds them",
)

RULES: tuple[Rule, ...] = (
    rule_of("aws-policy-wildcard", _FAMILY, "iam-wildcard", "high", _WILD, _AWS_TYPES, policy_rule(_aws_wildcards, _AWS_POLICIES), paths=("policy", "inline_policy.policy"),
            refs=("CKV_AWS_62", "CKV_AWS_63", "CKV_AWS_286", "CKV_AWS_355", "CKV_AWS_356", "CWE-250")),
    rule_of("aws-policy-escalation", _FAMILY, "iam-privilege-escalation", "high", _UP, _AWS_TYPES, policy_rule(_aws_escalation, _AWS_POLICIES), refs=("CKV_AWS_286", "CKV_AWS_287", "CWE-269")),
    rule_of("aws-admin-attached", _FAMILY, "iam-wildcard", "critical", _GIVEN, (
        "aws_iam_role_policy_attachment", "aws_iam_user_policy_attachment", "aws_iam_group_policy_attachment", "aws_iam_policy_attachment", "aws_iam_role",
        "aws_iam_role_policy_attachments_exclusive", "aws_ssoadmin_managed_policy_attachment"), _aws_attached, paths=("policy_arn", "managed_policy_arn"), refs=("CKV_AWS_274", "CWE-250")),
    rule_of("aws-denial-removed", _FAMILY, "protection-disabled", "high", "A denial is removed from a policy", _AWS_TYPES, policy_rule(_denial_lost, _AWS_POLICIES)),
    rule_of("google-role-broad", _FAMILY, "iam-wildcard", "critical", _GIVEN, _GOOGLE_IAM, _google_role, refs=("CKV_GCP_117", "CKV_GCP_49")),
    rule_of("google-role-escalation", _FAMILY, "iam-privilege-escalation", "high", _UP, _GOOGLE_IAM, _google_escalation, refs=("CKV_GCP_41", "CKV_GCP_42")),
    rule_of("google-custom-role-escalation", _FAMILY, "iam-privilege-escalation", "high", _UP, ("google_project_iam_custom_role", "google_organization_iam_custom_role"), _google_custom, paths=("permissions",)),
    rule_of("azure-role-wildcard", _FAMILY, "iam-wildcard", "critical", _WILD, ("azurerm_role_definition",), _azure_wildcard, paths=("permissions.actions", "permissions.data_actions"), refs=("CKV_AZURE_39",)),
    rule_of("azure-role-escalation", _FAMILY, "iam-privilege-escalation", "high", _UP, ("azurerm_role_definition",), _azure_custom),
    rule_of("azure-admin-assigned", _FAMILY, "iam-privilege-escalation", "critical", _UP, ("azurerm_role_assignment",), _azure_assignment(flag_admin=True), paths=("role_definition_name", "scope")),
    rule_of("azure-contributor-assigned", _FAMILY, "iam-wildcard", "high", _GIVEN, ("azurerm_role_assignment",), _azure_assignment(flag_admin=False)),
    rule_of("long-lived-credential", _FAMILY, "iam-privilege-escalation", "medium", "A credential that does not expire is made",
            ("aws_iam_access_key", "aws_iam_user_login_profile", "google_service_account_key", "azuread_application_password", "azuread_service_principal_password"), _long_lived, refs=("CKV_AWS_273", "CWE-798")),
    rule_of("aws-federated", _FAMILY, "cross-account-trust", "medium", "Somebody outside of the account is let in", ("aws_iam_openid_connect_provider", "aws_iam_saml_provider"), _identity_provider, paths=("url", "client_id_list", "saml_metadata_document")),
    rule_of("azure-federated", _FAMILY, "cross-account-trust", "medium", "Somebody outside of the tenant is let in", ("azurerm_federated_identity_credential",), _federated, paths=("issuer", "subject")),
    rule_of("google-federated", _FAMILY, "cross-account-trust", "medium", "Somebody outside of the project is let in", ("google_iam_workload_identity_pool_provider",),
            _google_federated, paths=("attribute_condition",), refs=("CKV_GCP_125",)),
)  # fmt: skip
