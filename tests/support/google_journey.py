"""A project of Google Cloud with everything that a mapping covers, and what somebody does in it."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from . import google_assets
from .cloud_journeys import WHO, Found, Journey, Told, stand_in
from .cloud_scene import state_of


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
            "requestMetadata": {"callerIp": "203.0.113.9", "callerSuppliedUserAgent": "google-cloud-sdk gcloud/500"},
            "serviceName": f"{service}.googleapis.com",
            "methodName": method,
            "resourceName": name,
            **payload,
        },
    }
