"""Taking over what runs in a cluster: each type's import id in its documented form, and configurations that show no drift."""

from __future__ import annotations

from typing import Any

import pytest

from functions.scan.domain.resources import LiveResource
from functions.scan.fixing.hcl import Raw
from functions.scan.fixing.importing import build_import, written_body
from functions.scan.types.import_rules import Source
from functions.scan.types.kubernetes import TYPES, specs
from functions.scan.types.kubernetes.imports import rule_of
from functions.scan.types.kubernetes.schema import SCHEMA
from tests.support.kubernetes_objects import Fixture, drift, fixtures, read
from tests.support.written_states import source_of, state_of_body

# Section "Import" of each page (registry.terraform.io/providers/hashicorp/kubernetes/2.38.0/docs/resources, hashicorp/helm).
WITHOUT_NAMESPACE = {
    "kubernetes_cluster_role_binding_v1": "terraform-name",
    "kubernetes_cluster_role_v1": "terraform-name",
    "kubernetes_ingress_class_v1": "example",
    "kubernetes_namespace_v1": "terraform-example-namespace",
    "kubernetes_persistent_volume_v1": "terraform-example",
    "kubernetes_priority_class_v1": "terraform-example",
    "kubernetes_storage_class_v1": "terraform-example",
}
IN_NAMESPACES = {
    "helm_release": "default/example-name",
    "kubernetes_config_map_v1": "default/my-config",
    "kubernetes_cron_job_v1": "default/demo",
    "kubernetes_daemon_set_v1": "default/terraform-example",
    "kubernetes_deployment_v1": "default/terraform-example",
    "kubernetes_horizontal_pod_autoscaler_v2": "default/terraform-example",
    "kubernetes_ingress_v1": "default/terraform-name",
    "kubernetes_job_v1": "default/demo",
    "kubernetes_limit_range_v1": "default/terraform-example",
    "kubernetes_network_policy_v1": "default/terraform-example-network-policy",
    "kubernetes_persistent_volume_claim_v1": "default/example-name",
    "kubernetes_pod_disruption_budget_v1": "default/terraform-name",
    "kubernetes_resource_quota_v1": "default/terraform-example",
    "kubernetes_role_binding_v1": "default/terraform-name",
    "kubernetes_role_v1": "default/terraform-name",
    "kubernetes_secret_v1": "default/my-secret",
    "kubernetes_service_account_v1": "default/terraform-example",
    "kubernetes_service_v1": "default/terraform-name",
    "kubernetes_stateful_set_v1": "default/terraform-example",
}
DOCUMENTED = {**WITHOUT_NAMESPACE, **IN_NAMESPACES}
OBJECTS = [item for item in fixtures() if item.type != "helm_release"]


def live_of(fixture: Fixture) -> LiveResource:
    (found,) = read([fixture.live])
    assert isinstance(found, LiveResource)
    return found


def test_every_mapped_type_has_its_documented_form() -> None:
    assert {item.type for item in TYPES} <= set(DOCUMENTED)


@pytest.mark.parametrize("kind", sorted(DOCUMENTED))
def test_an_object_is_imported_by_namespace_and_name(kind: str) -> None:
    found = build_import(kind, Source(DOCUMENTED[kind], "x", {}, {}))
    assert found.id == DOCUMENTED[kind]
    assert found.to == f"{kind}.{DOCUMENTED[kind].rpartition('/')[2].replace('-', '_')}"


def test_a_manifest_is_imported_by_all_that_names_it() -> None:
    document = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "default-token-qgm6s", "namespace": "default"},
    }
    found = build_import("kubernetes_manifest", Source("Secret default/x", "x", {"manifest": document}, {}))
    assert found.id == "apiVersion=v1,kind=Secret,namespace=default,name=default-token-qgm6s"
    whole = {**document, "metadata": {"name": "a"}}
    found = build_import("kubernetes_manifest", Source("Secret a", "x", {"manifest": whole}, {}))
    assert found.id == "apiVersion=v1,kind=Secret,name=a"
    assert build_import("kubernetes_manifest", Source("Secret a", "x", {}, {})).id is None


@pytest.mark.parametrize("fixture", OBJECTS, ids=lambda item: item.type)
def test_a_generated_configuration_shows_no_drift(fixture: Fixture) -> None:
    live = live_of(fixture)
    source, rule, schema = source_of(live, specs()), rule_of(live.type), SCHEMA.attribute_schema(live.type)
    assert rule is not None
    assert schema is not None
    found = build_import(live.type, source)
    assert found.configuration, found.notes
    body = written_body(live.type, "x", source, rule, schema).body
    given = {entry[0] for entry in body if isinstance(entry, tuple) and isinstance(entry[1], Raw)}
    state: dict[str, Any] = {
        "id": source.key,
        **state_of_body(body),
        **{name: dict(fixture.live[name]) for name in given},
    }
    assert [(one.kind, one.path) for one in drift([(live.type, state)], [fixture.live])] == []


def test_no_value_of_a_secret_is_written() -> None:
    secret = next(item for item in fixtures() if item.type == "kubernetes_secret_v1")
    found = build_import("kubernetes_secret_v1", source_of(live_of(secret), specs()))
    assert found.configuration
    assert "hmac-sha256" not in found.configuration
    assert any("Secrets are variables" in note for note in found.notes)
