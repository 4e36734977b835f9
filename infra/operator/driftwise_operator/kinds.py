"""Which kinds are read: how the API names them and where it lists them.

The chart's role is generated from the same table (`python -m driftwise_operator.rights`).
Source: Kubernetes API reference 1.34.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_GROUP = re.compile(r"[a-z0-9.-]{0,253}")
_WORD = re.compile(r"[0-9A-Za-z]{1,63}")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind.

    Attributes:
        kind: e.g. `Deployment`.
        group: API group; empty for core.
        version: of the API.
        plural: name in paths and rights, e.g. `deployments`.
    """

    kind: str
    group: str
    version: str
    plural: str

    @property
    def name(self) -> str:
        """The kind with its API group, e.g. `Deployment.apps`."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def api_version(self) -> str:
        """Group and version, as objects have it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def path(self) -> str:
        """Where all objects of the kind are listed, of every namespace."""
        root = f"/apis/{self.group}" if self.group else "/api"
        return f"{root}/{self.version}/{self.plural}"

    @property
    def right(self) -> str:
        """What is asked of the cluster's access rules, in their words."""
        return f"list {self.plural}.{self.group}" if self.group else f"list {self.plural}"


SECRETS = Kind("Secret", "", "v1", "secrets")
KINDS: tuple[Kind, ...] = (
    Kind("Namespace", "", "v1", "namespaces"),
    Kind("ConfigMap", "", "v1", "configmaps"),
    SECRETS,
    Kind("ServiceAccount", "", "v1", "serviceaccounts"),
    Kind("Service", "", "v1", "services"),
    Kind("PersistentVolume", "", "v1", "persistentvolumes"),
    Kind("PersistentVolumeClaim", "", "v1", "persistentvolumeclaims"),
    Kind("LimitRange", "", "v1", "limitranges"),
    Kind("ResourceQuota", "", "v1", "resourcequotas"),
    Kind("Deployment", "apps", "v1", "deployments"),
    Kind("StatefulSet", "apps", "v1", "statefulsets"),
    Kind("DaemonSet", "apps", "v1", "daemonsets"),
    Kind("Job", "batch", "v1", "jobs"),
    Kind("CronJob", "batch", "v1", "cronjobs"),
    Kind("HorizontalPodAutoscaler", "autoscaling", "v2", "horizontalpodautoscalers"),
    Kind("PodDisruptionBudget", "policy", "v1", "poddisruptionbudgets"),
    Kind("Ingress", "networking.k8s.io", "v1", "ingresses"),
    Kind("IngressClass", "networking.k8s.io", "v1", "ingressclasses"),
    Kind("NetworkPolicy", "networking.k8s.io", "v1", "networkpolicies"),
    Kind("Role", "rbac.authorization.k8s.io", "v1", "roles"),
    Kind("RoleBinding", "rbac.authorization.k8s.io", "v1", "rolebindings"),
    Kind("ClusterRole", "rbac.authorization.k8s.io", "v1", "clusterroles"),
    Kind("ClusterRoleBinding", "rbac.authorization.k8s.io", "v1", "clusterrolebindings"),
    Kind("StorageClass", "storage.k8s.io", "v1", "storageclasses"),
    Kind("PriorityClass", "scheduling.k8s.io", "v1", "priorityclasses"),
)


def kinds_of(without: str, further: str) -> tuple[Kind, ...]:
    """Return the kinds to read.

    Args:
        without: kinds to leave out, by name, separated by commas.
        further: JSON list of `{kind, group, version, plural}`.

    Raises:
        ValueError: a kind is not known, or does not say how it is listed.
    """
    left_out = {name.strip() for name in without.split(",") if name.strip()}
    unknown = left_out - {kind.name for kind in KINDS}
    if unknown:
        raise ValueError(f"there are no kinds {', '.join(sorted(unknown))} to leave out")
    more = [_kind(item) for item in json.loads(further or "[]")]
    found = {kind.name: kind for kind in (*KINDS, *more) if kind.name not in left_out}
    return tuple(found.values())


def _kind(item: Any) -> Kind:
    told = item if isinstance(item, dict) else {}
    found = Kind(*(str(told.get(name, "")) for name in ("kind", "group", "version", "plural")))
    words = (found.kind, found.version, found.plural)
    if not _GROUP.fullmatch(found.group) or not all(_WORD.fullmatch(word) for word in words):
        raise ValueError(
            f"{found.kind or 'a further kind'} does not say how it is listed: `kind`, `group`, `version`, `plural`"
        )
    return found
