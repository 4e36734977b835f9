"""Canonical forms that Kubernetes' values need beside the common ones.

Source: Kubernetes API reference 1.34 (kubernetes.io/docs/reference/kubernetes-api), "Quantity", "Well-Known Labels, Annotations
and Taints"; Terraform Kubernetes provider 2.38, resource documentation.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...domain.manifests import quantity
from ...domain.shapes import Canonical, Shape, default_is, members, string_map, text

# Written by controllers and clients into whatever they work on; nobody declares them.
_MADE_KEYS = frozenset(
    {
        "kubernetes.io/metadata.name",
        "kubectl.kubernetes.io/last-applied-configuration",
        "kubectl.kubernetes.io/restartedAt",
        "deployment.kubernetes.io/revision",
        "deployment.kubernetes.io/max-replicas",
        "deployment.kubernetes.io/desired-replicas",
        "deprecated.daemonset.template.generation",
        "controller-uid",
        "job-name",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-name",
        "batch.kubernetes.io/job-tracking",
        "batch.kubernetes.io/cronjob-scheduled-timestamp",
        "pv.kubernetes.io/bind-completed",
        "pv.kubernetes.io/bound-by-controller",
        "pv.kubernetes.io/provisioned-by",
        "volume.kubernetes.io/provisioner-deletion-secret-name",
        "volume.kubernetes.io/provisioner-deletion-secret-namespace",
        "volume.kubernetes.io/selected-node",
        "volume.kubernetes.io/storage-provisioner",
        "volume.beta.kubernetes.io/storage-provisioner",
        "autoscaling.alpha.kubernetes.io/behavior",
        "autoscaling.alpha.kubernetes.io/conditions",
        "autoscaling.alpha.kubernetes.io/current-metrics",
        "autoscaling.alpha.kubernetes.io/metrics",
        "rbac.authorization.kubernetes.io/autoupdate",
        "kubernetes.io/bootstrapping",
    }
)


def quantity_or_zero(value: object) -> Canonical:
    """A quantity that the API leaves out, or gives as `0`, where there is no limit."""
    return quantity(value) or "0"


def quantities(value: object) -> Canonical:
    """A map of names to quantities; an empty one is null."""
    if not isinstance(value, Mapping) or not value:
        return None
    return {str(name): quantity(item) for name, item in sorted(value.items())}


def labels(value: object) -> Canonical:
    """Labels or annotations, without those that controllers write."""
    if not isinstance(value, Mapping):
        return None
    return string_map({name: item for name, item in value.items() if name not in _MADE_KEYS})


def mode(value: object) -> Canonical:
    """The permissions of a file: a number in the API (420), octal text in the provider (`0644`)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:o}"
    found = text(value)
    return found.lstrip("0") or "0" if isinstance(found, str) else found


def names(value: object) -> Canonical:
    """The names in a map, in one text: what may be told of a secret."""
    if isinstance(value, Mapping):
        value = list(value)
    items = value if isinstance(value, list | tuple) else []
    return ", ".join(sorted(str(item) for item in items)) or None


def headless(value: object) -> Canonical:
    """The address of a service: `None` is declared and means something; any other is given out by the cluster."""
    return "None" if value == "None" else None


def written(value: object) -> Canonical:
    """Text, or a number or flag that the provider keeps as text (ports by number or name, users, replicas)."""
    if isinstance(value, bool):
        return str(value).lower()
    return text(value)


def unless(default: str) -> Shape:
    """Text that means the default when left out."""
    return default_is(default, text)


def kept(shapes: Mapping[str, Shape]) -> Shape:
    """One nested block whose mere presence says something: an empty selector selects everything."""
    one = members(shapes)

    def canonical(value: object) -> Canonical:
        items = value if isinstance(value, list | tuple) else [value]
        if not items or (items[0] is None and not isinstance(value, list | tuple)):
            return None
        found = one(items[0])
        return {
            **(found if isinstance(found, dict) else {name: shape(None) for name, shape in shapes.items()}),
            "present": True,
        }

    return canonical
