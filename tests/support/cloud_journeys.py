"""What happens in a customer's project, subscription or cluster while a running suite scans it: what was applied, what somebody does.

Owns both sides of each journey: what is put into the stand-in and what must be told about it. The tests say in which order.
"""

from __future__ import annotations

import copy
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from . import azure_account, google_assets, kubernetes_objects
from .cloud_scene import state_of
from .kubernetes_api import ApiServer
from .operator_process import operating, settings_of
from .scanning import Estate, Org
from .waiting import wait_until

Found = tuple[str, str, str]
_ADDRESS = "203.0.113.9"
WHO = "eve@example.com"


@dataclass
class Told:
    """What must be told about one finding.

    Attributes:
        actor: who did it; None where the cloud does not tell.
        import_id: of what is unmanaged; None where no import block is given.
    """

    actor: str | None = WHO
    import_id: str | None = None


@dataclass
class Journey(ABC):
    """One account.

    Attributes:
        estate: the running suite.
        permission: what is taken away at first.
        org: whose account it is, and `account` its id, once it is connected.
    """

    estate: Estate
    permission: ClassVar[str]
    org: Org = field(init=False)
    account: str = field(init=False)

    @abstractmethod
    def wish(self) -> dict[str, Any]:
        """Return how the account is connected."""

    @abstractmethod
    def state(self) -> bytes:
        """Return the state of what was applied."""

    @abstractmethod
    def deny(self) -> None:
        """Put in place what was applied, for somebody whose permission is missing."""

    @abstractmethod
    def allow(self) -> None:
        """Give the permission."""

    @abstractmethod
    def plant(self) -> dict[Found, Told]:
        """Change, delete and make something behind Terraform's back; returns what must be found."""

    @abstractmethod
    def heal(self) -> set[Found]:
        """Put the change right; returns what must be gone."""


def stand_in(estate: Estate, cloud: str, **document: Any) -> None:
    """Put other things into a stand-in."""
    url = estate.described["customers"][cloud]
    httpx.post(f"{url}/_seed", json=document, timeout=30, trust_env=False).raise_for_status()


# Google Cloud


@cache
def _key_file() -> str:
    """Make the key file of a service account, as the console gives it."""
    key = generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return json.dumps({
        "type": "service_account", "client_email": "reader@shop-prod.iam.gserviceaccount.com", "private_key_id": "1",
        "private_key": pem, "token_uri": "https://oauth2.googleapis.com/token",
    })  # fmt: skip


@dataclass
class GoogleJourney(Journey):
    """A project with everything that a mapping covers."""

    permission: ClassVar[str] = "cloudasset.assets.listIamPolicy"
    assets: list[dict[str, Any]] = field(
        default_factory=lambda: [copy.deepcopy(dict(one.asset)) for one in google_assets.examples()]
    )
    entries: list[dict[str, Any]] = field(default_factory=list)

    def wish(self) -> dict[str, Any]:
        auth = {"kind": "service_account_key", "key_json": _key_file()}
        name = f"projects/{google_assets.PROJECT}"
        return {"provider": "gcp", "name": "Shop", "external_account": name, "auth": auth}

    def state(self) -> bytes:
        return state_of((one.type, one.state) for one in google_assets.examples())

    def deny(self) -> None:
        held = ["cloudasset.assets.listResource", "logging.logEntries.list", "serviceusage.services.use"]
        stand_in(self.estate, "google", assets=self.assets, policies=[], entries=[], permissions=held)

    def allow(self) -> None:
        stand_in(self.estate, "google", permissions=None)

    def plant(self) -> dict[Found, Told]:
        firewall, gone = (
            self._named("compute.googleapis.com/Firewall"),
            self._named("pubsub.googleapis.com/Subscription"),
        )
        bucket = self._named("storage.googleapis.com/Bucket")
        firewall["resource"]["data"]["sourceRanges"] = ["0.0.0.0/0"]
        stray = f"projects/{google_assets.PROJECT}/topics/stray"
        topic = {
            "assetType": "pubsub.googleapis.com/Topic",
            "name": f"//pubsub.googleapis.com/{stray}",
            "data": {"name": stray},
        }
        self.assets = [*(one for one in self.assets if one is not gone), google_assets.wrapped(topic)]
        role, held_by = "roles/storage.objectViewer", "allUsers"
        grant = google_assets.policy(bucket["name"], bucket["assetType"], [{"role": role, "members": [held_by]}])
        delta = {"bindingDeltas": [{"action": "ADD", "role": role, "member": held_by}]}
        bucket_path = f"projects/_/buckets/{bucket['name'].rpartition('/')[2]}"
        self.entries = [
            _entry("compute", _path(firewall), "v1.compute.firewalls.patch", request={"sourceRanges": ["0.0.0.0/0"]}),
            _entry("pubsub", _path(gone), "google.pubsub.v1.Subscriber.DeleteSubscription"),
            _entry("pubsub", stray, "google.pubsub.v1.Publisher.CreateTopic"),
            _entry("storage", bucket_path, "storage.setIamPermissions", serviceData={"policyDelta": delta}),
        ]
        stand_in(self.estate, "google", assets=self.assets, policies=[grant], entries=self.entries)
        grant_id = f"b/{bucket['name'].rpartition('/')[2]} {role} {held_by}"
        return {
            ("changed", "google_compute_firewall", "source_ranges"): Told(),
            ("missing", "google_pubsub_subscription", gone["name"]): Told(),
            ("unmanaged", "google_pubsub_topic", topic["name"]): Told(import_id=stray),
            ("unmanaged", "google_storage_bucket_iam_member", f"{bucket['name']}|{role}||{held_by}"): Told(
                import_id=grant_id
            ),
        }

    def heal(self) -> set[Found]:
        applied = next(one for one in google_assets.examples() if one.type == "google_compute_firewall")
        self._named("compute.googleapis.com/Firewall").update(copy.deepcopy(dict(applied.asset)))
        stand_in(self.estate, "google", assets=self.assets)
        return {("changed", "google_compute_firewall", "source_ranges")}

    def _named(self, kind: str) -> dict[str, Any]:
        return next(one for one in self.assets if one["assetType"] == kind)


def _path(asset: Mapping[str, Any]) -> str:
    return str(asset["name"]).removeprefix("//").partition("/")[2]


def _entry(service: str, name: str, method: str, **payload: Any) -> dict[str, Any]:
    """Write an entry of the log of admin activity.

    Source: https://cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog
    """
    return {
        "logName": f"projects/{google_assets.PROJECT}/logs/cloudaudit.googleapis.com%2Factivity",
        "insertId": method,
        "timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "authenticationInfo": {"principalEmail": WHO},
            "requestMetadata": {"callerIp": _ADDRESS, "callerSuppliedUserAgent": "google-cloud-sdk gcloud/500"},
            "serviceName": f"{service}.googleapis.com",
            "methodName": method,
            "resourceName": name,
            **payload,
        },
    }


# Azure

_GROUP = f"/subscriptions/{azure_account.SUBSCRIPTION}/resourceGroups/rg-app/providers"
_NSG = f"{_GROUP}/Microsoft.Network/networkSecurityGroups/nsg"
_STRAY: Mapping[str, Any] = {
    "id": f"{_GROUP}/Microsoft.Network/publicIPAddresses/Stray", "name": "Stray", "type": "microsoft.network/publicipaddresses",
    "location": "westeurope", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}, "tags": {},
}  # fmt: skip


@cache
def _azure_estates() -> tuple[azure_account.Estate, ...]:
    """Return the fixtures that lie in one subscription."""
    names = (name for name in azure_account.names() if not name.startswith("documented_"))
    return tuple(azure_account.load(name) for name in names)


@dataclass
class AzureJourney(Journey):
    """A subscription with everything that a mapping covers."""

    permission: ClassVar[str] = "Microsoft.Network/networkSecurityGroups/read"
    rows: list[dict[str, Any]] = field(
        default_factory=lambda: [copy.deepcopy(row) for one in _azure_estates() for row in one.rows]
    )

    def wish(self) -> dict[str, Any]:
        auth = {
            "kind": "client_secret", "tenant_id": "11111111-0000-0000-0000-000000000001",
            "client_id": "11111111-0000-0000-0000-000000000002", "client_secret": "the-secret-of-the-app",
        }  # fmt: skip
        return {"provider": "azure", "name": "Shop", "external_account": azure_account.SUBSCRIPTION, "auth": auth}

    def state(self) -> bytes:
        return state_of((one["type"], one["attributes"]) for estate in _azure_estates() for one in estate.states)

    def deny(self) -> None:
        lists: dict[str, list[Any]] = {}
        for estate in _azure_estates():
            for path, items in estate.lists.items():
                lists.setdefault(path, []).extend(items)
        held = [{"actions": ["*/read"], "notActions": [self.permission]}]
        stand_in(self.estate, "azure", rows=self.rows, changes=[], lists=lists, permissions=held)

    def allow(self) -> None:
        stand_in(self.estate, "azure", permissions=[{"actions": ["*/read"], "notActions": []}])

    def plant(self) -> dict[Found, Told]:
        group = next(row for row in self.rows if row["id"] == _NSG)
        gone = next(row for row in self.rows if row["type"] == "microsoft.network/publicipprefixes")
        group["tags"] = {"team": "intruders"}
        self.rows = [*(row for row in self.rows if row is not gone), dict(_STRAY)]
        changes = [
            _change(group, "Update", {"tags.team": {"previousValue": None, "newValue": "intruders"}}),
            _change(gone, "Delete"),
            _change(_STRAY, "Create"),
        ]
        stand_in(self.estate, "azure", rows=self.rows, changes=changes)
        return {
            ("changed", "azurerm_network_security_group", "tags.team"): Told(),
            ("missing", "azurerm_public_ip_prefix", gone["id"].lower()): Told(),
            ("unmanaged", "azurerm_public_ip", _STRAY["id"].lower()): Told(import_id=_STRAY["id"]),
        }

    def heal(self) -> set[Found]:
        next(row for row in self.rows if row["id"] == _NSG)["tags"] = {}
        stand_in(self.estate, "azure", rows=self.rows)
        return {("changed", "azurerm_network_security_group", "tags.team")}


def _change(row: Mapping[str, Any], kind: str, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Write a record of what happened to a resource.

    Source: https://learn.microsoft.com/azure/governance/resource-graph/changes/get-resource-changes
    """
    target = row["id"]
    return {
        "id": f"{target}/providers/Microsoft.Resources/changes/{kind}",
        "type": "microsoft.resources/changes",
        "properties": {
            "targetResourceId": target,
            "targetResourceType": row["type"],
            "changeType": kind,
            "changeAttributes": {
                "timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}", "changedBy": WHO, "changedByType": "User",
                "clientType": "Azure Portal", "operation": f"{row['type']}/write", "changesCount": len(changes or {}),
            },
            "changes": dict(changes or {}),
        },
    }  # fmt: skip


# Kubernetes

_SECRETS = "/api/v1/secrets"
_UNREAD = (
    "HelmRelease",
    "CronTab",
)  # what Helm records is a secret of its own form, and the cluster has no such kind of its own


@dataclass
class ClusterJourney(Journey):
    """A cluster whose operator really works: it lists and watches a recorded API server, and signs what it sends to the suite."""

    permission: ClassVar[str] = "list secrets"
    folder: Path = field(default_factory=Path)
    stack: ExitStack = field(default_factory=ExitStack)
    api: ApiServer = field(default_factory=ApiServer)

    def wish(self) -> dict[str, Any]:
        return {"provider": "kubernetes", "name": "Shop", "external_account": "shop-live"}

    def state(self) -> bytes:
        return state_of((item.type, item.state) for item in _in_cluster())

    def deny(self) -> None:
        """Let an operator report that may not list secrets, and end it."""
        self.stack.enter_context(self.api.serve())
        for item in _in_cluster():
            self.api.put(copy.deepcopy(dict(item.live)))
        self.api.faults[_SECRETS].append((403, {}))
        with self._operator():
            self._wait_for_reports(1)

    def allow(self) -> None:
        """Let another operator report, which stays."""
        self.stack.enter_context(self._operator())
        self._wait_for_reports(2)

    def plant(self) -> dict[Found, Told]:
        settings, cap = _live("kubernetes_config_map"), _live("kubernetes_resource_quota")
        self.api.put({**settings, "data": {**settings["data"], "api_host": "elsewhere:443"}})
        self.api.put({**settings, "metadata": {"name": "stray", "namespace": "shop"}})
        self.api.delete(cap)
        names = {"ConfigMap shop/stray": True, "ResourceQuota shop/cap": False}
        wait_until(lambda: all((name in self._names()) is held for name, held in names.items()), "the operator told it")
        nobody = Told(actor=None)
        return {
            ("changed", "kubernetes_config_map_v1", "data.api_host"): nobody,
            ("missing", "kubernetes_resource_quota_v1", "shop/cap"): nobody,
            ("unmanaged", "kubernetes_config_map_v1", "shop/stray"): Told(None, "shop/stray"),
        }

    def heal(self) -> set[Found]:
        settings = _live("kubernetes_config_map")
        self.api.put(settings)
        self.api.delete({**settings, "metadata": {"name": "stray", "namespace": "shop"}})
        wait_until(lambda: "ConfigMap shop/stray" not in self._names(), "the operator told it")
        return {
            ("changed", "kubernetes_config_map_v1", "data.api_host"),
            ("unmanaged", "kubernetes_config_map_v1", "shop/stray"),
        }

    @contextmanager
    def _operator(self) -> Iterator[None]:
        key = self.org.send("POST", "/api-keys", json={"name": "operator", "scopes": ["report"]})["raw_key"]
        settings = settings_of(self.folder, self.estate.suite.url, self.api.url, account_id=self.account)
        settings.api_key_file.write_text(key + "\n", "utf-8")
        with operating(settings) as running:
            wait_until(lambda: running.health.is_whole, "the operator's whole report was taken", timeout_seconds=60)
            yield

    def _wait_for_reports(self, number: int) -> None:
        """Wait until so many reports were scanned: each whole one starts a scan by itself."""

        def are_scanned() -> bool:
            scans = self.org.send("GET", "/scans")["items"]
            done = [scan for scan in scans if scan["account_id"] == self.account and scan["status"] == "done"]
            return len(done) >= number

        wait_until(are_scanned, f"{number} reports were scanned", timeout_seconds=60)

    def _names(self) -> set[str]:
        statement = (
            "select kind || ' ' || key from scan.cluster_objects where org_id = :org_id and account_id = :account"
        )
        return {row[0] for row in self.org.arrange(statement, account=self.account)}


def _in_cluster() -> list[kubernetes_objects.Fixture]:
    return [item for item in kubernetes_objects.fixtures() if item.live["kind"] not in _UNREAD]


def _live(kind: str) -> dict[str, Any]:
    return copy.deepcopy(dict(kubernetes_objects.fixture(kind).live))


MAKE: Mapping[str, Callable[[Estate, Path], Journey]] = {
    "google": lambda estate, _folder: GoogleJourney(estate),
    "azure": lambda estate, _folder: AzureJourney(estate),
    "kubernetes": lambda estate, folder: ClusterJourney(estate, folder=folder),
}
