"""What is shared with other AWS accounts by resources of its own, not by a policy document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..levels import Severity, worst
from ..plan import Change, Plan
from ..policies import account_of
from ..rule import Match, Rule, seen
from ..switches import rule_of
from ..values import raw, truth, values_at

# type -> where the account, or an ARN that holds it, stands
_PRINCIPALS: Mapping[str, tuple[str, ...]] = {
    "aws_snapshot_create_volume_permission": ("account_id",),
    "aws_ami_launch_permission": ("account_id", "organization_arn", "organizational_unit_arn"),
    "aws_db_snapshot": ("shared_accounts",),
    "aws_db_cluster_snapshot": ("shared_accounts",),
    "aws_kms_grant": ("grantee_principal",),
    "aws_ram_principal_association": ("principal",),
    "aws_lambda_permission": ("principal",),
    "aws_lambda_layer_version_permission": ("principal",),
    "aws_vpc_endpoint_service": ("allowed_principals",),
    "aws_vpc_endpoint_service_allowed_principal": ("principal_arn",),
    "aws_cloudwatch_event_permission": ("principal",),
    "aws_redshift_endpoint_authorization": ("account",),
}
_PATHS = tuple(dict.fromkeys(path for paths in _PRINCIPALS.values() for path in paths))


def _shared(change: Change, plan: Plan) -> Iterator[Match]:
    if change.after is None:
        return
    own = {account_of(raw(side, "arn")) for side in (change.before, change.after)} | plan.own
    found: list[tuple[Severity, str, str]] = []
    for path in _PRINCIPALS[change.type]:
        was = {account_of(value) for value in values_at(change.before, path)}
        new = {account_of(value) for value in values_at(change.after, path)} - was - own - {None}
        found.extend(
            ("high" if own - {None} else "medium", path, str(account)) for account in sorted(filter(None, new))
        )
    if found:
        evidence = tuple(
            seen(path, raw(change.before, path), raw(change.after, path))
            for path in dict.fromkeys(path for _, path, _ in found)
        )
        yield Match(
            evidence,
            worst(severity for severity, _, _ in found),
            f"Let in: {', '.join(account for _, _, account in found[:3])}.",
        )


def _external(change: Change, _plan: Plan) -> Iterator[Match]:
    was, will = (truth(raw(side, "allow_external_principals")) for side in (change.before, change.after))
    if change.after is not None and will is True and was is not True:
        yield Match(
            (
                seen(
                    "allow_external_principals",
                    raw(change.before, "allow_external_principals"),
                    raw(change.after, "allow_external_principals"),
                ),
            )
        )


_TITLE = "Another account is let in"
RULES: tuple[Rule, ...] = (
    rule_of("aws-shared-outside", "identity", "cross-account-trust", "high", _TITLE, tuple(_PRINCIPALS), _shared, paths=_PATHS, refs=("CWE-266",)),
    rule_of("aws-share-external", "identity", "cross-account-trust", "medium", "It may be shared outside of the organisation", ("aws_ram_resource_share",), _external, paths=("allow_external_principals",)),
)  # fmt: skip
