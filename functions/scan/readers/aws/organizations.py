"""Reads Organizations, SES and the settings of the ECR registry.

Only the management account of an organisation may list it: elsewhere these types are not checked, with that reason.
Source: API References of these services, the actions named in each listing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ...domain.resources import LiveResource
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map
from .forms import blocks, in_snake, tagged

_ALONE = "AWSOrganizationsNotInUseException"
_API = "organizations"
_TYPES = (
    "aws_organizations_organization",
    "aws_organizations_organizational_unit",
    "aws_organizations_policy",
    "aws_organizations_policy_attachment",
)


def read_organization(scope: Scope) -> Iterator[Finding]:
    """Read the organisation, its units, its policies, and where these are attached."""
    client = scope.client(_API)
    reply = attempt(_API, client.describe_organization, _ALONE)
    if isinstance(reply, Gap):
        yield from (reply.not_checked(kind, "global") for kind in _TYPES)
        return
    if not reply:
        return  # an account on its own
    found = reply["Organization"]
    roots = list(scope.pages(_API, "list_roots", "Roots"))
    services = scope.pages(_API, "list_aws_service_access_for_organization", "EnabledServicePrincipals")
    enabled = [
        entry["Type"] for root in roots for entry in root.get("PolicyTypes") or () if entry.get("Status") == "ENABLED"
    ]
    attributes: dict[str, object] = {
        "aws_service_access_principals": [service["ServicePrincipal"] for service in services],
        "enabled_policy_types": enabled,
        "feature_set": found.get("FeatureSet"),
    }
    yield LiveResource("aws_organizations_organization", found["Id"], scope.region, attributes, found["Arn"])
    for root in roots:
        yield from _units(scope, client, root["Id"])
    yield from _policies(scope, client)


def _units(scope: Scope, client: Any, parent: str) -> Iterator[Finding]:
    for item in scope.pages(_API, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=parent):
        attributes: dict[str, object] = {"name": item.get("Name"), "parent_id": parent}
        yield from _tagged(scope, client, "aws_organizations_organizational_unit", item, attributes)
        yield from _units(scope, client, item["Id"])


def _tagged(
    scope: Scope, client: Any, kind: str, item: Item, attributes: dict[str, object], *, cloud_made: bool = False
) -> Iterator[Finding]:
    identifier = item["Id"]

    def call() -> dict[str, str]:
        return tag_map(client.list_tags_for_resource(ResourceId=identifier).get("Tags"))

    yield from tagged(scope, kind, identifier, attributes, item["Arn"], call, cloud_made=cloud_made)


_POLICY_TYPES = ("SERVICE_CONTROL_POLICY", "TAG_POLICY", "BACKUP_POLICY", "AISERVICES_OPT_OUT_POLICY")


def _policies(scope: Scope, client: Any) -> Iterator[Finding]:
    """List the policies of all kinds; those that AWS manages are marked so, and so are their attachments."""
    kind, attachment = "aws_organizations_policy", "aws_organizations_policy_attachment"
    for family in _POLICY_TYPES:
        for item in scope.pages(_API, "list_policies", "Policies", Filter=family):
            identifier, is_made = item["Id"], bool(item.get("AwsManaged"))
            attributes = in_snake(item, "Description", "Name", "Type")
            reply = attempt(_API, partial(client.describe_policy, PolicyId=identifier), "PolicyNotFoundException")
            if isinstance(reply, Gap):
                yield reply.unread(kind, identifier, "content")
            else:
                attributes["content"] = (reply.get("Policy") or {}).get("Content")
            if is_made:
                yield LiveResource(kind, identifier, scope.region, attributes, item["Arn"], cloud_made=True)
            else:
                yield from _tagged(scope, client, kind, item, attributes)
            for target in scope.pages(_API, "list_targets_for_policy", "Targets", PolicyId=identifier):
                key = f"{target['TargetId']}|{identifier}"
                yield LiveResource(attachment, key, scope.region, {}, key, cloud_made=is_made)


def read_identities(scope: Scope) -> Iterator[Finding]:
    """List the addresses and domains that may send."""
    for kind, family in (("aws_ses_email_identity", "EmailAddress"), ("aws_ses_domain_identity", "Domain")):
        for name in scope.pages("ses", "list_identities", "Identities", IdentityType=family):
            arn = scope.arn("ses", f"identity/{name}")
            yield LiveResource(kind, arn, scope.region, {}, arn)


def read_configuration_sets(scope: Scope) -> Iterator[Finding]:
    """List configuration sets; each takes a call."""
    client, kind = scope.client("ses"), "aws_ses_configuration_set"

    def one(item: Item) -> Iterator[Finding]:
        arn = scope.arn("ses", f"configuration-set/{item['Name']}")
        reply = attempt(
            "ses",
            lambda: client.describe_configuration_set(
                ConfigurationSetName=item["Name"], ConfigurationSetAttributeNames=["reputationOptions"]
            ),
            "ConfigurationSetDoesNotExist",
        )
        if isinstance(reply, Gap):
            yield reply.unread(kind, arn)
        elif reply:
            options = reply.get("ReputationOptions") or {}
            attributes = in_snake(
                options, *(name for name in ("ReputationMetricsEnabled", "SendingEnabled") if name in options)
            )
            yield LiveResource(kind, arn, scope.region, attributes, arn)

    yield from each(_all_sets(scope), one)


def _all_sets(scope: Scope) -> Iterator[Item]:
    """List all sets; the call has no paginator. Source: Amazon SES API Reference, ListConfigurationSets."""
    client = scope.client("ses")
    token: dict[str, str] = {}
    while True:
        reply = client.list_configuration_sets(**token)
        yield from reply.get("ConfigurationSets") or ()
        if not reply.get("NextToken"):
            return
        token = {"NextToken": reply["NextToken"]}


def read_templates(scope: Scope) -> Iterator[Finding]:
    """List templates; each takes a call."""
    client, kind = scope.client("ses"), "aws_ses_template"

    def one(item: Item) -> Iterator[Finding]:
        arn = scope.arn("ses", f"template/{item['Name']}")
        reply = attempt("ses", lambda: client.get_template(TemplateName=item["Name"]), "TemplateDoesNotExist")
        if isinstance(reply, Gap):
            yield reply.unread(kind, arn)
        elif reply:
            found = reply["Template"]
            attributes: dict[str, object] = {
                "html": found.get("HtmlPart"),
                "subject": found.get("SubjectPart"),
                "text": found.get("TextPart"),
            }
            yield LiveResource(kind, arn, scope.region, attributes, arn)

    yield from each(scope.pages("ses", "list_templates", "TemplatesMetadata"), one)


def read_registry(scope: Scope) -> Iterator[Finding]:
    """Read the settings of the region's registry; each account has one, with nothing in it at first."""
    client, key = scope.client("ecr"), scope.account
    arn = scope.arn("ecr", "registry")
    policy = attempt("ecr", client.get_registry_policy, "RegistryPolicyNotFoundException")
    if isinstance(policy, Gap):
        yield policy.unread("aws_ecr_registry_policy", key)
    elif policy.get("policyText"):
        yield LiveResource("aws_ecr_registry_policy", key, scope.region, {"policy": policy["policyText"]}, arn)
    scanning = client.get_registry_scanning_configuration().get("scanningConfiguration") or {}
    rules = [
        {"scan_frequency": rule.get("scanFrequency"), "repository_filter": blocks(rule.get("repositoryFilters") or [])}
        for rule in scanning.get("rules") or ()
    ]
    yield LiveResource(
        type="aws_ecr_registry_scanning_configuration",
        key=key,
        region=scope.region,
        attributes={"rule": rules, "scan_type": scanning.get("scanType")},
        cloud_id=arn,
        cloud_made=not rules and scanning.get("scanType") in {None, "BASIC"},
    )
    replication = client.describe_registry().get("replicationConfiguration") or {}
    copies = [
        {
            "destination": blocks(rule.get("destinations") or []),
            "repository_filter": blocks(rule.get("repositoryFilters") or []),
        }
        for rule in replication.get("rules") or ()
    ]
    if copies:
        yield LiveResource(
            "aws_ecr_replication_configuration",
            key,
            scope.region,
            {"replication_configuration": [{"rule": copies}]},
            arn,
        )


SERVICE = Service(
    "organizations",
    (
        Listing(
            _TYPES,
            read_organization,
            (
                "organizations:DescribeOrganization",
                "organizations:ListRoots",
                "organizations:ListAWSServiceAccessForOrganization",
                "organizations:ListOrganizationalUnitsForParent",
                "organizations:ListPolicies",
                "organizations:DescribePolicy",
                "organizations:ListTargetsForPolicy",
                "organizations:ListTagsForResource",
            ),
            is_global=True,
        ),
        Listing(("aws_ses_email_identity", "aws_ses_domain_identity"), read_identities, ("ses:ListIdentities",)),
        Listing(
            ("aws_ses_configuration_set",),
            read_configuration_sets,
            ("ses:ListConfigurationSets", "ses:DescribeConfigurationSet"),
        ),
        Listing(("aws_ses_template",), read_templates, ("ses:ListTemplates", "ses:GetTemplate")),
        Listing(
            (
                "aws_ecr_registry_policy",
                "aws_ecr_registry_scanning_configuration",
                "aws_ecr_replication_configuration",
            ),
            read_registry,
            ("ecr:GetRegistryPolicy", "ecr:GetRegistryScanningConfiguration", "ecr:DescribeRegistry"),
        ),
    ),
)
