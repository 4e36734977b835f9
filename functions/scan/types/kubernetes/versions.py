"""Objects told in an older version of the API, put into the one that is compared; nothing is said of one that cannot be.

A state may declare `batch/v1beta1` or `extensions/v1beta1` what the cluster has long told as `batch/v1` or `networking.k8s.io/v1`. Where the
members are the same the version alone is put right; where they were renamed or nested otherwise, a rule moves them. What a rule does
not know, or what means something else in the newer version, is left as it is: such an object exists, and is not compared. Must not do I/O.
Source: https://kubernetes.io/docs/reference/using-api/deprecation-guide/; Kubernetes API reference 1.15 to 1.34; ADR-0042.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

Item: TypeAlias = Mapping[str, Any]
Conversion: TypeAlias = Callable[[Item], Item | None]

# Kinds that moved to another group: the old name and the one under which they are compared.
_MOVED: Final[Mapping[str, str]] = {
    "DaemonSet.extensions": "DaemonSet.apps",
    "Deployment.extensions": "Deployment.apps",
    "Ingress.extensions": "Ingress.networking.k8s.io",
    "NetworkPolicy.extensions": "NetworkPolicy.networking.k8s.io",
}
_CURRENT: Final[Mapping[str, str]] = {
    "ClusterRole.rbac.authorization.k8s.io": "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding.rbac.authorization.k8s.io": "rbac.authorization.k8s.io/v1",
    "CronJob.batch": "batch/v1",
    "DaemonSet.apps": "apps/v1",
    "Deployment.apps": "apps/v1",
    "HorizontalPodAutoscaler.autoscaling": "autoscaling/v2",
    "Ingress.networking.k8s.io": "networking.k8s.io/v1",
    "IngressClass.networking.k8s.io": "networking.k8s.io/v1",
    "Job.batch": "batch/v1",
    "NetworkPolicy.networking.k8s.io": "networking.k8s.io/v1",
    "PodDisruptionBudget.policy": "policy/v1",
    "PriorityClass.scheduling.k8s.io": "scheduling.k8s.io/v1",
    "Role.rbac.authorization.k8s.io": "rbac.authorization.k8s.io/v1",
    "RoleBinding.rbac.authorization.k8s.io": "rbac.authorization.k8s.io/v1",
    "StatefulSet.apps": "apps/v1",
    "StorageClass.storage.k8s.io": "storage.k8s.io/v1",
}
_UNTOLD_METRICS = ("autoscaling.alpha.kubernetes.io/metrics", "autoscaling.alpha.kubernetes.io/behavior")
_PATH_TYPE = "ImplementationSpecific"  # what a path has that says nothing, in the versions before v1


def moved(kind: str) -> str:
    """Return the name under which a kind is compared: another one when it moved to another group."""
    return _MOVED.get(kind, kind)


def former(kind: str) -> tuple[str, ...]:
    """Return every name that a kind has or had."""
    return (kind, *(old for old, new in _MOVED.items() if new == kind))


def current(document: Item) -> Item | None:
    """Return an object in the version that is compared; None when it is in another one that no rule converts.

    Args:
        document: as declared or reported; of a kind that is in no table it is returned as it is.
    """
    api_version = str(document.get("apiVersion") or "")
    group, _, _ = api_version.rpartition("/")
    kind = f"{document.get('kind')}.{group}" if group else str(document.get("kind"))
    wanted = _CURRENT.get(moved(kind))
    if wanted is None or api_version == wanted:
        return document
    convert = _CONVERSIONS.get((moved(kind), api_version))
    try:
        found = None if convert is None else convert(document)
    except (TypeError, ValueError, AttributeError):
        return None
    return None if found is None else {**found, "apiVersion": wanted}


def scaler_of(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Write what a state of version 1 says of processor time as the metric that it is."""
    return _in_spec(attributes, _block_of_target)


def ingress_of(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Write the backends of a state of `kubernetes_ingress`, which has the members of v1beta1, as v1 has them."""
    return _in_spec(attributes, _ingress_block)


def _same(document: Item) -> Item:
    return document


def _unless_told(*path: str) -> Conversion:
    """Make a conversion for members that are the same but for one that went away; what has it is not converted."""

    def convert(document: Item) -> Item | None:
        found: Any = document
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return None if found is not None else document

    return convert


def _budget(document: Item) -> Item | None:
    """An empty selector selects nothing in v1beta1 and everything in v1."""
    spec = document.get("spec") or {}
    selector = spec.get("selector")
    return None if isinstance(selector, Mapping) and not any(selector.values()) else document


def _scaler_1(document: Item) -> Item | None:
    """Version 1 knows a target of processor time; what else there is stands in annotations, as text."""
    annotations = (document.get("metadata") or {}).get("annotations") or {}
    if any(name in annotations for name in _UNTOLD_METRICS):
        return None
    spec = dict(document.get("spec") or {})
    target = spec.pop("targetCPUUtilizationPercentage", None)
    if target:
        spec["metrics"] = [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": target}},
            }
        ]
    return {**document, "spec": spec}


def _scaler_2beta1(document: Item) -> Item | None:
    """Version 2beta1 has the targets of a metric beside it; only metrics of resources are converted."""
    spec = dict(document.get("spec") or {})
    metrics = spec.get("metrics") or []
    if not all(isinstance(item, Mapping) and item.get("type") == "Resource" for item in metrics):
        return None
    if metrics:
        spec["metrics"] = [{"type": "Resource", "resource": _resource(item["resource"])} for item in metrics]
    return {**document, "spec": spec}


def _resource(item: Item) -> Item:
    name, percentage, value = (item.get(key) for key in ("name", "targetAverageUtilization", "targetAverageValue"))
    if (percentage is None) == (value is None):
        raise ValueError("a metric has one target")
    if percentage is not None:
        return {"name": name, "target": {"type": "Utilization", "averageUtilization": percentage}}
    return {"name": name, "target": {"type": "AverageValue", "averageValue": value}}


def _ingress(document: Item) -> Item:
    spec = dict(document.get("spec") or {})
    if "backend" in spec:
        spec["defaultBackend"] = _backend(spec.pop("backend"))
    if isinstance(spec.get("rules"), list):
        spec["rules"] = [_rule(rule) for rule in spec["rules"]]
    return {**document, "spec": spec}


def _rule(rule: Item) -> Item:
    http = rule.get("http")
    if not http:
        return rule
    paths = [
        {"pathType": _PATH_TYPE, **path, "backend": _backend(path.get("backend"))} for path in http.get("paths") or []
    ]
    return {**rule, "http": {**http, "paths": paths}}


def _backend(backend: Item | None) -> Item | None:
    if not backend:
        return backend
    rest = {name: item for name, item in backend.items() if name not in {"serviceName", "servicePort"}}
    if "serviceName" not in backend:
        return rest
    port = backend.get("servicePort")
    is_number = isinstance(port, int) or (isinstance(port, str) and port.isdecimal())
    told = {} if port is None else {"port": {"number": int(port)} if is_number else {"name": port}}
    return {**rest, "service": {"name": backend["serviceName"], **told}}


def _in_spec(attributes: Mapping[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> Mapping[str, Any]:
    held = attributes.get("spec")
    if not isinstance(held, list) or not held or not isinstance(held[0], Mapping):
        return attributes
    return {**attributes, "spec": [change(dict(held[0])), *held[1:]]}


def _block_of_target(spec: dict[str, Any]) -> dict[str, Any]:
    target = spec.pop("target_cpu_utilization_percentage", None)
    if target and not spec.get("metric"):
        inside = [{"type": "Utilization", "average_utilization": target}]
        spec["metric"] = [{"type": "Resource", "resource": [{"name": "cpu", "target": inside}]}]
    return spec


def _ingress_block(spec: dict[str, Any]) -> dict[str, Any]:
    if "backend" in spec:
        spec["default_backend"] = _backend_blocks(spec.pop("backend"))
    if isinstance(spec.get("rule"), list):
        spec["rule"] = [
            {**rule, "http": [_http_block(http) for http in rule.get("http") or []]} for rule in spec["rule"]
        ]
    return spec


def _http_block(http: Item) -> Item:
    paths = [
        {"path_type": _PATH_TYPE, **path, "backend": _backend_blocks(path.get("backend"))}
        for path in http.get("path") or []
    ]
    return {**http, "path": paths}


def _backend_blocks(blocks: Any) -> list[Item]:
    return [_backend_block(block) for block in blocks or []]


def _backend_block(block: Item) -> Item:
    if "service_name" not in block:
        return block
    port = str(block.get("service_port") or "")
    told = {"number": int(port)} if port.isdecimal() else {"name": port}
    return {"service": [{"name": block["service_name"], "port": [told] if port else []}]}


_CONVERSIONS: Final[Mapping[tuple[str, str], Conversion]] = {
    **{
        (f"{kind}.rbac.authorization.k8s.io", "rbac.authorization.k8s.io/v1beta1"): _same
        for kind in ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
    },
    **{
        ("Deployment.apps", api_version): _unless_told("spec", "rollbackTo")
        for api_version in ("extensions/v1beta1", "apps/v1beta1", "apps/v1beta2")
    },
    **{("DaemonSet.apps", api_version): _unless_told("spec", "templateGeneration") for api_version in ("extensions/v1beta1", "apps/v1beta2")},
    **{("StatefulSet.apps", api_version): _same for api_version in ("apps/v1beta1", "apps/v1beta2")},
    **{("Ingress.networking.k8s.io", api_version): _ingress for api_version in ("extensions/v1beta1", "networking.k8s.io/v1beta1")},
    **{("PriorityClass.scheduling.k8s.io", f"scheduling.k8s.io/{version}"): _same for version in ("v1alpha1", "v1beta1")},
    ("CronJob.batch", "batch/v1beta1"): _same,
    ("CronJob.batch", "batch/v2alpha1"): _same,
    ("HorizontalPodAutoscaler.autoscaling", "autoscaling/v1"): _scaler_1,
    ("HorizontalPodAutoscaler.autoscaling", "autoscaling/v2beta1"): _scaler_2beta1,
    ("HorizontalPodAutoscaler.autoscaling", "autoscaling/v2beta2"): _same,
    ("IngressClass.networking.k8s.io", "networking.k8s.io/v1beta1"): _same,
    ("NetworkPolicy.networking.k8s.io", "extensions/v1beta1"): _same,
    ("PodDisruptionBudget.policy", "policy/v1beta1"): _budget,
    ("StorageClass.storage.k8s.io", "storage.k8s.io/v1beta1"): _same,
}  # fmt: skip
