"""Taking over what runs in Google Cloud: each type's import id in its documented form, and configurations that show no drift."""

from __future__ import annotations

import re

import pytest

from functions.scan.domain.resources import LiveResource
from functions.scan.fixing.hcl import Raw
from functions.scan.fixing.importing import build_import, written_body
from functions.scan.readers.gcp.inventory import Inventory
from functions.scan.readers.gcp.reading import read_all
from functions.scan.types.gcp import TYPES, specs
from functions.scan.types.gcp.iam import GRANTABLE
from functions.scan.types.gcp.imports import rule_of
from functions.scan.types.gcp.schema import SCHEMA
from functions.scan.types.import_rules import Source
from shared.testing.clock import FakeClock
from tests.support.google_assets import PROJECT, Example, FakeGoogle, declared, documented, drift, examples, filled
from tests.support.written_states import is_computed, source_of, state_of_body

_ZONAL = "projects/{{project}}/zones/{{zone}}/"
_REGIONAL = "projects/{{project}}/regions/{{region}}/"
_GLOBAL = "projects/{{project}}/global/"
_LOCATED = "projects/{{project}}/locations/{{location}}/"
# The first form that section "Import" of each page names (registry.terraform.io/providers/hashicorp/google/6.50.0/docs/resources).
DOCUMENTED = {
    "google_artifact_registry_repository": _LOCATED + "repositories/{{repository_id}}",
    "google_bigquery_dataset": "projects/{{project}}/datasets/{{dataset_id}}",
    "google_bigquery_table": "projects/{{project}}/datasets/{{dataset_id}}/tables/{{table_id}}",
    "google_bigtable_instance": "projects/{{project}}/instances/{{name}}",
    "google_cloud_run_v2_service": _LOCATED + "services/{{name}}",
    "google_cloud_tasks_queue": _LOCATED + "queues/{{name}}",
    "google_cloudfunctions2_function": _LOCATED + "functions/{{name}}",
    "google_cloudfunctions_function": _LOCATED + "functions/{{name}}",
    "google_compute_address": _REGIONAL + "addresses/{{name}}",
    "google_compute_autoscaler": _ZONAL + "autoscalers/{{name}}",
    "google_compute_backend_bucket": _GLOBAL + "backendBuckets/{{name}}",
    "google_compute_backend_service": _GLOBAL + "backendServices/{{name}}",
    "google_compute_disk": _ZONAL + "disks/{{name}}",
    "google_compute_external_vpn_gateway": _GLOBAL + "externalVpnGateways/{{name}}",
    "google_compute_firewall": _GLOBAL + "firewalls/{{name}}",
    "google_compute_forwarding_rule": _REGIONAL + "forwardingRules/{{name}}",
    "google_compute_global_address": _GLOBAL + "addresses/{{name}}",
    "google_compute_global_forwarding_rule": _GLOBAL + "forwardingRules/{{name}}",
    "google_compute_ha_vpn_gateway": _REGIONAL + "vpnGateways/{{name}}",
    "google_compute_health_check": _GLOBAL + "healthChecks/{{name}}",
    "google_compute_http_health_check": _GLOBAL + "httpHealthChecks/{{name}}",
    "google_compute_image": _GLOBAL + "images/{{name}}",
    "google_compute_instance": _ZONAL + "instances/{{name}}",
    "google_compute_instance_group_manager": _ZONAL + "instanceGroupManagers/{{name}}",
    "google_compute_instance_template": _GLOBAL + "instanceTemplates/{{name}}",
    "google_compute_managed_ssl_certificate": _GLOBAL + "sslCertificates/{{name}}",
    "google_compute_network": _GLOBAL + "networks/{{name}}",
    "google_compute_network_endpoint_group": _ZONAL + "networkEndpointGroups/{{name}}",
    "google_compute_region_autoscaler": _REGIONAL + "autoscalers/{{name}}",
    "google_compute_region_backend_service": _REGIONAL + "backendServices/{{name}}",
    "google_compute_region_disk": _REGIONAL + "disks/{{name}}",
    "google_compute_region_health_check": _REGIONAL + "healthChecks/{{name}}",
    "google_compute_region_instance_template": _REGIONAL + "instanceTemplates/{{name}}",
    "google_compute_region_instance_group_manager": _REGIONAL + "instanceGroupManagers/{{name}}",
    "google_compute_resource_policy": _REGIONAL + "resourcePolicies/{{name}}",
    "google_compute_route": _GLOBAL + "routes/{{name}}",
    "google_compute_router": _REGIONAL + "routers/{{name}}",
    "google_compute_router_nat": _REGIONAL + "routers/{{router}}/{{name}}",
    "google_compute_security_policy": _GLOBAL + "securityPolicies/{{name}}",
    "google_compute_service_attachment": _REGIONAL + "serviceAttachments/{{name}}",
    "google_compute_snapshot": _GLOBAL + "snapshots/{{name}}",
    "google_compute_ssl_certificate": _GLOBAL + "sslCertificates/{{name}}",
    "google_compute_ssl_policy": _GLOBAL + "sslPolicies/{{name}}",
    "google_compute_subnetwork": _REGIONAL + "subnetworks/{{name}}",
    "google_compute_target_http_proxy": _GLOBAL + "targetHttpProxies/{{name}}",
    "google_compute_target_https_proxy": _GLOBAL + "targetHttpsProxies/{{name}}",
    "google_compute_target_pool": _REGIONAL + "targetPools/{{name}}",
    "google_compute_target_ssl_proxy": _GLOBAL + "targetSslProxies/{{name}}",
    "google_compute_target_tcp_proxy": _GLOBAL + "targetTcpProxies/{{name}}",
    "google_compute_url_map": _GLOBAL + "urlMaps/{{name}}",
    "google_compute_vpn_gateway": _REGIONAL + "targetVpnGateways/{{name}}",
    "google_compute_vpn_tunnel": _REGIONAL + "vpnTunnels/{{name}}",
    "google_container_cluster": _LOCATED + "clusters/{{cluster_id}}",
    "google_container_node_pool": "{{project}}/{{location}}/{{cluster_id}}/{{pool_id}}",
    "google_dns_managed_zone": "projects/{{project}}/managedZones/{{name}}",
    "google_dns_policy": "projects/{{project}}/policies/{{name}}",
    "google_dns_record_set": "projects/{{project}}/managedZones/{{zone}}/rrsets/{{name}}/{{type}}",
    "google_filestore_instance": _LOCATED + "instances/{{name}}",
    "google_firestore_database": "projects/{{project}}/databases/{{name}}",
    "google_folder": "folders/{{folder_id}}",
    "google_kms_crypto_key": _LOCATED + "keyRings/{{ring}}/cryptoKeys/{{name}}",
    "google_kms_key_ring": _LOCATED + "keyRings/{{name}}",
    "google_logging_metric": "{{project}} {{name}}",
    "google_logging_project_bucket_config": _LOCATED + "buckets/{{bucket_id}}",
    "google_logging_project_sink": "projects/{{project}}/sinks/{{name}}",
    "google_monitoring_alert_policy": "projects/{{project}}/alertPolicies/{{name}}",
    "google_organization_iam_custom_role": "organizations/{{org_id}}/roles/{{role_id}}",
    "google_project": "{{project}}",
    "google_project_iam_custom_role": "projects/{{project}}/roles/{{role_id}}",
    "google_project_service": "{{project}}/{{service}}",
    "google_pubsub_schema": "projects/{{project}}/schemas/{{name}}",
    "google_pubsub_subscription": "projects/{{project}}/subscriptions/{{name}}",
    "google_pubsub_topic": "projects/{{project}}/topics/{{name}}",
    "google_redis_instance": _LOCATED + "instances/{{name}}",
    "google_secret_manager_secret": "projects/{{project}}/secrets/{{secret_id}}",
    "google_service_account": "projects/{{project}}/serviceAccounts/{{email}}",
    "google_spanner_database": "projects/{{project}}/instances/{{instance}}/databases/{{name}}",
    "google_spanner_instance": "projects/{{project}}/instances/{{name}}",
    "google_sql_database_instance": "projects/{{project}}/instances/{{name}}",
    "google_storage_bucket": "{{name}}",
    "google_vpc_access_connector": _LOCATED + "connectors/{{name}}",
    "google_workflows_workflow": _LOCATED + "workflows/{{name}}",
}
_ROLE, _WHO = "roles/viewer", "user:jane@example.com"
# Section "Import" of each `_iam` page: the resource's own id, then role and member.
GRANTED = {
    "google_artifact_registry_repository": "projects/p/locations/l/repositories/r",
    "google_bigquery_dataset": "projects/p/datasets/d",
    "google_bigquery_table": "projects/p/datasets/d/tables/t",
    "google_cloud_run_v2_service": "projects/p/locations/l/services/s",
    "google_cloud_tasks_queue": "projects/p/locations/l/queues/q",
    "google_cloudfunctions2_function": "projects/p/locations/l/functions/f",
    "google_cloudfunctions_function": "projects/p/locations/l/functions/f",
    "google_compute_instance": "projects/p/zones/z/instances/i",
    "google_compute_subnetwork": "projects/p/regions/r/subnetworks/s",
    "google_folder": "folders/5",
    "google_kms_crypto_key": "p/l/ring/key",
    "google_kms_key_ring": "p/l/ring",
    "google_organization": "42",
    "google_project": "p",
    "google_pubsub_subscription": "projects/p/subscriptions/s",
    "google_pubsub_topic": "projects/p/topics/t",
    "google_secret_manager_secret": "projects/p/secrets/s",
    "google_service_account": "projects/p/serviceAccounts/a@p.iam.gserviceaccount.com",
    "google_spanner_database": "p/i/d",
    "google_spanner_instance": "p/i",
    "google_storage_bucket": "b/static",
}
_NAMES = {
    "google_folder": "folders/5", "google_organization": "organizations/42", "google_project": "projects/p",
    "google_storage_bucket": "static", "google_kms_key_ring": "projects/p/locations/l/keyRings/ring",
    "google_kms_crypto_key": "projects/p/locations/l/keyRings/ring/cryptoKeys/key",
    "google_spanner_instance": "projects/p/instances/i", "google_spanner_database": "projects/p/instances/i/databases/d",
}  # fmt: skip
# What has to be set and cannot be read, or is hidden as a whole: Terraform writes these configurations.
NOT_WRITTEN = {
    "google_cloud_run_v2_service",
    "google_cloudfunctions2_function",
    "google_compute_ssl_certificate",
    "google_compute_vpn_tunnel",
}
EVERY = [*examples(), *documented()]
CONFIGURED = [one for one in EVERY if one.type not in NOT_WRITTEN]
_NAMED = [one.asset for one in EVERY if one.type in {"google_project", "google_dns_managed_zone"}]


def live_of(example: Example) -> LiveResource:
    """Read the asset of an example, with those that names are learned from."""
    google = FakeGoogle([example.asset, *(one for one in _NAMED if one["name"] != example.asset["name"])])
    name = example.asset["name"].rpartition("/")[2]
    found = [
        one
        for one in read_all(Inventory(google, FakeClock(), f"projects/{PROJECT}"))
        if isinstance(one, LiveResource) and one.type == example.type
    ]
    return next((one for one in found if name in one.key), found[0])


def test_every_mapped_type_has_its_documented_form() -> None:
    assert set(DOCUMENTED) >= {one.type for one in TYPES}
    assert set(GRANTED) == {one.prefix for one in GRANTABLE}


@pytest.mark.parametrize("example", examples(), ids=lambda one: one.type)
def test_an_import_id_has_its_documented_form(example: Example) -> None:
    live = live_of(example)
    found = build_import(example.type, source_of(live, specs()))
    form = re.sub(r"\\\{\\\{(\w+)\\\}\\\}", lambda name: f"(?P<{name[1]}>[^/ ]+)", re.escape(DOCUMENTED[example.type]))
    said = re.fullmatch(form, found.id or "")
    assert said, (found.id, form)
    for name, value in said.groupdict().items():
        if name == "project":
            assert value == PROJECT, "an id names a project by its id, not by its number"
        assert example.state.get(name) in {None, value} or str(example.state[name]).endswith(value)
    assert found.import_block == f'import {{\n  to = {found.to}\n  id = "{found.id}"\n}}'


@pytest.mark.parametrize("prefix", sorted(GRANTED))
def test_a_grant_is_imported_by_resource_role_and_member(prefix: str) -> None:
    path = _NAMES.get(prefix, GRANTED[prefix])
    key = f"//x.googleapis.com/{path}|{_ROLE}||{_WHO}"
    found = build_import(f"{prefix}_iam_member", Source(key, f"//x.googleapis.com/{path} {_ROLE} {_WHO}", {}, {}))
    assert found.id == f"{GRANTED[prefix]} {_ROLE} {_WHO}"
    assert found.configuration
    assert f'member = "{_WHO}"' in re.sub(" +", " ", found.configuration)


@pytest.mark.parametrize("prefix", sorted(GRANTED))
def test_the_configuration_of_a_grant_declares_that_very_grant(prefix: str) -> None:
    path, kind = _NAMES.get(prefix, GRANTED[prefix]), f"{prefix}_iam_member"
    host = specs()[kind].key({"role": "r", "member": "m"}) or next(
        item.key for item in GRANTABLE if item.prefix == prefix
    )
    source = Source(f"{host[: host.index('.com/') + 5]}{path}|{_ROLE}||{_WHO}", "", {}, {})
    rule, schema = rule_of(kind), SCHEMA.attribute_schema(kind)
    assert rule is not None
    assert schema is not None
    body = written_body(kind, "x", source, rule, schema).body
    assert specs()[kind].key(state_of_body(body)) == source.key


def test_of_a_grant_under_a_condition_the_id_is_not_known() -> None:
    found = build_import("google_project_iam_member", Source(f"//x/projects/p|{_ROLE}|abc|{_WHO}", "", {}, {}))
    assert (found.id, found.import_block, found.configuration) == (None, None, None)
    assert "does not tell" in found.notes[0]


@pytest.mark.parametrize("example", CONFIGURED, ids=lambda one: f"{one.type}-{one.variant}")
def test_a_generated_configuration_shows_no_drift(example: Example) -> None:
    live = live_of(example)
    source, rule, schema = source_of(live, specs()), rule_of(example.type), SCHEMA.attribute_schema(example.type)
    assert rule is not None
    assert schema is not None
    assert build_import(example.type, source).configuration
    written = written_body(example.type, "x", source, rule, schema)
    said = state_of_body(written.body)
    read = {
        name: value
        for name, value in example.state.items()
        if name == "id" or (name in schema and schema[name].is_computed_only)
    }
    for name in ("labels", "annotations", "resource_labels"):
        if name in schema:
            read["effective_annotations" if name == "annotations" else "effective_labels"] = said.get(name, {})
    state = filled(example.type, {**{name: item for name, item in read.items() if name in schema}, **said})
    for entry in written.body:
        if isinstance(entry, tuple) and isinstance(entry[1], Raw):
            del state[entry[0]]  # what a variable gives is a secret, which is hidden on both sides
    shown = drift(declared((example.type, state)), [live])
    assert [(one.kind, one.path) for one in shown if not (one.path and is_computed(one.path, schema))] == []


@pytest.mark.parametrize("kind", sorted(NOT_WRITTEN))
def test_what_cannot_be_written_says_what_is_missing_and_how_to_go_on(kind: str) -> None:
    found = build_import(kind, source_of(live_of(next(one for one in examples() if one.type == kind)), specs()))
    assert found.configuration is None
    assert found.id
    assert "-generate-config-out" in found.notes[0]
    assert found.notes[0].startswith("`")


def test_a_type_without_a_mapping_is_imported_by_its_path() -> None:
    key = "//memcache.googleapis.com/projects/p/locations/l/instances/cache"
    found = build_import("google_memcache_instance", Source(key, key, {}, {}))
    assert found.id == "projects/p/locations/l/instances/cache"
    assert found.configuration is None
    assert build_import("google_no_such_type", Source(key, key, {}, {})).id is None
