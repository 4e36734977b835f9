"""Canonical forms that Kubernetes' values need beside the common ones.

Source: Kubernetes API reference 1.34 (kubernetes.io/docs/reference/kubernetes-api), "Quantity", "Well-Known Labels, Annotations
and Taints"; Terraform Kubernetes provider 2.38, resource documentation.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...domain.manifests import quantity
from ...domain.shapes import Canonical, Shape, boolean, default_is, members, set_of, string_map, text

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
        "kubernetes.io/service-account.uid",
        "kubernetes.io/legacy-token-last-used",
        "kubernetes.io/legacy-token-invalid-since",
        "pv.kubernetes.io/migrated-to",
        "volume.kubernetes.io/storage-resizer",
        "volume.beta.kubernetes.io/storage-resizer",
        "control-plane.alpha.kubernetes.io/leader",
        # of the clouds' and distributions' own controllers
        "cloud.google.com/neg-status",
        "ingress.kubernetes.io/backends",
        "ingress.kubernetes.io/forwarding-rule",
        "ingress.kubernetes.io/https-forwarding-rule",
        "ingress.kubernetes.io/https-target-proxy",
        "ingress.kubernetes.io/ssl-cert",
        "ingress.kubernetes.io/static-ip",
        "ingress.kubernetes.io/target-proxy",
        "ingress.kubernetes.io/url-map",
        "autopilot.gke.io/resource-adjustment",
        "autopilot.gke.io/warden-version",
        "openshift.io/sa.scc.mcs",
        "openshift.io/sa.scc.supplemental-groups",
        "openshift.io/sa.scc.uid-range",
        "openshift.io/internal-registry-pull-secret-ref",
        "cattle.io/status",
        "cattle.io/timestamp",
        "field.cattle.io/publicEndpoints",
        "lifecycle.cattle.io/create.namespace-auth",
    }
)

_OWN_TAINTS = frozenset(
    f"node.kubernetes.io/{name}"
    for name in (
        "not-ready", "unreachable", "unschedulable", "memory-pressure", "disk-pressure", "network-unavailable", "pid-pressure",
    )
)  # fmt: skip


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


def on(value: object) -> Canonical:
    """A flag that is on when it is left out."""
    return value is None or boolean(value)


def block(shapes: Mapping[str, Shape]) -> Shape:
    """One nested block; one that says nothing but what holds without it is null."""
    one = members(shapes)
    nothing = one({})

    def canonical(value: object) -> Canonical:
        items = value if isinstance(value, list | tuple) else [value]
        found = one(items[0]) if items else None
        return None if found == nothing else found

    return canonical


def in_any_order(shape: Shape) -> Shape:
    """A list whose order says nothing; of a list of one, what differs within it is told by its own path."""
    several = set_of(shape)

    def canonical(value: object) -> Canonical:
        found = several(value)
        return list(found) if isinstance(found, tuple) and len(found) == 1 else found

    return canonical


def tolerations(shape: Shape) -> Shape:
    """Taints that are tolerated, in any order, without those of Kubernetes' own, which the provider never keeps.

    Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
    """
    others = in_any_order(shape)

    def canonical(value: object) -> Canonical:
        items = value if isinstance(value, list | tuple) else []
        return others([item for item in items if not isinstance(item, Mapping) or item.get("key") not in _OWN_TAINTS])

    return canonical


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
