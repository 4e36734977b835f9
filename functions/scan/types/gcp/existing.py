"""What Google Cloud has and no mapping covers: what people call it, where a state would have it, whether anybody would declare it.

Source: https://docs.cloud.google.com/asset-inventory/docs/asset-types; service documentation of each default that is named here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_HOST = re.compile(r"//[^/]+/")
_NAME = re.compile(r"[^a-z0-9]+")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# What runs inside of a cluster is declared by other providers than Google's.
_CLUSTERS = re.compile(r"(?:[a-z0-9.-]+\.)?(?:k8s\.io|gke\.io|istio\.io|x-k8s\.io)/")
# Parts of other things, versions, or traces of a run: nobody writes them into a configuration.
_PARTS = frozenset({
    "aiplatform.googleapis.com/BatchPredictionJob", "aiplatform.googleapis.com/CustomJob", "aiplatform.googleapis.com/ModelEvaluation",
    "aiplatform.googleapis.com/PipelineJob", "aiplatform.googleapis.com/TrainingPipeline", "appengine.googleapis.com/Version",
    "artifactregistry.googleapis.com/DockerImage", "cloudbilling.googleapis.com/ProjectBillingInfo",
    "cloudbuild.googleapis.com/Build", "clouddeploy.googleapis.com/Release", "clouddeploy.googleapis.com/Rollout",
    "cloudkms.googleapis.com/CryptoKeyVersion", "cloudkms.googleapis.com/ImportJob",
    "cloudresourcemanager.googleapis.com/Organization", "cloudresourcemanager.googleapis.com/TagBinding",
    "compute.googleapis.com/InstanceSettings", "compute.googleapis.com/Project", "compute.googleapis.com/Route",
    "compute.googleapis.com/TargetVpnTunnel", "containerregistry.googleapis.com/Image", "dataflow.googleapis.com/Job",
    "dataplex.googleapis.com/Task", "dataproc.googleapis.com/Batch", "dataproc.googleapis.com/Job", "dataproc.googleapis.com/Session",
    "file.googleapis.com/Snapshot", "iam.googleapis.com/ServiceAccountKey", "ids.googleapis.com/Threat",
    "monitoring.googleapis.com/Snooze", "osconfig.googleapis.com/OSPolicyAssignmentReport", "osconfig.googleapis.com/PatchJob",
    "osconfig.googleapis.com/VulnerabilityReport", "pubsub.googleapis.com/Snapshot", "run.googleapis.com/Execution",
    "run.googleapis.com/Revision", "secretmanager.googleapis.com/SecretVersion", "serviceusage.googleapis.com/Service",
    "spanner.googleapis.com/Backup", "sqladmin.googleapis.com/BackupRun", "transcoder.googleapis.com/Job",
    "vmmigration.googleapis.com/ReplicationCycle",
})  # fmt: skip
# Things that Google makes in every project, by asset type and the end of their name.
_MADE = (
    ("logging.googleapis.com/LogBucket", "/buckets/_Default"),
    ("logging.googleapis.com/LogBucket", "/buckets/_Required"),
    ("logging.googleapis.com/LogSink", "/sinks/_Default"),
    ("logging.googleapis.com/LogSink", "/sinks/_Required"),
    ("networkconnectivity.googleapis.com/ServiceConnectionPolicy", "/default"),
    ("appengine.googleapis.com/Service", "/services/default"),
)
_MADE_LABELS = frozenset({
    "goog-composer-environment", "goog-dataflow-job-id", "goog-dataproc-cluster-name", "goog-gke-node", "goog-gke-volume",
    "goog-k8s-cluster-name",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Further:
    """One thing that no mapping covers.

    Attributes:
        path: what its id in a state would be.
        type: a name in the manner of Terraform's, which need not be the provider's own.
        is_told: it is reported when no state declares it.
    """

    path: str
    type: str
    is_told: bool


def further_of(kind: str, name: str, labels: Mapping[str, str]) -> Further:
    """Tell what an asset is.

    Args:
        kind: asset type, e.g. `redis.googleapis.com/Instance`.
        name: full resource name.
        labels: its labels.
    """
    host, _, word = kind.partition("/")
    service = host.removesuffix(".googleapis.com")
    spelled = _NAME.sub("_", f"{service}_{_WORD.sub('_', word)}".lower()).strip("_")
    is_made = any(kind == one and name.endswith(end) for one, end in _MADE) or not _MADE_LABELS.isdisjoint(labels)
    is_told = not is_made and kind not in _PARTS and not _CLUSTERS.match(kind)
    return Further(_HOST.sub("", name, count=1), f"google_{spelled}"[:200], is_told)
