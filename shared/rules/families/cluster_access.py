"""Who may do what in a cluster, and who reaches what runs there.

Source: https://kubernetes.io/docs/concepts/security/rbac-good-practices/; Kubernetes API reference 1.34, "Service", "NetworkPolicy",
"Ingress", "Role", "RoleBinding".
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..clusters import FAMILY, MANIFESTS, Fact, becoming, body, flag, inner, losing, member, placed, words
from ..levels import Severity
from ..networks import network_of
from ..plan import Change
from ..rule import Rule
from ..switches import gone, switch, word
from ..values import Document, Path

BINDINGS = (
    "kubernetes_role_binding",
    "kubernetes_role_binding_v1",
    "kubernetes_cluster_role_binding",
    "kubernetes_cluster_role_binding_v1",
)
ROLES = ("kubernetes_role", "kubernetes_role_v1", "kubernetes_cluster_role", "kubernetes_cluster_role_v1")
POLICIES = ("kubernetes_network_policy", "kubernetes_network_policy_v1")
_SERVICES = ("kubernetes_service", "kubernetes_service_v1")
_INGRESSES = ("kubernetes_ingress", "kubernetes_ingress_v1")
_NAMESPACES = ("kubernetes_namespace", "kubernetes_namespace_v1")
_WEBHOOKS = (
    "kubernetes_validating_webhook_configuration", "kubernetes_validating_webhook_configuration_v1",
    "kubernetes_mutating_webhook_configuration", "kubernetes_mutating_webhook_configuration_v1",
)  # fmt: skip
_KINDS_OF_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
_KINDS_OF_ROLES = ("Role", "ClusterRole")
# Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles and "Anonymous requests"
_EVERYBODY = {
    "system:anonymous": "critical",
    "system:unauthenticated": "critical",
    "system:authenticated": "high",
    "system:serviceaccounts": "high",
}
_MASTERS = "system:masters"
_ADMIN = "cluster-admin"
_READING = frozenset({"get", "list", "watch", "*"})
_WRITING = frozenset({"create", "update", "patch", "*"})
_ESCALATING_VERBS = frozenset({"escalate", "bind", "impersonate"})
# Resource -> the verbs that lead from it to more rights. Source: RBAC good practices, "Privilege escalation risks".
_ESCALATING = {
    "secrets": _READING, "pods/exec": _WRITING | {"get"}, "pods/attach": _WRITING | {"get"}, "nodes/proxy": _WRITING | {"get"}, "serviceaccounts/token": _WRITING,
    "certificatesigningrequests/approval": _WRITING, "validatingwebhookconfigurations": _WRITING, "mutatingwebhookconfigurations": _WRITING,
    "roles": _WRITING, "clusterroles": _WRITING, "rolebindings": _WRITING, "clusterrolebindings": _WRITING, "pods/ephemeralcontainers": _WRITING,
}  # fmt: skip
_LEVELS = ("privileged", "baseline", "restricted")  # of the Pod Security Standards, mildest first
_ENFORCE = "pod-security.kubernetes.io/enforce"
_INTERNAL = ("load-balancer-internal", "load-balancer-type", "aws-load-balancer-scheme")


def _subjects(change: Change, document: Document) -> Iterator[tuple[Path, Document]]:
    for kind in _KINDS_OF_BINDINGS:
        for where, item in body(change, document, kind):
            yield from placed(where, item, "subject", "subjects")


def _everybody(change: Change, document: Document) -> Iterator[Fact]:
    severities: dict[str, Severity] = {"critical": "critical", "high": "high"}
    for where, subject in _subjects(change, document):
        name = member(subject, "name")
        if isinstance(name, str) and name in _EVERYBODY:
            yield Fact(name, where, severities[_EVERYBODY[name]])


def _admin(change: Change, document: Document) -> Iterator[Fact]:
    for where, subject in _subjects(change, document):
        if member(subject, "name") == _MASTERS:
            yield Fact(_MASTERS, where)
    for kind in _KINDS_OF_BINDINGS:
        for where, item in body(change, document, kind):
            if member(inner(item, "role_ref"), "name") == _ADMIN:
                names = [_told(subject) for _, subject in placed(where, item, "subject", "subjects")] or [""]
                place = (*where, "role_ref" if "role_ref" in item else "roleRef")
                yield from (Fact(f"{_ADMIN} {name}", place) for name in dict.fromkeys(names))


def _bound(change: Change, document: Document) -> Iterator[Fact]:
    yield from (Fact(_told(subject), where) for where, subject in _subjects(change, document))


def _told(subject: Document) -> str:
    return " ".join(str(member(subject, name) or "") for name in ("kind", "namespace", "name"))


def _rules(change: Change, document: Document) -> Iterator[tuple[Path, Document]]:
    for kind in _KINDS_OF_ROLES:
        for where, item in body(change, document, kind):
            yield from placed(where, item, "rule", "rules")


def _wildcards(change: Change, document: Document) -> Iterator[Fact]:
    for where, rule in _rules(change, document):
        verbs, resources = words(rule, "verbs"), (*words(rule, "resources"), *words(rule, "non_resource_urls"))
        if "*" in verbs and "*" in resources:
            yield Fact("everything", where, "critical")
        elif "*" in verbs:
            yield Fact(f"every verb on {', '.join(sorted(resources))}", where)
        elif "*" in resources:
            yield Fact("every resource", where, "medium" if verbs and not _WRITING.intersection(verbs) else None)


def _escalations(change: Change, document: Document) -> Iterator[Fact]:
    for where, rule in _rules(change, document):
        verbs = set(words(rule, "verbs"))
        yield from (Fact(verb, where) for verb in sorted(verbs & _ESCALATING_VERBS))
        if words(rule, "resource_names"):
            continue
        for resource in sorted(set(words(rule, "resources")) & _ESCALATING.keys()):
            if not verbs or verbs & _ESCALATING[resource]:  # a single attribute does not tell the verbs
                yield Fact(resource, where)


def _spec(change: Change, document: Document, kind: str) -> Iterator[tuple[Path, Document]]:
    for where, item in body(change, document, kind):
        yield from placed(where, item, "spec")


def _doors(change: Change, document: Document) -> Iterator[Fact]:
    """A service that answers outside of the cluster."""
    for where, spec in _spec(change, document, "Service"):
        kind = member(spec, "type")
        if kind == "LoadBalancer":
            is_inside = _is_internal(document) or _is_narrow(spec)
            yield Fact("LoadBalancer", where, "medium" if is_inside else None)
        elif kind == "NodePort":
            yield Fact("NodePort", where, "medium")
        yield from (Fact(f"address {address}", where) for address in words(spec, "external_ips"))
        yield from (
            Fact(f"from {item}", where) for item in words(spec, "load_balancer_source_ranges") if _is_world(item)
        )


def _is_internal(document: Document) -> bool:
    """Say whether an annotation keeps a load balancer inside the network of its cloud."""
    found = (inner(document, "metadata", "annotations"), inner(document, "manifest", "metadata", "annotations"))
    told = {str(name): str(value).lower() for item in found for name, value in item.items()}
    return any(name.endswith(_INTERNAL) and value in {"true", "internal", "0.0.0.0/0"} for name, value in told.items())


def _is_narrow(spec: Document) -> bool:
    ranges = words(spec, "load_balancer_source_ranges")
    return bool(ranges) and not any(_is_world(item) for item in ranges)


def _is_world(value: object) -> bool:
    network = network_of(value)
    return network is not None and network.prefixlen <= 1


def _from_anywhere(change: Change, document: Document) -> Iterator[Fact]:
    """A load balancer, or what may be one, that does not say where its clients come from."""
    for where, spec in _spec(change, document, "Service"):
        is_told = any(name in spec for name in ("load_balancer_source_ranges", "loadBalancerSourceRanges"))
        if (
            is_told
            and not words(spec, "load_balancer_source_ranges")
            and member(spec, "type") in (None, "LoadBalancer")
        ):
            yield Fact("anywhere", where, "medium" if _is_internal(document) else None)


def _let_in(change: Change, document: Document) -> Iterator[Fact]:
    """A network policy's rule that lets everybody in."""
    for where, spec in _spec(change, document, "NetworkPolicy"):
        for place, rule in placed(where, spec, "ingress"):
            sources = [source for _, source in placed(place, rule, "from")]
            if not sources and "from" in rule:
                yield Fact("everybody", place)
            for source in sources:
                cidr = member(inner(source, "ip_block"), "cidr")
                if _is_world(cidr):
                    yield Fact(str(cidr), place)


def _policy_types(change: Change, document: Document) -> Iterator[Fact]:
    for where, spec in _spec(change, document, "NetworkPolicy"):
        yield from (Fact(name, where) for name in words(spec, "policy_types"))


def _encrypted(change: Change, document: Document) -> Iterator[Fact]:
    for where, spec in _spec(change, document, "Ingress"):
        if any(True for _ in placed(where, spec, "tls")):
            yield Fact("tls", where)


def _enforced(change: Change, document: Document) -> Iterator[Fact]:
    """Every level that the pods of a namespace have to keep, so that a lower one loses some."""
    for where, item in body(change, document, "Namespace"):
        level = inner(item, "metadata", "labels").get(_ENFORCE)
        if isinstance(level, str) and level in _LEVELS:
            yield from (Fact(name, (*where, "metadata")) for name in _LEVELS[1 : _LEVELS.index(level) + 1])


def _mounts_token(change: Change, document: Document) -> Iterator[Fact]:
    for where, item in body(change, document, "ServiceAccount"):
        if flag(item, "automount_service_account_token"):
            yield Fact("token", where)


_becoming = partial(becoming, on_create=None)
_PROTECTED = "The pods that it guarded can be reached by every pod of the cluster, or may do what they were kept from."

RULES: tuple[Rule, ...] = (
    _becoming("cluster-everybody", "public-access", "critical", "Everybody, signed in or not, gets rights in the cluster", (*BINDINGS, *MANIFESTS), _everybody, refs=("CIS-K8S-5.1",)),
    _becoming("cluster-admin-bound", "iam-wildcard", "critical", "Somebody becomes administrator of the cluster", (*BINDINGS, *MANIFESTS), _admin, paths=("role_ref.name",), refs=("CIS-K8S-5.1.1", "CWE-250")),
    becoming("cluster-binding-widened", "iam-privilege-escalation", "medium", "A role is given to somebody else", (*BINDINGS, *MANIFESTS), _bound, on_create="low", paths=("subject.name",)),
    _becoming("cluster-role-wildcard", "iam-wildcard", "high", "A role allows everything", (*ROLES, *MANIFESTS), _wildcards, paths=("rule.verbs", "rule.resources"), refs=("CKV_K8S_49", "CIS-K8S-5.1.3")),
    _becoming("cluster-role-escalates", "iam-privilege-escalation", "high", "A role leads to further rights", (*ROLES, *MANIFESTS), _escalations,
              refs=("CKV_K8S_155", "CKV_K8S_156", "CKV_K8S_157", "CKV_K8S_158", "CIS-K8S-5.1.2")),
    becoming("cluster-token-mounted", "iam-privilege-escalation", "medium", "Every pod of the account gets its token", ("kubernetes_service_account", "kubernetes_service_account_v1", *MANIFESTS),
             _mounts_token, on_create="low", refs=("CIS-K8S-5.1.6",)),
    becoming("cluster-service-open", "public-ingress", "high", "A service can be reached from outside of the cluster", (*_SERVICES, *MANIFESTS), _doors, on_create="medium", paths=("spec.type", "spec.load_balancer_source_ranges")),
    becoming("cluster-service-ranges", "public-ingress", "high", "A load balancer does not ask where its clients come from", (*_SERVICES, *MANIFESTS), _from_anywhere, on_create="medium"),
    gone("cluster-policy-removed", "protection-disabled", "high", "A network policy is removed", POLICIES, family=FAMILY, refs=("CIS-K8S-5.3.2",)),
    _becoming("cluster-policy-opened", "public-ingress", "high", "A network policy lets everybody in", (*POLICIES, *MANIFESTS), _let_in, paths=("spec.ingress.from",)),
    losing("cluster-policy-narrowed", "protection-disabled", "high", "A network policy guards one direction less", (*POLICIES, *MANIFESTS), _policy_types, reason=_PROTECTED),
    losing("cluster-ingress-plain", "encryption-disabled", "high", "An ingress is served without TLS", (*_INGRESSES, *MANIFESTS), _encrypted),
    losing("cluster-pod-security", "protection-disabled", "high", "Pods of a namespace may do more to the machine", (*_NAMESPACES, *MANIFESTS), _enforced, reason=_PROTECTED),
    gone("cluster-admission-removed", "protection-disabled", "high", "Nobody looks at what is admitted any more", _WEBHOOKS, family=FAMILY),
    switch("cluster-admission-ignored", "protection-disabled", "medium", "What cannot be looked at is admitted", _WEBHOOKS, "webhook.failure_policy", word("Ignore"), family=FAMILY),
    gone("cluster-bounds-removed", "protection-disabled", "medium", "A namespace may use all there is", (
        "kubernetes_resource_quota", "kubernetes_resource_quota_v1", "kubernetes_limit_range", "kubernetes_limit_range_v1"), family=FAMILY),
)  # fmt: skip
