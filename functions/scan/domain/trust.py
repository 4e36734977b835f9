"""What a customer sets up so that DriftWise may read an account: texts to paste, made from the account's row. Pure.

Every value in them was held to a pattern when the account was connected; none can end a quoted word.
Source: `gcloud` and `az` reference (workload identity pools, federated credentials, role definitions); ADR-0027, ADR-0040.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

ISSUER: Final = "https://accounts.google.com"
PLACEHOLDER: Final = "NUMBER_OF_DRIFTWISES_GOOGLE_ACCOUNT"
_ROLE: Final = "driftwiseRead"


@dataclass(frozen=True, slots=True)
class Rights:
    """What an account needs.

    Attributes:
        permissions: in the provider's words.
        excluded: what a wide grant of them must leave out.
        services: that must be switched on.
    """

    permissions: Sequence[str]
    excluded: Sequence[str] = ()
    services: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class SetUp:
    """Texts to paste: for a shell, and for Terraform."""

    commands: str
    terraform: str


def set_up(account: Mapping[str, Any], rights: Rights, trusted_identity: str, public_url: str) -> SetUp:
    """Return the texts for an account.

    Args:
        account: its row.
        rights: what it needs.
        trusted_identity: number of our own Google account, empty where there is none.
        public_url: the address of this installation.
    """
    identity = trusted_identity or PLACEHOLDER
    match account["provider"]:
        case "aws":
            return _aws(account, identity)
        case "gcp":
            return _google(account, rights, identity)
        case "azure":
            return _azure(account, rights, identity)
        case _:
            return _kubernetes(account, public_url)


def trust_policy(external_id: str, identity: str) -> dict[str, Any]:
    """Return who may take an AWS role on: our own Google account, with a token made for this external id."""
    matched = {"sub": identity, "aud": identity, "oaud": external_id}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "DriftWise",
                "Effect": "Allow",
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": {"Federated": "accounts.google.com"},
                "Condition": {
                    "StringEquals": {f"accounts.google.com:{name}": value for name, value in matched.items()}
                },
            }
        ],
    }


def hub_trust_policy(external_id: str, hub: str) -> dict[str, Any]:
    """Return who may take on an AWS role behind a hub: the hub's role, with the external id."""
    partition, number = hub.split(":")[1], hub.split(":")[4]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "DriftWiseThroughHub",
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"AWS": f"arn:{partition}:iam::{number}:root"},
                "Condition": {
                    "ArnEquals": {"aws:PrincipalArn": hub},
                    "StringEquals": {"sts:ExternalId": external_id},
                },
            }
        ],
    }


def _aws(account: Mapping[str, Any], identity: str) -> SetUp:
    if account["role_arn"] is None:
        text = "# An access key needs no trust: its user needs the policies of terraform/customer/aws/read_policies.json.\n"
        return SetUp(text, text)
    hub, external_id = account["through"], account["external_id"]
    path, _, name = account["role_arn"].partition(":role/")[2].rpartition("/")
    placed = f"--path /{path}/ " if path else ""
    policy = hub_trust_policy(external_id, hub) if hub else trust_policy(external_id, identity)
    commands = _lines(
        f"aws iam create-role --role-name {shlex.quote(name)} {placed}--max-session-duration 3600 \\",
        f"  --assume-role-policy-document {shlex.quote(json.dumps(policy))}",
        "# What it may read: one managed policy for each element of terraform/customer/aws/read_policies.json",
        "jq -c '.[]' ./driftwise/terraform/customer/aws/read_policies.json | nl -v 1 -w 1 -s ' ' | while read -r number policy; do",
        f'  arn=$(aws iam create-policy --policy-name "{name}-configuration-$number" --policy-document "$policy" \\',
        "    --query Policy.Arn --output text)",
        f'  aws iam attach-role-policy --role-name {shlex.quote(name)} --policy-arn "$arn"',
        "done",
    )
    trusted = {"hub_role_arn": hub} if hub else {"driftwise_google_account_id": identity}
    terraform = _module("aws", {**trusted, "external_id": external_id, "role_name": name})
    return SetUp(commands, terraform)


def _google(account: Mapping[str, Any], rights: Rights, identity: str) -> SetUp:
    parent = str(account["external_account"])
    if account["identity_provider"] is None:
        member = f"serviceAccount:{account['service_account']}"
        text = _lines("# Whose key it is needs these rights:", *_google_grants(parent, member, rights, None))
        return SetUp(text, "# A key needs no trust; grant its account what `permissions` names.\n")
    _, number, _, _, _, pool, _, provider = str(account["identity_provider"]).split("/")
    principal = f"principal://iam.googleapis.com/projects/{number}/locations/global/workloadIdentityPools/{pool}/subject/{identity}"
    acting_as = account["service_account"]
    place = f"--project={number} --location=global"
    commands = _lines(
        f"gcloud services enable --project={number} {' '.join((*rights.services, 'sts.googleapis.com', 'iamcredentials.googleapis.com'))}",
        f"gcloud iam workload-identity-pools create {pool} {place} --display-name=DriftWise",
        f"gcloud iam workload-identity-pools providers create-oidc {provider} {place} \\",
        f"  --workload-identity-pool={pool} --issuer-uri={ISSUER} --allowed-audiences={account['external_id']} \\",
        "  --attribute-mapping=google.subject=assertion.sub \\",
        f"  --attribute-condition=\"assertion.sub == '{identity}'\"",
        *(
            (
                f"gcloud iam service-accounts add-iam-policy-binding {acting_as} \\",
                f"  --role=roles/iam.workloadIdentityUser --member={principal}",
                *_google_grants(parent, f"serviceAccount:{acting_as}", rights, None),
            )
            if acting_as
            else _google_grants(parent, principal, rights, number)
        ),
    )
    kind, _, name = parent.partition("/")
    scopes: dict[str, dict[str, Any]] = {
        "projects": {"scanned_project_ids": [name]},
        "folders": {"organization_id": "YOUR_ORGANIZATION_NUMBER", "scanned_folder_ids": [name]},
        "organizations": {"organization_id": name},
    }
    values = {
        "driftwise_google_account_id": identity,
        "external_id": account["external_id"],
        "pool_id": pool,
        "project_id": f"ID_OF_PROJECT_{number}",
        "provider_id": provider,
        **({"service_account": acting_as} if acting_as else {}),
        **scopes[kind],
    }
    return SetUp(commands, _module("gcp", values))


def _google_grants(parent: str, member: str, rights: Rights, paying: str | None) -> tuple[str, ...]:
    """Return the commands that grant a member the rights below a parent, and those of the project that calls count on."""
    kind, _, name = parent.partition("/")
    permissions = ",".join(rights.permissions)
    if kind == "folders":  # custom roles are made in organisations and projects only
        home, role = "--organization=YOUR_ORGANIZATION_NUMBER", f"organizations/YOUR_ORGANIZATION_NUMBER/roles/{_ROLE}"
        bind = f"gcloud resource-manager folders add-iam-policy-binding {name}"
    elif kind == "organizations":
        home, role = f"--organization={name}", f"{parent}/roles/{_ROLE}"
        bind = f"gcloud organizations add-iam-policy-binding {name}"
    else:
        home, role = f"--project={name}", f"{parent}/roles/{_ROLE}"
        bind = f"gcloud projects add-iam-policy-binding {name}"
    counted = (
        f"gcloud projects add-iam-policy-binding {paying} --role=roles/serviceusage.serviceUsageConsumer --member={member} --condition=None",
    )
    return (
        f"gcloud iam roles create {_ROLE} {home} --title='DriftWise: read configuration' \\",
        f"  --permissions={permissions}",
        f"{bind} --role={role} --member={member} --condition=None",
        *(counted if paying else ()),
    )


def _azure(account: Mapping[str, Any], rights: Rights, identity: str) -> SetUp:
    subscription = account["external_account"]
    scope = f"/subscriptions/{subscription}"
    role_name = f"DriftWise read {subscription}"
    role = {
        "Name": role_name,
        "Description": "Reads configuration for drift detection.",
        "Actions": list(rights.permissions),
        "NotActions": list(rights.excluded),
        "AssignableScopes": [scope],
    }
    granted = (
        f"az role definition create --subscription {subscription} --role-definition {shlex.quote(json.dumps(role))}",
        f"az role assignment create --role {shlex.quote(role_name)} --scope {scope} \\",
        '  --assignee-object-id "$principal" --assignee-principal-type ServicePrincipal',
    )
    if account["auth_kind"] == "client_secret":
        found = f"principal=$(az ad sp show --id {account['client_id']} --query id --output tsv)"
        text = "# A secret needs no trust; assign its application a role with what `permissions` names.\n"
        return SetUp(_lines(found, *granted), text)
    commands = _lines(
        f"az account set --subscription {subscription}",
        "az group create --name driftwise-read --location YOUR_REGION",
        "az identity create --name driftwise-read --resource-group driftwise-read",
        "az identity federated-credential create --name google --identity-name driftwise-read --resource-group driftwise-read \\",
        f"  --issuer {ISSUER} --subject {identity} --audiences {account['external_id']}",
        "principal=$(az identity show --name driftwise-read --resource-group driftwise-read --query principalId --output tsv)",
        *granted,
        "# What to tell DriftWise as `auth.client_id`:",
        "az identity show --name driftwise-read --resource-group driftwise-read --query clientId --output tsv",
    )
    values = {
        "driftwise_google_account_id": identity,
        "external_id": account["external_id"],
        "location": "YOUR_REGION",
        "scanned_subscription_ids": [subscription],
    }
    return SetUp(commands, _module("azure", values))


def _kubernetes(account: Mapping[str, Any], public_url: str) -> SetUp:
    settings = {"driftwise.url": public_url, "driftwise.accountId": str(account["id"])}
    commands = _lines(
        "kubectl create namespace driftwise",
        "# An API key of DriftWise with the scope `report`, and nothing else:",
        "kubectl create secret generic driftwise-operator --namespace driftwise --from-literal=api-key=YOUR_API_KEY",
        "helm upgrade --install driftwise-operator ./driftwise/infra/operator/chart --namespace driftwise \\",
        "  " + " ".join(f"--set {name}={value}" for name, value in settings.items()),
    )
    terraform = _lines(
        'resource "helm_release" "driftwise_operator" {',
        '  name             = "driftwise-operator"',
        '  chart            = "./driftwise/infra/operator/chart"',
        '  namespace        = "driftwise"',
        "  create_namespace = true",
        "",
        "  values = [yamlencode({",
        f"    driftwise = {{ url = {json.dumps(public_url)}, accountId = {json.dumps(str(account['id']))} }}",
        "  })]",
        "}",
    )
    return SetUp(commands, terraform)


def _module(name: str, values: Mapping[str, Any]) -> str:
    width = max(map(len, (*values, "source")))
    lines = [f"  {key.ljust(width)} = {json.dumps(value)}" for key, value in values.items() if value is not None]
    source = f"  {'source'.ljust(width)} = {json.dumps(f'./driftwise/terraform/customer/{name}')}"
    return _lines('module "driftwise" {', source, *lines, "}")


def _lines(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)
