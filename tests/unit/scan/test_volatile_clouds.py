"""What changes by itself in documents of Google Cloud and Azure is folded; what somebody decided next to it is not."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from functions.scan.domain.baseline import document_changes
from functions.scan.domain.documents import canonical_document
from functions.scan.domain.sealing import Sealer
from shared.ports.secret_store import Secret

SEAL = Sealer([(1, Secret(b"k" * 32))], UUID(int=1))
GOOGLE, RUN, AZURE, AWS = (
    "google_compute_instance",
    "google_cloud_run_v2_service",
    "azurerm_maps_account",
    "aws_maps_thing",
)

LAWS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any], list[str]]] = [
    (GOOGLE, {"fingerprint": "a"}, {"fingerprint": "b"}, {"sha1Fingerprint": "a"}, {"sha1Fingerprint": "b"}, ["sha1Fingerprint"]),
    (GOOGLE, {"metageneration": "1"}, {"metageneration": "2"}, {"generationLimit": 1}, {"generationLimit": 2}, ["generationLimit"]),
    (GOOGLE, {"status": "RUNNING"}, {"status": "TERMINATED"}, {"state": "ENABLED"}, {"state": "DISABLED"}, ["state"]),
    (GOOGLE, {"status": {"isStable": True}}, {"status": {"isStable": False}}, {"state": "PAUSED"}, {"state": "ENABLED"}, ["state"]),
    (GOOGLE, {"currentMasterVersion": "1.30.1"}, {"currentMasterVersion": "1.30.2"},
     {"initialClusterVersion": "1.30.1"}, {"initialClusterVersion": "1.31.0"}, ["initialClusterVersion"]),
    (GOOGLE, {"numBytes": "1", "numLongTermBytes": "1"}, {"numBytes": "9", "numLongTermBytes": "2"},
     {"numNodes": 1}, {"numNodes": 2}, ["numNodes"]),
    (GOOGLE, {"users": ["vm-1"]}, {"users": ["vm-2"]}, {"userLabels": {"users": "a"}}, {"userLabels": {"users": "b"}}, ["userLabels.users"]),
    (RUN, {"metadata": {"generation": 1, "resourceVersion": "a"}}, {"metadata": {"generation": 2, "resourceVersion": "b"}},
     {"metadata": {"annotations": {"ingress": "all"}}}, {"metadata": {"annotations": {"ingress": "internal"}}}, ["metadata.annotations.ingress"]),
    (GOOGLE, {"labels": {}}, {}, {"metadata": {"generation": "1"}}, {"metadata": {"generation": "2"}}, ["metadata.generation"]),
    (AZURE, {"properties": {"provisioningState": "Succeeded"}}, {"properties": {"provisioningState": "Updating"}},
     {"properties": {"publicNetworkAccess": "Enabled"}}, {"properties": {"publicNetworkAccess": "Disabled"}}, ["properties.publicNetworkAccess"]),
    (AZURE, {"etag": "a", "properties": {"lastModified": "2026-01-01T00:00:00Z"}}, {"etag": "b", "properties": {"lastModified": "2026-02-01T00:00:00Z"}},
     {"properties": {"validUntil": "2026-01-01"}}, {"properties": {"validUntil": "2026-02-01"}}, ["properties.validUntil"]),
    (AZURE, {"properties": {"state": "Running"}}, {"properties": {"state": "Starting"}},
     {"properties": {"state": "Enabled"}}, {"properties": {"state": "Disabled"}}, ["properties.state"]),
    (AZURE, {"tags": {}}, {}, {"tags": {"etag": "a"}}, {"tags": {"etag": "b"}}, ["tags.etag"]),
]  # fmt: skip


def _paths(kind: str, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    one, other = (canonical_document(kind, item, hidden=frozenset(), seal=SEAL) for item in (before, after))
    return sorted(change.path for change in document_changes(one, other))


@pytest.mark.parametrize(("kind", "early", "late", "was", "now", "paths"), LAWS)
def test_what_moves_by_itself_is_folded_and_what_somebody_did_is_told(
    kind: str, early: dict[str, Any], late: dict[str, Any], was: dict[str, Any], now: dict[str, Any], paths: list[str]
) -> None:
    assert _paths(kind, early, late) == []
    assert _paths(kind, was, now) == paths


def test_nothing_of_it_holds_for_aws() -> None:
    assert _paths(AWS, {"fingerprint": "a"}, {"fingerprint": "b"}) == ["fingerprint"]
    before, after = {"properties": {"lastModified": "2026-01-01"}}, {"properties": {"lastModified": "2026-02-01"}}
    assert _paths(AWS, before, after) == ["properties.lastModified"]
