"""Workloads and what scales and protects them.

Source: Kubernetes API reference 1.34, "Workload Resources"; Terraform Kubernetes provider 2.38, resource documentation of each type.
"""

from __future__ import annotations

from .forms import unless
from .mapping import KubernetesType
from .versions import scaler_of

TYPES = (
    KubernetesType("kubernetes_deployment_v1", "Deployment.apps", "metadata spec", names=("kubernetes_deployment",)),
    KubernetesType(
        "kubernetes_stateful_set_v1",
        "StatefulSet.apps",
        "metadata spec",
        names=("kubernetes_stateful_set",),
    ),
    KubernetesType(
        "kubernetes_daemon_set_v1",
        "DaemonSet.apps",
        "metadata spec",
        names=("kubernetes_daemonset",),
        at={"spec.strategy": "updateStrategy"},
    ),
    KubernetesType(
        "kubernetes_cron_job_v1",
        "CronJob.batch",
        "metadata spec",
        names=("kubernetes_cron_job",),
        at={"spec.timezone": "timeZone"},
        skipped=frozenset({"spec.job_template.spec.selector", "spec.job_template.spec.manual_selector"}),
    ),
    KubernetesType(
        "kubernetes_job_v1",
        "Job.batch",
        "metadata spec",
        names=("kubernetes_job",),
        skipped=frozenset({"spec.selector", "spec.manual_selector"}),
        passes="spec.ttl_seconds_after_finished",
    ),
    KubernetesType(
        "kubernetes_horizontal_pod_autoscaler_v2",
        "HorizontalPodAutoscaler.autoscaling",
        "metadata spec",
        names=(
            "kubernetes_horizontal_pod_autoscaler",
            "kubernetes_horizontal_pod_autoscaler_v1",
            "kubernetes_horizontal_pod_autoscaler_v2beta2",
        ),
        state=scaler_of,
        skipped=frozenset({"spec.target_cpu_utilization_percentage"}),  # of version 1 of the API
    ),
    KubernetesType(
        "kubernetes_pod_disruption_budget_v1",
        "PodDisruptionBudget.policy",
        "metadata spec",
        names=("kubernetes_pod_disruption_budget",),
    ),
    KubernetesType(
        "kubernetes_priority_class_v1",
        "PriorityClass.scheduling.k8s.io",
        "metadata description global_default preemption_policy value",
        names=("kubernetes_priority_class",),
        has_namespace=False,
        shapes={"preemption_policy": unless("PreemptLowerPriority")},
        made=lambda data: str(data.get("metadata", {}).get("name", "")).startswith(
            "system-"
        ),  # a prefix that the API keeps for itself
    ),
)
