"""What Terraform itself stands on: the store of its state, the lock on it, and the role that its pipeline takes.

The plan does not say where the state is. A table with the key `LockID` locks states; a bucket or container is known by its
name, a role by the pipeline that it trusts. Source: Terraform, "Backend Type: s3"; the vendors' pages on OpenID Connect.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..levels import Severity
from ..plan import Change, Plan, config_address
from ..policies import statements_at
from ..rule import Flag, Match, Rule, seen, whole
from ..switches import rule_of
from ..values import first, raw

_STATE_NAME = re.compile(
    r"(?:.*[-_./])?(?:(?:terraform|tofu|opentofu|tf)[-_.]?(?:remote[-_.]?)?states?|remote[-_.]?states?)(?:[-_./].*|\d*)",
    re.IGNORECASE,
)
_STORES = ("aws_s3_bucket", "google_storage_bucket", "azurerm_storage_container", "azurerm_storage_account")
_AROUND = ("aws_s3_bucket_*", "google_storage_bucket_iam_*", "azurerm_storage_account_network_rules")
_TABLE = "aws_dynamodb_table"
_ROLE = "aws_iam_role"
_RIGHTS = ("aws_iam_role_policy", "aws_iam_role_policy_attachment")
_PIPELINES = ("token.actions.githubusercontent.com", "gitlab", "app.terraform.io", "oidc.circleci.com", "bitbucket.org", "agent.buildkite.com",
              "vstoken.dev.azure.com", "spacelift.io", "scalr.io", "env0.com")  # fmt: skip
_COSMETIC = frozenset({"tags", "tags_all", "labels", "effective_labels", "terraform_labels", "description"})
_MOST_NAME = 200


def _is_state(document: object) -> bool:
    names = (first(document, name) for name in ("bucket", "name", "storage_account_name"))
    return any(isinstance(name, str) and _STATE_NAME.fullmatch(name[:_MOST_NAME]) is not None for name in names)


def _store(change: Change, _plan: Plan) -> Iterator[Match]:
    if change.before is not None and _is_state(change.before):
        yield from _touched(change, "Terraform keeps its state here.")


def _lock(change: Change, _plan: Plan) -> Iterator[Match]:
    if change.before is not None and first(change.before, "hash_key") == "LockID":
        yield from _touched(change, "Terraform locks its state here.")


def _is_pipeline(document: object) -> bool:
    found = statements_at(document, ("assume_role_policy",))
    names = (name for item in found if item.is_allow for kind, name in item.principals if kind == "Federated")
    return any(pipeline in name for name in names for pipeline in _PIPELINES)


def _role(change: Change, _plan: Plan) -> Iterator[Match]:
    if change.before is not None and _is_pipeline(change.before):
        yield from _touched(change, "A pipeline takes this role.")


def _rights(change: Change, plan: Plan) -> Iterator[Match]:
    """What a pipeline's role may do changes."""
    roles = plan.once(("pipeline-roles", config_address(change.address)), lambda: _roles_of(change, plan))
    if roles:
        yield from _touched(change, f"A pipeline takes {roles[0].address}.", least="medium")


def _roles_of(change: Change, plan: Plan) -> list[Change]:
    return [role for role in plan.referred(change, "role") if role.type == _ROLE and _is_pipeline(role.before)]


def _touched(change: Change, note: str, least: Severity = "low") -> Iterator[Match]:
    """Say that something is touched: the more of it goes, the worse."""
    if change.destroys or change.before is None or change.after is None:
        yield Match((whole(change),), "high" if change.destroys else "medium", note)
        return
    names = [name for name in sorted({*change.before, *change.after}) if _differs(change.before, change.after, name)]
    if names:
        severity: Severity = least if set(names) <= _COSMETIC else "medium"
        yield Match(
            tuple(seen(name, raw(change.before, name), raw(change.after, name)) for name in names[:10]), severity, note
        )


def _differs(before: Mapping[str, object], after: Mapping[str, object], name: str) -> bool:
    return before.get(name) != after.get(name)


_FAMILY, _TITLE = "hygiene", "What Terraform itself stands on is touched"
_FLAG: Flag = "delivery-chain-change"
RULES: tuple[Rule, ...] = (
    rule_of("state-store", _FAMILY, _FLAG, "medium", _TITLE, (*_STORES, *_AROUND), _store),
    rule_of("state-lock", _FAMILY, _FLAG, "medium", _TITLE, (_TABLE,), _lock),
    rule_of("pipeline-role", _FAMILY, _FLAG, "medium", _TITLE, (_ROLE,), _role),
    rule_of("pipeline-rights", _FAMILY, _FLAG, "medium", _TITLE, _RIGHTS, _rights),
)  # fmt: skip
