"""What workloads use: configuration, network, storage, access, and the bounds of namespaces.

Source: Kubernetes API reference 1.34; Terraform Kubernetes provider 2.38, resource documentation of each type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...domain.resources import Attributes
from .forms import headless, names, on, unless
from .mapping import UNREAD, KubernetesType, member
from .versions import ingress_of

_NAMESPACES = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
_TOKENS = frozenset({"kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token", "helm.sh/release.v1"})
_BOOTSTRAPPED = ("kubernetes.io/bootstrapping", "rbac-defaults")


def _is_named(*wanted: str) -> Any:
    return lambda data: member(data, "metadata", "name") in wanted


def _is_bootstrapped(data: Mapping[str, Any]) -> bool:
    """Tell the roles that the API server makes, and puts right at each start.

    Both the label and the reserved prefix are asked for, but for the four that people are given.
    Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings
    """
    label, value = _BOOTSTRAPPED
    name = str(member(data, "metadata", "name") or "")
    is_reserved = name.startswith("system:") or name in {"cluster-admin", "admin", "edit", "view"}
    return is_reserved and member(data, "metadata", "labels", label) == value


def _rules(data: Mapping[str, Any]) -> object:
    """Rules that come from other roles are theirs."""
    return UNREAD if data.get("aggregationRule") else data.get("rules")


def _node_ports(data: Mapping[str, Any]) -> object:
    """The provider says true of every service; the API has the member for load balancers alone, and fills it in there."""
    is_balancer = member(data, "spec", "type") == "LoadBalancer"
    return member(data, "spec", "allocateLoadBalancerNodePorts") if is_balancer else UNREAD


def _secrets_of_account(name: str) -> Any:
    """Read secrets of a service account without those that the cluster itself makes for it and names after it.

    Source: https://kubernetes.io/docs/concepts/security/service-accounts/; "<account>-token-<five letters>" before version
    1.24, "<account>-dockercfg-<five letters>" on OpenShift.
    """

    def reading(data: Mapping[str, Any]) -> object:
        account = re.escape(str(member(data, "metadata", "name") or ""))
        made = re.compile(rf"{account}-(?:token|dockercfg)-[a-z0-9]{{5}}")
        found = data.get(name)
        items = found if isinstance(found, list) else []
        return [item for item in items if not made.fullmatch(str(member(item, "name")))]

    return reading


def _secret(attributes: Attributes) -> Attributes:
    """Keep the names of a secret's data, whichever attribute holds them."""
    held = [attributes.get(name) for name in ("data", "binary_data")]
    found = sorted({str(name) for item in held if isinstance(item, Mapping) for name in item})
    rest = {name: item for name, item in attributes.items() if name not in {"data", "binary_data"}}
    is_written_once = bool(attributes.get("data_wo_revision") or attributes.get("binary_data_wo_revision"))
    return rest if is_written_once else {**rest, "data": found}


_SUBJECTS = {"subject.namespace": unless("default"), "subject.api_group": unless("rbac.authorization.k8s.io")}

TYPES = (
    KubernetesType(
        "kubernetes_namespace_v1",
        "Namespace",
        "metadata",
        names=("kubernetes_namespace",),
        has_namespace=False,
        made=_is_named(*_NAMESPACES),
    ),
    KubernetesType(
        "kubernetes_config_map_v1",
        "ConfigMap",
        "metadata binary_data data immutable",
        names=("kubernetes_config_map",),
        # one in every namespace
        made=_is_named("kube-root-ca.crt", "istio-ca-root-cert", "openshift-service-ca.crt"),
    ),
    KubernetesType(
        "kubernetes_secret_v1",
        "Secret",
        "metadata data immutable type",
        names=("kubernetes_secret",),
        shapes={"data": names, "type": unless("Opaque")},
        state=_secret,
        made=lambda data: data.get("type") in _TOKENS,
    ),
    KubernetesType(
        "kubernetes_service_account_v1",
        "ServiceAccount",
        "metadata automount_service_account_token image_pull_secret secret",
        names=(
            "kubernetes_service_account",
            "kubernetes_default_service_account",
            "kubernetes_default_service_account_v1",
        ),
        at={"secret": "secrets"},
        read={"image_pull_secret": _secrets_of_account("imagePullSecrets"), "secret": _secrets_of_account("secrets")},
        made=_is_named("default"),
    ),
    KubernetesType(
        "kubernetes_service_v1",
        "Service",
        "metadata spec",
        names=("kubernetes_service",),
        read={"spec.allocate_load_balancer_node_ports": _node_ports},
        shapes={"spec.cluster_ip": headless, "spec.allocate_load_balancer_node_ports": on},
        skipped=frozenset({"spec.cluster_ips", "spec.health_check_node_port"}),  # given out by the cluster
        made=lambda data: (
            (member(data, "metadata", "namespace"), member(data, "metadata", "name")) == ("default", "kubernetes")
        ),
    ),
    KubernetesType(
        "kubernetes_ingress_v1",
        "Ingress.networking.k8s.io",
        "metadata spec",
        names=("kubernetes_ingress",),
        state=ingress_of,
    ),
    KubernetesType(
        "kubernetes_ingress_class_v1",
        "IngressClass.networking.k8s.io",
        "metadata spec",
        names=("kubernetes_ingress_class",),
        has_namespace=False,
        at={"spec.parameters": "parameters"},
    ),
    KubernetesType(
        "kubernetes_network_policy_v1",
        "NetworkPolicy.networking.k8s.io",
        "metadata spec",
        names=("kubernetes_network_policy",),
    ),
    KubernetesType(
        "kubernetes_role_v1",
        "Role.rbac.authorization.k8s.io",
        "metadata rule",
        names=("kubernetes_role",),
        made=_is_bootstrapped,
    ),
    KubernetesType(
        "kubernetes_role_binding_v1",
        "RoleBinding.rbac.authorization.k8s.io",
        names=("kubernetes_role_binding",),
        made=_is_bootstrapped,
        compared="metadata role_ref subject",
        shapes=_SUBJECTS,
    ),
    KubernetesType(
        "kubernetes_cluster_role_v1",
        "ClusterRole.rbac.authorization.k8s.io",
        "metadata aggregation_rule rule",
        names=("kubernetes_cluster_role",),
        has_namespace=False,
        read={"rule": _rules},
        made=_is_bootstrapped,
    ),
    KubernetesType(
        "kubernetes_cluster_role_binding_v1",
        "ClusterRoleBinding.rbac.authorization.k8s.io",
        names=("kubernetes_cluster_role_binding",),
        has_namespace=False,
        made=_is_bootstrapped,
        compared="metadata role_ref subject",
        shapes=_SUBJECTS,
    ),
    KubernetesType(
        "kubernetes_persistent_volume_claim_v1",
        "PersistentVolumeClaim",
        "metadata spec",
        names=("kubernetes_persistent_volume_claim",),
        skipped=frozenset({"spec.volume_name"}),  # whichever volume was bound
    ),
    KubernetesType(
        "kubernetes_persistent_volume_v1",
        "PersistentVolume",
        "metadata spec",
        names=("kubernetes_persistent_volume",),
        has_namespace=False,
        at={"spec.persistent_volume_source": ""},
        skipped=frozenset({"spec.claim_ref"}),  # whichever claim was bound
        made=lambda data: bool(member(data, "metadata", "annotations", "pv.kubernetes.io/provisioned-by")),
    ),
    KubernetesType(
        "kubernetes_storage_class_v1",
        "StorageClass.storage.k8s.io",
        "metadata allow_volume_expansion allowed_topologies mount_options parameters reclaim_policy storage_provisioner volume_binding_mode",
        names=("kubernetes_storage_class",),
        has_namespace=False,
        at={"storage_provisioner": "provisioner"},
        shapes={"reclaim_policy": unless("Delete"), "volume_binding_mode": unless("Immediate")},
    ),
    KubernetesType("kubernetes_limit_range_v1", "LimitRange", "metadata spec", names=("kubernetes_limit_range",)),
    KubernetesType(
        "kubernetes_resource_quota_v1", "ResourceQuota", "metadata spec", names=("kubernetes_resource_quota",)
    ),
)
