"""Accounts of Google Cloud, Azure and Kubernetes: connected, sealed, changed, trusted and verified."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from functions.scan.readers.gcp.rights import QUOTA
from functions.scan.wiring import credentials_place
from tests.support.cloud_hosts import CLIENT, SUBSCRIPTION, TENANT, AzureCloud, GoogleCloud
from tests.support.clusters import Cluster, config_map
from tests.support.database import ClonedDatabase
from tests.support.scan_function import ScanFunction, ScanOrg
from tests.support.source_function import SourceOrg
from tests.support.state_hosts import PROVIDER

KEY_FILE = json.dumps({
    "type": "service_account", "client_email": "reader@shop.iam.gserviceaccount.com", "private_key": "hunter2" * 20,
    "private_key_id": "1",
})  # fmt: skip
WORKLOAD = {"kind": "workload_identity", "provider": PROVIDER}
FEDERATED = {"kind": "federated", "tenant_id": TENANT, "client_id": CLIENT}
GOOGLE = {"provider": "gcp", "name": "Shop", "external_account": "projects/shop", "auth": WORKLOAD}
AZURE = {"provider": "azure", "name": "Shop", "external_account": SUBSCRIPTION, "auth": FEDERATED}
CLUSTER = {"provider": "kubernetes", "name": "Shop", "external_account": "shop-live"}
GOOGLE_KEY = GOOGLE | {"auth": {"kind": "service_account_key", "key_json": KEY_FILE}}
AZURE_SECRET = AZURE | {"auth": FEDERATED | {"kind": "client_secret", "client_secret": "the-app-secret"}}
ROOT = "/cloud-accounts"


@pytest.fixture
def org(database: ClonedDatabase) -> SourceOrg:
    return SourceOrg(database)


def _sealed(org: SourceOrg, account_id: str) -> bytes | None:
    found = org.database.owner.run(
        "select credentials_encrypted from scan.cloud_accounts where id = cast(:id as uuid)", id=account_id
    )
    assert found
    return bytes(found[0][0]) if found[0][0] is not None else None


def _audited(org: SourceOrg) -> str:
    return str(org.database.owner.run("select action, facts from core.audit_log where org_id = :org_id", org_id=org.id))


@pytest.mark.parametrize(
    ("wish", "shown"),
    [
        (GOOGLE, {"identity_provider": PROVIDER, "service_account": None}),
        (AZURE, {"tenant_id": TENANT, "client_id": CLIENT}),
        (CLUSTER, {"auth_kind": "report", "external_id": None}),
    ],
    ids=["gcp", "azure", "kubernetes"],
)
def test_an_account_is_connected_without_any_secret(
    org: SourceOrg, wish: dict[str, Any], shown: dict[str, Any]
) -> None:
    made = org.done("POST", ROOT, wish, 201)
    assert made == org.done("GET", f"{ROOT}/{made['id']}")
    assert {name: made[name] for name in shown} == shown
    assert (made["provider"], made["external_account"]) == (wish["provider"], wish["external_account"])
    assert made["regions"] == ["global"]
    assert _sealed(org, made["id"]) is None
    if wish is not CLUSTER:
        assert re.fullmatch(r"dw-[a-z2-7]{32}", made["external_id"])
    again = org.refused("POST", ROOT, wish, 409, "account_exists")
    assert again["external_account"] == wish["external_account"]


@pytest.mark.parametrize(
    ("wish", "secret", "shown"),
    [
        (GOOGLE_KEY, "hunter2", {"service_account": "reader@shop.iam.gserviceaccount.com"}),
        (AZURE_SECRET, "the-app-secret", {"client_id": CLIENT}),
    ],
    ids=["gcp", "azure"],
)
def test_a_key_or_secret_is_sealed_and_never_shown(
    org: SourceOrg, wish: dict[str, Any], secret: str, shown: dict[str, Any]
) -> None:
    made = org.done("POST", ROOT, wish, 201)
    assert {name: made[name] for name in shown} == shown
    assert made["external_id"] is None
    seen = [made, org.done("GET", f"{ROOT}/{made['id']}"), org.done("GET", ROOT), _audited(org)]
    seen.append(org.done("GET", f"{ROOT}/{made['id']}/trust"))
    assert secret not in json.dumps(seen)
    sealed = _sealed(org, made["id"])
    assert sealed is not None
    assert secret.encode() not in sealed
    opened = org.deps.envelope.open(sealed, credentials_place(org.id, UUID(made["id"])))
    assert secret in opened.reveal().decode()


def test_each_account_has_an_external_id_of_its_own(org: SourceOrg) -> None:
    made = org.done("POST", ROOT, GOOGLE, 201)
    other = org.done("POST", ROOT, GOOGLE | {"external_account": "folders/77"}, 201)
    assert made["external_id"] != other["external_id"]


def test_a_key_that_is_none_is_refused(org: SourceOrg) -> None:
    wish = GOOGLE | {"auth": {"kind": "service_account_key", "key_json": "{}" + " " * 100}}
    found = org.refused("POST", ROOT, wish, 422, "invalid")
    assert found["errors"][0]["field"] == "auth.service_account_key.key_json"


def test_the_application_may_follow_and_the_external_id_stays(org: SourceOrg) -> None:
    AzureCloud().connect(org.internet)
    made = org.done("POST", ROOT, AZURE | {"auth": {"kind": "federated", "tenant_id": TENANT}}, 201)
    assert made["client_id"] is None
    verified = org.done("POST", f"{ROOT}/{made['id']}/verify")
    assert (verified["is_complete"], verified["gaps"][0]["reason"]) == (False, "not_enabled")
    changed = org.done("PATCH", f"{ROOT}/{made['id']}", {"auth": FEDERATED})
    assert changed == made | {"client_id": CLIENT}
    assert '"auth_kind": "federated"' in _audited(org) or "'auth_kind': 'federated'" in _audited(org)


def test_another_way_to_sign_in_takes_the_place_of_the_first(org: SourceOrg) -> None:
    AzureCloud().connect(org.internet)
    made = org.done("POST", ROOT, AZURE_SECRET, 201)
    assert org.done("POST", f"{ROOT}/{made['id']}/verify")["is_complete"] is True
    assert org.done("GET", f"{ROOT}/{made['id']}")["verified_at"] is not None
    changed = org.done("PATCH", f"{ROOT}/{made['id']}", {"auth": FEDERATED})
    assert changed["auth_kind"] == "federated"
    assert changed["external_id"] is not None
    assert changed["verified_at"] is None, "nobody tried the new way"
    assert _sealed(org, made["id"]) is None


@pytest.mark.parametrize(
    ("wish", "change", "field"),
    [
        (GOOGLE, {"auth": FEDERATED}, "auth.kind"),
        (AZURE, {"auth": WORKLOAD}, "auth.kind"),
        (CLUSTER, {"auth": FEDERATED}, "auth.kind"),
        (GOOGLE, {"regions": ["eu-west-1"]}, "regions"),
    ],
)
def test_a_change_fits_the_account(org: SourceOrg, wish: dict[str, Any], change: dict[str, Any], field: str) -> None:
    made = org.done("POST", ROOT, wish, 201)
    found = org.refused("PATCH", f"{ROOT}/{made['id']}", change, 422, "invalid")
    assert [problem["field"] for problem in found["errors"]] == [field]
    assert org.done("GET", f"{ROOT}/{made['id']}") == made


@pytest.mark.parametrize("wish", [GOOGLE, AZURE, CLUSTER], ids=["gcp", "azure", "kubernetes"])
def test_what_to_set_up_is_shown_to_who_may_read(org: SourceOrg, wish: dict[str, Any]) -> None:
    made = org.done("POST", ROOT, wish, 201)
    answered = org.call("GET", f"{ROOT}/{made['id']}/trust", role="viewer")
    found = json.loads(answered.get_data())
    assert answered.status_code == 200
    assert (found["provider"], found["external_id"]) == (wish["provider"], made["external_id"])
    assert found["trusted_identity"] is None, "no account of ours is named in this installation"
    assert (made["external_id"] or made["id"]) in found["commands"]
    assert (made["external_id"] or made["id"]) in found["terraform"]


def _google(org: SourceOrg) -> tuple[str, GoogleCloud]:
    made = org.done("POST", ROOT, GOOGLE, 201)
    cloud = GoogleCloud(made["external_id"])
    cloud.connect(org.internet)
    return f"{ROOT}/{made['id']}", cloud


def _azure(org: SourceOrg) -> tuple[str, AzureCloud]:
    made = org.done("POST", ROOT, AZURE, 201)
    cloud = AzureCloud(made["external_id"])
    cloud.connect(org.internet)
    return f"{ROOT}/{made['id']}", cloud


@pytest.mark.parametrize("connect", [_google, _azure], ids=["gcp", "azure"])
def test_an_account_that_grants_everything_is_complete(
    org: SourceOrg, connect: Callable[[SourceOrg], tuple[str, object]]
) -> None:
    place, _ = connect(org)
    found = org.done("POST", f"{place}/verify")
    assert found["gaps"] == []
    assert found["is_complete"] is True
    assert found["missing_permissions"] == []
    assert found["identity"]
    assert org.done("GET", place)["verified_at"] is not None


@pytest.mark.parametrize(
    "permission",
    ["cloudasset.assets.listResource", "cloudasset.assets.listIamPolicy", "logging.logEntries.list", QUOTA],
)
def test_googles_missing_permission_is_named_once(org: SourceOrg, permission: str) -> None:
    place, cloud = _google(org)
    cloud.granted.discard(permission)
    found = org.done("POST", f"{place}/verify")
    assert found["is_complete"] is False
    assert found["missing_permissions"] == [permission]
    assert len(found["gaps"]) == 1
    assert bool(found["gaps"][0]["types"]) == permission.startswith("cloudasset")


@pytest.mark.parametrize("host", ["cloudasset.googleapis.com", "cloudresourcemanager.googleapis.com"])
def test_an_api_that_is_off_is_named(org: SourceOrg, host: str) -> None:
    place, cloud = _google(org)
    cloud.disabled.add(host)
    found = org.done("POST", f"{place}/verify")
    assert {gap["reason"] for gap in found["gaps"]} == {"not_enabled"}
    assert found["missing_permissions"] == []
    assert found["is_complete"] is False


def test_azures_missing_actions_are_named_with_what_they_hide(org: SourceOrg) -> None:
    place, cloud = _azure(org)
    cloud.not_actions = ["Microsoft.Network/virtualNetworks/read", "Microsoft.Authorization/locks/read"]
    found = org.done("POST", f"{place}/verify")
    assert {name.lower() for name in found["missing_permissions"]} == {name.lower() for name in cloud.not_actions}
    hidden = {name for gap in found["gaps"] for name in gap["types"]}
    assert "azurerm_virtual_network" in hidden
    assert found["is_complete"] is False


def test_without_any_role_in_azure_that_is_said(org: SourceOrg) -> None:
    place, cloud = _azure(org)
    cloud.actions = []
    found = org.done("POST", f"{place}/verify")
    assert found["missing_permissions"] == ["Microsoft.Resources/subscriptions/read"]


def test_a_busy_cloud_keeps_nobody_waiting(org: SourceOrg) -> None:
    place, cloud = _azure(org)
    cloud.is_listed = False
    began = org.clock.monotonic_seconds()
    found = org.done("POST", f"{place}/verify")
    assert [gap["reason"] for gap in found["gaps"]] == ["unavailable"]
    assert org.clock.monotonic_seconds() - began <= 20


@pytest.mark.parametrize("connect", [_google, _azure], ids=["gcp", "azure"])
def test_who_is_not_trusted_learns_why(org: SourceOrg, connect: Callable[[SourceOrg], tuple[str, Any]]) -> None:
    place, cloud = connect(org)
    cloud.audience = "dw-of-somebody-else"
    found = org.done("POST", f"{place}/verify")
    assert (found["is_complete"], found["identity"]) == (False, "")
    assert [gap["reason"] for gap in found["gaps"]] == ["access_denied"]
    assert org.done("GET", place)["verified_at"] is None


# --- Clusters: `ScanOrg` has the key that an operator reports with ---------------------------------------------------------


@pytest.fixture
def cluster(database: ClonedDatabase) -> Cluster:
    return Cluster.make(ScanOrg.make(ScanFunction(database)))


def test_a_cluster_of_which_nothing_came_is_not_complete(cluster: Cluster) -> None:
    cluster.done(cluster.part(1, objects=[config_map("a")]))
    found = cluster.org.done("POST", f"{ROOT}/{cluster.account_id}/verify")
    assert (found["is_complete"], found["reported_at"], found["identity"]) == (False, None, "")
    assert "not sent a whole report" in found["gaps"][0]["detail"]
    assert cluster.org.done("GET", f"{ROOT}/{cluster.account_id}")["verified_at"] is None


def test_a_cluster_is_verified_by_what_its_operator_told_last(cluster: Cluster) -> None:
    failure = {"kind": "Secret", "reason": "access_denied", "permission": "list secrets", "detail": "forbidden"}
    body = cluster.part(1, is_last=True, objects=[config_map("a")])
    body["listing"]["failures"] = [failure]
    cluster.done(body)
    found = cluster.org.done("POST", f"{ROOT}/{cluster.account_id}/verify")
    assert found["missing_permissions"] == ["list secrets"]
    assert found["reported_at"] is not None
    assert found["is_complete"] is False
    cluster.report_id = UUID(int=77)
    cluster.done(cluster.part(1, is_last=True, objects=[config_map("a")]))
    assert cluster.org.done("POST", f"{ROOT}/{cluster.account_id}/verify")["is_complete"] is True
    cluster.org.function.clock.sleep_seconds(3601)
    silent = cluster.org.done("POST", f"{ROOT}/{cluster.account_id}/verify")
    assert (silent["is_complete"], silent["missing_permissions"]) == (False, [])
    assert "not been heard of" in silent["gaps"][0]["detail"]
