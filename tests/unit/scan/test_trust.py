"""The texts that customers paste: they hold the external id and our identity, are well-formed, and grant nothing but reading."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml

from functions.scan.domain.trust import PLACEHOLDER, Rights, SetUp, hub_trust_policy, set_up, trust_policy

ROOT = Path(__file__).parents[3]
EXTERNAL_ID = "dw-abcdefghijklmnopqrstuvwxyz234567"
IDENTITY = "117234567890123456789"
PROVIDER = "projects/123/locations/global/workloadIdentityPools/driftwise/providers/google"
ROLE, HUB = "arn:aws:iam::123456789012:role/driftwise-read", "arn:aws:iam::210987654321:role/hub"
SUBSCRIPTION = str(UUID(int=7))
RIGHTS = Rights(["a.list", "b.list"], ["c/read"], ["x.googleapis.com"])


def account(provider: str, **columns: Any) -> dict[str, Any]:
    names = ("role_arn", "through", "identity_provider", "service_account", "tenant_id", "client_id", "external_id")
    kinds = {"aws": "role", "gcp": "workload_identity", "azure": "federated", "kubernetes": "report"}
    found = {"id": UUID(int=9), "provider": provider, "auth_kind": kinds[provider], **dict.fromkeys(names)}
    return found | {"external_id": EXTERNAL_ID} | columns


def texts(row: dict[str, Any], identity: str = IDENTITY) -> SetUp:
    return set_up(row, RIGHTS, identity, "https://driftwise.example.org")


ACCOUNTS = {
    "role": account("aws", role_arn=ROLE),
    "hub": account("aws", role_arn=ROLE, through=HUB),
    "static_key": account("aws", auth_kind="static_key", external_id=None),
    "project": account("gcp", external_account="projects/shop", identity_provider=PROVIDER),
    "folder": account("gcp", external_account="folders/77", identity_provider=PROVIDER),
    "organization": account("gcp", external_account="organizations/42", identity_provider=PROVIDER, service_account="a@b.iam.gserviceaccount.com"),
    "key": account("gcp", auth_kind="service_account_key", external_account="projects/shop", service_account="a@b.iam.gserviceaccount.com", external_id=None),
    "federated": account("azure", external_account=SUBSCRIPTION, tenant_id=UUID(int=1)),
    "client_secret": account("azure", auth_kind="client_secret", external_account=SUBSCRIPTION, client_id=UUID(int=2), external_id=None),
    "cluster": account("kubernetes", external_account="shop", external_id=None),
}  # fmt: skip
TRUSTING = ["role", "project", "folder", "organization", "federated"]


@pytest.mark.parametrize("name", TRUSTING)
def test_trust_names_our_account_and_the_external_id_alone(name: str) -> None:
    found = texts(ACCOUNTS[name])
    for text in (found.commands, found.terraform):
        assert EXTERNAL_ID in text
        assert IDENTITY in text
        assert PLACEHOLDER not in text


@pytest.mark.parametrize("name", TRUSTING)
def test_where_this_installation_has_no_identity_there_is_a_placeholder(name: str) -> None:
    found = texts(ACCOUNTS[name], "")
    assert PLACEHOLDER in found.commands
    assert PLACEHOLDER in found.terraform


@pytest.mark.parametrize("name", ACCOUNTS)
def test_a_shell_reads_the_commands(name: str) -> None:
    commands = texts(ACCOUNTS[name]).commands
    done = subprocess.run(["/bin/bash", "-n"], input=commands, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert commands.endswith("\n")


def test_a_role_of_aws_is_trusted_by_subject_and_audience() -> None:
    conditions = trust_policy(EXTERNAL_ID, IDENTITY)["Statement"][0]["Condition"]["StringEquals"]
    assert conditions == {
        "accounts.google.com:sub": IDENTITY,
        "accounts.google.com:aud": IDENTITY,
        "accounts.google.com:oaud": EXTERNAL_ID,
    }
    words = shlex.split(texts(ACCOUNTS["role"]).commands.split("# What")[0].replace("\\\n", " "))
    assert json.loads(words[words.index("--assume-role-policy-document") + 1]) == trust_policy(EXTERNAL_ID, IDENTITY)


def test_a_role_is_made_under_the_very_name_that_was_given() -> None:
    found = texts(account("aws", role_arn="arn:aws:iam::123456789012:role/security/audit/read"))
    assert "--role-name read --path /security/audit/ " in found.commands


def test_a_role_behind_a_hub_trusts_the_hub_and_not_us() -> None:
    found = texts(ACCOUNTS["hub"])
    statement = hub_trust_policy(EXTERNAL_ID, HUB)["Statement"][0]
    assert statement["Condition"]["ArnEquals"] == {"aws:PrincipalArn": HUB}
    assert statement["Condition"]["StringEquals"] == {"sts:ExternalId": EXTERNAL_ID}
    assert HUB in found.commands
    assert f'hub_role_arn = "{HUB}"' in found.terraform
    assert IDENTITY not in found.commands + found.terraform


def test_googles_rights_go_to_one_subject_and_are_the_readers() -> None:
    found = texts(ACCOUNTS["project"]).commands
    principal = f"principal://iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/driftwise/subject/{IDENTITY}"
    assert found.count(f"--member={principal}") == 2, "the role, and the quota of the pool's project"
    assert "--permissions=a.list,b.list" in found
    assert f"--attribute-condition=\"assertion.sub == '{IDENTITY}'\"" in found
    assert "principalSet" not in found


@pytest.mark.parametrize(
    ("name", "bind", "scope"),
    [
        ("project", "gcloud projects add-iam-policy-binding shop", '["shop"]'),
        ("folder", "gcloud resource-manager folders add-iam-policy-binding 77", '["77"]'),
        ("organization", "gcloud organizations add-iam-policy-binding 42", '"42"'),
    ],
)
def test_rights_are_granted_where_the_account_is(name: str, bind: str, scope: str) -> None:
    found = texts(ACCOUNTS[name])
    assert bind in found.commands
    assert re.search(
        rf"(scanned_project_ids|scanned_folder_ids|organization_id) *= {re.escape(scope)}\n", found.terraform
    )


def test_an_account_that_is_acted_as_holds_the_rights_itself() -> None:
    found = texts(ACCOUNTS["organization"]).commands
    assert "--role=roles/iam.workloadIdentityUser" in found
    assert "--member=serviceAccount:a@b.iam.gserviceaccount.com" in found


def test_azures_role_leaves_out_what_reads_contents() -> None:
    words = shlex.split(texts(ACCOUNTS["federated"]).commands.replace("\\\n", " "), comments=True)
    role = json.loads(words[words.index("--role-definition") + 1])
    assert role["Actions"] == ["a.list", "b.list"]
    assert role["NotActions"] == ["c/read"]
    assert role["AssignableScopes"] == [f"/subscriptions/{SUBSCRIPTION}"]
    assert words[words.index("--audiences") + 1] == EXTERNAL_ID
    assert words[words.index("--subject") + 1] == IDENTITY


def test_a_cluster_is_told_where_to_report_and_as_which_account() -> None:
    found = texts(ACCOUNTS["cluster"])
    for text in (found.commands, found.terraform):
        assert "https://driftwise.example.org" in text
        assert str(UUID(int=9)) in text


def test_the_chart_has_the_values_that_a_cluster_is_told_to_set() -> None:
    values = yaml.safe_load((ROOT / "infra" / "operator" / "chart" / "values.yaml").read_text("utf-8"))
    commands = texts(ACCOUNTS["cluster"]).commands
    names = re.findall(r"--set ([A-Za-z.]+)=", commands)
    assert set(names) == {f"driftwise.{name}" for name in values["driftwise"]}
    assert f"generic {values['apiKey']['existingSecret']} " in commands
    assert f"--from-literal={values['apiKey']['key']}=" in commands
