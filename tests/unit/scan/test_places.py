"""Where a resource of a state lies, and what no mapping covers is called: scans of one account leave others' things alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.scan.domain.resources import Declared
from functions.scan.domain.state import parse_state
from functions.scan.types import tables
from functions.scan.types.azure import existing as azure_existing
from functions.scan.types.gcp import existing as google_existing
from functions.scan.types.gcp.places import seen_into

VAULT = "/subscriptions/AAAA/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/v"


def _declared(kind: str, **attributes: Any) -> Declared:
    resource = {"mode": "managed", "type": kind, "name": "x", "instances": [{"attributes": attributes}]}
    document = {"version": 4, "serial": 1, "lineage": "l", "resources": [resource]}
    (found,) = parse_state(json.dumps(document).encode(), tables.DECLARABLE).declared
    return found


@pytest.mark.parametrize(
    ("kind", "attributes", "account"),
    [
        ("google_pubsub_topic", {"id": "projects/shop/topics/t", "name": "t", "project": "shop"}, "shop"),
        ("google_project", {"project_id": "shop", "folder_id": "folders/7", "org_id": ""}, "folders/7"),
        ("google_project", {"project_id": "shop", "folder_id": "", "org_id": "42"}, "organizations/42"),
        ("google_project", {"project_id": "shop"}, "shop"),
        ("google_folder", {"id": "folders/8", "name": "folders/8", "parent": "organizations/42"}, "organizations/42"),
        ("google_folder_iam_member", {"folder": "folders/7", "role": "r", "member": "user:a"}, "folders/7"),
        ("google_organization_iam_member", {"org_id": "42", "role": "r", "member": "user:a"}, "organizations/42"),
        ("google_project_iam_member", {"project": "shop", "role": "r", "member": "user:a"}, "shop"),
        ("google_storage_bucket_iam_member", {"bucket": "logs", "role": "r", "member": "user:a"}, "//storage.googleapis.com/logs"),
        ("google_kms_crypto_key", {"id": "projects/shop/locations/e/keyRings/r/cryptoKeys/k", "name": "k"}, "shop"),
        ("google_not_mapped_thing", {"id": "projects/shop/things/t"}, "shop"),
        ("azurerm_key_vault", {"id": VAULT}, "aaaa"),
        ("azurerm_not_mapped_thing", {"id": VAULT}, "aaaa"),
        ("azapi_resource", {"id": VAULT, "type": "Microsoft.KeyVault/vaults@2023-07-01"}, "aaaa"),
        ("azurerm_role_assignment", {"id": "/providers/Microsoft.Management/managementGroups/MG/providers/Microsoft.Authorization/roleAssignments/9"},
         "/providers/microsoft.management/managementgroups/mg"),
        ("aws_sqs_queue", {"arn": "arn:aws:sqs:eu-west-1:123456789012:q", "id": "q"}, "123456789012"),
        ("random_id", {"id": "projects/shop/x"}, None),
    ],
)  # fmt: skip
def test_a_state_tells_where_a_resource_lies(kind: str, attributes: dict[str, Any], account: str | None) -> None:
    assert _declared(kind, **attributes).account == account


def test_a_scan_sees_into_the_projects_folders_and_buckets_that_it_lists() -> None:
    above = "//cloudresourcemanager.googleapis.com/"
    keys = [f"{above}projects/shop", f"{above}folders/7", "//storage.googleapis.com/logs"]
    expected = {"organizations/42", "shop", "folders/7", "//storage.googleapis.com/logs"}
    assert seen_into("organizations/42", keys) == expected
    assert seen_into("projects/shop", []) >= {"shop", "projects/shop"}


def test_what_no_mapping_covers_is_matched_by_its_path() -> None:
    assert _declared("google_not_mapped_thing", id="projects/shop/things/t").key == "projects/shop/things/t"
    assert _declared("google_not_mapped_thing", id="t").key is None
    assert _declared("azurerm_not_mapped_thing", id=VAULT).key == VAULT.lower()
    assert "google_not_mapped_thing" not in tables.COMPARED


def test_every_type_of_every_cloud_is_in_its_own_table() -> None:
    found = list(tables.COMPARED)
    assert len(found) == len(set(found)) == len(tables.COMPARED) > 450
    assert {name.partition("_")[0] for name in found} >= {"aws", "google", "azurerm", "azapi"}
    assert all(tables.COMPARED[name].type == name for name in found)


@pytest.mark.parametrize(
    ("kind", "name", "labels", "told"),
    [
        ("memcache.googleapis.com/Instance", "//memcache.googleapis.com/projects/p/locations/l/instances/i", {}, True),
        ("k8s.io/Pod", "//container.googleapis.com/projects/p/zones/z/clusters/c/k8s/namespaces/n/pods/p", {}, False),
        ("rbac.authorization.k8s.io/Role", "//container.googleapis.com/x", {}, False),
        ("logging.googleapis.com/LogBucket", "//logging.googleapis.com/projects/p/locations/global/buckets/_Default", {}, False),
        ("logging.googleapis.com/LogBucket", "//logging.googleapis.com/projects/p/locations/global/buckets/mine", {}, True),
        ("secretmanager.googleapis.com/SecretVersion", "//secretmanager.googleapis.com/projects/p/secrets/s/versions/1", {}, False),
        ("compute.googleapis.com/Disk", "//compute.googleapis.com/projects/p/zones/z/disks/d", {"goog-gke-volume": ""}, False),
    ],
)  # fmt: skip
def test_what_nobody_would_declare_is_not_told(kind: str, name: str, labels: dict[str, str], *, told: bool) -> None:
    assert google_existing.further_of(kind, name, labels).is_told is told


def test_names_are_in_the_manner_of_terraform() -> None:
    found = google_existing.further_of("memcache.googleapis.com/Instance", "//memcache.googleapis.com/projects/p/x", {})
    assert (found.type, found.path) == ("google_memcache_instance", "projects/p/x")
    assert google_existing.further_of("run.googleapis.com/WorkerPool", "//x/y", {}).type == "google_run_worker_pool"
    assert azure_existing.further_of("microsoft.maps/accounts", cloud_made=False) == azure_existing.Existing(
        "azurerm_maps_accounts", True
    )
    assert not azure_existing.further_of("microsoft.maps/accounts", cloud_made=True).is_told
    assert not azure_existing.further_of("microsoft.compute/virtualmachines/extensions", cloud_made=False).is_told
