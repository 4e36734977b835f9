"""What pods may do to the machine they run on, what images they run, and how many there are.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/; Kubernetes API reference 1.34, "PodSpec".
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..clusters import (
    FAMILY,
    MANIFESTS,
    WORKLOADS,
    Fact,
    becoming,
    containers,
    flag,
    inner,
    losing,
    member,
    placed,
    pods,
    words,
)
from ..levels import Severity
from ..plan import Change, Plan
from ..rule import Match, Rule, seen
from ..switches import gone, lowering, on, rule_of, switch, word
from ..values import Document, Path

_REASON = "Who controls this container, or breaks into it, controls the machine that it runs on and every pod there."
_REMEDY = "Leave the container inside: no privileges, nothing of the host; grant the one capability that it needs."
# Whoever has one of these gets out. Source: capabilities(7); Pod Security Standards, "Capabilities".
_CAPABILITIES = frozenset(
    {"ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "SYS_BOOT", "NET_ADMIN", "NET_RAW", "DAC_READ_SEARCH", "DAC_OVERRIDE", "BPF", "MKNOD"}
)  # fmt: skip
_WHOLE_HOST = (
    "/etc",
    "/proc",
    "/root",
    "/var/lib/kubelet",
    "/var/lib/docker",
    "/var/lib/etcd",
    "/run",
    "/var/run",
    "/sys",
    "/dev",
)
_MUTABLE = ("", "latest")


def _privileged(change: Change, document: Document) -> Iterator[Fact]:
    for where, container in _of_containers(change, document):
        if flag(inner(container, "security_context"), "privileged"):
            yield Fact("privileged", where)


def _host(change: Change, document: Document) -> Iterator[Fact]:
    for where, pod in pods(change, document):
        yield from (Fact(name, where) for name in ("host_network", "host_pid", "host_ipc") if flag(pod, name))


def _host_paths(change: Change, document: Document) -> Iterator[Fact]:
    for where, pod in pods(change, document):
        for place, volume in placed(where, pod, "volume", "volumes"):
            path = member(inner(volume, "host_path"), "path")
            if isinstance(path, str) and path:
                yield Fact(path, place, "critical" if _is_whole_host(path) else None)


def _is_whole_host(path: str) -> bool:
    plain = "/" + path.strip("/")
    return plain == "/" or any(plain == one or plain.startswith(f"{one}/") for one in _WHOLE_HOST)


def _capabilities(change: Change, document: Document) -> Iterator[Fact]:
    for where, container in _of_containers(change, document):
        for name in words(inner(container, "security_context", "capabilities"), "add"):
            plain = name.upper().removeprefix("CAP_")
            if plain in _CAPABILITIES:
                yield Fact(plain, where, "critical" if plain in {"ALL", "SYS_ADMIN"} else None)


def _loose(change: Change, document: Document) -> Iterator[Fact]:
    """A container that runs as root, may gain rights, or whose system calls are not filtered."""
    for where, pod in pods(change, document):
        for place, one in ((where, pod), *containers(where, pod)):
            context = inner(one, "security_context")
            if member(context, "run_as_user") in ("0", 0) and member(context, "run_as_user") is not False:
                yield Fact("root", place)
            if flag(context, "allow_privilege_escalation"):
                yield Fact("escalation", place)
            if member(inner(context, "seccomp_profile"), "type") == "Unconfined":
                yield Fact("unconfined", place)


def _hardened(change: Change, document: Document) -> Iterator[Fact]:
    for where, pod in pods(change, document):
        for place, one in ((where, pod), *containers(where, pod)):
            context, name = inner(one, "security_context"), one.get("name")
            of = name if isinstance(name, str) else ""
            good = [item for item in ("run_as_non_root", "read_only_root_filesystem") if flag(context, item)]
            if any(item.upper() == "ALL" for item in words(inner(context, "capabilities"), "drop")):
                good.append("capabilities dropped")
            yield from (Fact(item, place, of=of) for item in good)


def _of_containers(change: Change, document: Document) -> Iterator[tuple[Path, Document]]:
    for where, pod in pods(change, document):
        yield from containers(where, pod)


def _images(change: Change, document: Document | None) -> list[tuple[Path, str]]:
    if document is None:
        return []
    found = ((where, member(item, "image")) for where, item in _of_containers(change, document))
    return [((*where, "image"), image) for where, image in found if isinstance(image, str) and image]


def repository(image: str) -> str:
    """Return an image's name without tag and digest."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _tag(image: str) -> str:
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]


def _other_image(change: Change, _plan: Plan) -> Iterator[Match]:
    """Another image than before: another version of it, one that may change unseen, or something else altogether."""
    was, will = _images(change, change.before), _images(change, change.after)
    known = {image for _, image in was}
    kept = {repository(image) for image in known}
    if not known:
        return
    for where, image in will:
        if image in known:
            continue
        before = next((old for place, old in was if place == where), None)
        evidence, severity, note = (seen(where, before, image),), _SMALL, ""
        if repository(image) not in kept:
            severity, note = "medium", "It comes from another repository."
        elif "@" not in image and (_tag(image) in _MUTABLE or (before is not None and "@" in before)):
            severity, note = "medium", "What it names can change without anybody touching this object."
        yield Match(evidence, severity, note)


_SMALL: Severity = "low"
_pods = partial(
    becoming, types=WORKLOADS, flagged="iam-privilege-escalation", reason=_REASON, remedy=_REMEDY, on_create="medium"
)
_lowering = partial(lowering, flag="capacity-reduction", severity="medium", family=FAMILY, to_zero="high")
_SCALED = (
    "kubernetes_deployment", "kubernetes_deployment_v1", "kubernetes_stateful_set", "kubernetes_stateful_set_v1",
    "kubernetes_replication_controller", "kubernetes_replication_controller_v1",
)  # fmt: skip
_AUTOSCALERS = (
    "kubernetes_horizontal_pod_autoscaler", "kubernetes_horizontal_pod_autoscaler_v1", "kubernetes_horizontal_pod_autoscaler_v2",
    "kubernetes_horizontal_pod_autoscaler_v2beta2",
)  # fmt: skip
_BUDGETS = ("kubernetes_pod_disruption_budget", "kubernetes_pod_disruption_budget_v1")
_CONTEXT = "container.security_context"

RULES: tuple[Rule, ...] = (
    _pods("cluster-privileged", severity="critical", title="A container runs with the rights of the machine", facts=_privileged,
          paths=tuple(f"{path}.{_CONTEXT}.privileged" for path in ("spec.template.spec", "spec.job_template.spec.template.spec")), refs=("CKV_K8S_16", "CWE-250")),
    _pods("cluster-host-namespaces", severity="high", title="A pod shares network, processes or memory with the machine", facts=_host,
          paths=tuple(f"spec.template.spec.{name}" for name in ("host_network", "host_pid", "host_ipc")), refs=("CKV_K8S_17", "CKV_K8S_18", "CKV_K8S_19")),
    _pods("cluster-host-path", severity="high", title="A pod reads files of the machine", facts=_host_paths, paths=("spec.template.spec.volume.host_path.path",), refs=("CKV_K8S_27",)),
    _pods("cluster-capabilities", severity="high", title="A container gets a capability that leads out of it", facts=_capabilities,
          paths=(f"spec.template.spec.{_CONTEXT}.capabilities.add",), refs=("CKV_K8S_25", "CKV_K8S_39")),
    becoming("cluster-loose", "protection-disabled", "medium", "A container runs as root, may gain rights or is not confined", WORKLOADS, _loose, on_create="low",
             refs=("CKV_K8S_20", "CKV_K8S_23", "CKV_K8S_31"), reason="A mistake in what runs there reaches further than it has to.", remedy=_REMEDY),
    losing("cluster-hardening-lost", "protection-disabled", "medium", "A container is less confined than before", WORKLOADS, _hardened, refs=("CKV_K8S_22", "CKV_K8S_29"),
           reason="A mistake in what runs there reaches further than before.", remedy=_REMEDY),
    rule_of("cluster-image", FAMILY, "delivery-chain-change", "low", "Another image runs", WORKLOADS, _other_image, refs=("CKV_K8S_14", "CKV_K8S_43")),
    *(_lowering(f"cluster-{name}", title="Fewer copies run", types=types, path=path) for name, types, path in (
        ("replicas", _SCALED, "spec.replicas"), ("manifest-replicas", (*_SCALED, *MANIFESTS), "manifest.spec.replicas"),
        ("scaler-least", _AUTOSCALERS, "spec.min_replicas"), ("scaler-most", _AUTOSCALERS, "spec.max_replicas"))),
    lowering("cluster-budget", "capacity-reduction", "medium", "More pods may be taken away at once", _BUDGETS, "spec.min_available", family=FAMILY),
    gone("cluster-budget-removed", "capacity-reduction", "medium", "Any number of pods may be taken away at once", _BUDGETS, family=FAMILY),
    switch("cluster-job-suspended", "capacity-reduction", "medium", "Scheduled jobs no longer run", ("kubernetes_cron_job", "kubernetes_cron_job_v1"), "spec.suspend", on, family=FAMILY),
    switch("cluster-volume-reclaimed", "protection-disabled", "medium", "The data is deleted with its claim", ("kubernetes_persistent_volume", "kubernetes_persistent_volume_v1"),
           "spec.persistent_volume_reclaim_policy", word("Delete"), family=FAMILY),
    switch("cluster-class-reclaimed", "protection-disabled", "medium", "New volumes are deleted with their claims", ("kubernetes_storage_class", "kubernetes_storage_class_v1"),
           "reclaim_policy", word("Delete"), family=FAMILY),
)  # fmt: skip
