"""Google's rules next to the real change that each must not hide."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from functions.scan.domain.resources import LiveResource, NotChecked, Unread
from functions.scan.readers.gcp.resources import Existing, asset_of, resources_of
from functions.scan.types.gcp import TYPES, specs
from functions.scan.types.gcp.assets import Names
from functions.scan.types.gcp.forms import duration, kms_key, labels, port_range, table_schema, written
from functions.scan.types.gcp.iam import GRANTABLE, MEMBER
from functions.scan.types.gcp.mapping import GoogleType, camel, fields_of, names_in
from functions.scan.types.gcp.schema import SCHEMA
from infra.build.given_schema import given_schema_text
from tests.support.google_assets import READ_AT, declared, documented, drift, examples, wrapped

Asset = dict[str, Any]


def example(kind: str) -> tuple[Asset, Asset]:
    found = next(one for one in examples() if one.type == kind)
    return copy.deepcopy(dict(found.asset)), copy.deepcopy(dict(found.state))


def read(asset: Asset) -> list[object]:
    names = Names(projects={"100200300": "shop-prod"}, zones={"8001": ("shop", "shop.example.com.")})
    known = asset_of(asset, names)
    assert known is not None
    return list(resources_of(asset, known, READ_AT))


def live(asset: Asset, kind: str) -> LiveResource:
    (found,) = [one for one in read(asset) if isinstance(one, LiveResource) and one.type == kind]
    return found


def paths(kind: str, asset: Asset, state: Asset) -> list[str | None]:
    return [one.path for one in drift(declared((kind, state)), read(asset)) if one.type == kind]


def test_links_are_one_whatever_they_begin_with_and_differ_by_project() -> None:
    whole = "https://www.googleapis.com/compute/v1/projects/p/global/networks/n"
    assert (
        written(whole)
        == written("projects/p/global/networks/n")
        == written("//compute.googleapis.com/projects/p/global/networks/n")
    )
    assert written(whole) == written("https://compute.googleapis.com/compute/beta/projects/p/global/networks/n")
    assert written(whole) != written("projects/other/global/networks/n")
    assert written("https://example.com/projects/p") == "https://example.com/projects/p"


def test_the_version_of_a_key_moves_and_its_name_does_not() -> None:
    assert kms_key("projects/p/cryptoKeys/k/cryptoKeyVersions/3") == kms_key("projects/p/cryptoKeys/k")
    assert kms_key("projects/p/cryptoKeys/k/cryptoKeyVersions/3") != kms_key("projects/p/cryptoKeys/j")


def test_durations_ports_and_columns() -> None:
    assert duration("3.500s") == duration("3.5s") != duration("35s")
    assert duration("100s") == "100s"
    assert port_range("443-443") == "443"
    assert port_range("443-444") == "443-444"
    assert table_schema('[{"name":"a","type":"INT64"}]') == table_schema(
        [{"name": "a", "type": "INTEGER", "mode": "NULLABLE"}]
    )
    assert table_schema('[{"name":"a","type":"INT64"}]') != table_schema(
        [{"name": "a", "type": "INTEGER", "mode": "REQUIRED"}]
    )


def test_labels_of_google_are_nobodys_and_others_are_seen() -> None:
    assert labels({"goog-terraform-provisioned": "true"}) is None
    asset, state = example("google_compute_address")
    asset["resource"]["data"]["labels"]["owner"] = "mallory"
    assert paths("google_compute_address", asset, state) == ["labels.owner"]


def test_labels_of_providers_before_version_5_are_compared_as_they_are() -> None:
    asset, state = example("google_compute_address")
    for name in ("effective_labels", "terraform_labels"):
        del state[name]
    state["labels"] = {"team": "net"}
    assert paths("google_compute_address", asset, state) == []
    state["labels"] = {"team": "other"}
    assert paths("google_compute_address", asset, state) == ["labels.team"]


def test_a_log_that_is_switched_off_is_seen() -> None:
    asset, state = example("google_compute_firewall")
    asset["resource"]["data"]["logConfig"] = {"enable": False}
    assert paths("google_compute_firewall", asset, state) == ["log_config"]


def test_a_cluster_that_lets_everybody_in_is_seen() -> None:
    """No block of addresses with the feature on lets nobody in; with the feature off everybody."""
    asset, state = example("google_container_cluster")
    asset["resource"]["data"]["masterAuthorizedNetworksConfig"] = {"enabled": True}
    state["master_authorized_networks_config"] = [{"cidr_blocks": [], "gcp_public_cidrs_access_enabled": False}]
    assert paths("google_container_cluster", asset, state) == []
    asset["resource"]["data"]["masterAuthorizedNetworksConfig"] = {}
    assert paths("google_container_cluster", asset, state) == ["master_authorized_networks_config"]


def test_an_outer_address_that_a_machine_got_is_seen() -> None:
    asset, state = example("google_compute_instance")
    asset["resource"]["data"]["networkInterfaces"][0]["accessConfigs"] = []
    found = paths("google_compute_instance", asset, state)
    assert found == ["network_interface[0].access_config"]


def test_what_an_autoscaler_steers_is_not_compared() -> None:
    asset, state = example("google_compute_instance_group_manager")
    asset["resource"]["data"]["targetSize"] = 7
    assert paths("google_compute_instance_group_manager", asset, state) == ["target_size"]
    asset["resource"]["data"]["status"]["autoscaler"] = (
        "https://www.googleapis.com/compute/v1/projects/p/zones/z/autoscalers/a"
    )
    assert paths("google_compute_instance_group_manager", asset, state) == []


def test_metadata_is_never_shown() -> None:
    asset, state = example("google_compute_instance")
    asset["resource"]["data"]["metadata"]["items"][1]["value"] = "#!/bin/sh\ncurl evil"
    (found,) = drift(declared(("google_compute_instance", state)), read(asset))
    assert found.path == "metadata"
    assert found.is_sensitive


def test_the_default_network_is_googles_and_one_of_its_name_is_not() -> None:
    asset, _ = example("google_compute_network")
    data = asset["resource"]["data"]
    data.update(name="default", description="Default network for the project", autoCreateSubnetworks=True)
    assert live(asset, "google_compute_network").cloud_made
    data["description"] = "mine"
    assert not live(asset, "google_compute_network").cloud_made


def test_routes_that_come_with_a_network_are_googles_and_others_to_everywhere_are_not() -> None:
    asset, _ = example("google_compute_route")
    data = asset["resource"]["data"]
    gateway = "https://www.googleapis.com/compute/v1/projects/shop-prod/global/gateways/default-internet-gateway"
    data.update(name="default-route-r-1", description="Default route to the Internet.", nextHopGateway=gateway)
    assert live(asset, "google_compute_route").cloud_made
    data["name"] = "egress"
    assert not live(asset, "google_compute_route").cloud_made


def test_records_at_the_top_of_a_zone_are_googles_and_a_delegation_is_not() -> None:
    asset, _ = example("google_dns_record_set")
    data = asset["resource"]["data"]
    data.update(name="shop.example.com.", type="NS")
    assert live(asset, "google_dns_record_set").cloud_made
    data["name"] = "sub.shop.example.com."
    assert not live(asset, "google_dns_record_set").cloud_made


def test_a_service_that_is_off_is_missed() -> None:
    asset, state = example("google_project_service")
    asset["resource"]["data"]["state"] = "DISABLED"
    assert [one.kind for one in drift(declared(("google_project_service", state)), read(asset))] == ["missing"]


def test_a_type_without_a_mapping_exists_all_the_same() -> None:
    asset = wrapped(
        {
            "assetType": "aiplatform.googleapis.com/Endpoint",
            "name": "//aiplatform.googleapis.com/projects/p/locations/l/endpoints/1",
            "data": {"labels": {"a": "b"}},
        }
    )
    (found,) = read(asset)
    assert isinstance(found, Existing)
    assert (found.kind, dict(found.labels)) == ("aiplatform.googleapis.com/Endpoint", {"a": "b"})


def test_a_regional_one_of_a_type_that_is_mapped_globally_exists() -> None:
    asset, _ = example("google_compute_ssl_policy")
    asset["name"] = "//compute.googleapis.com/projects/shop-prod/regions/europe-west1/sslPolicies/modern"
    assert [type(one) for one in read(asset)] == [Existing]


@pytest.mark.parametrize(
    "damage", [{"resource": {"data": "no"}}, {"resource": None}, {"assetExceptions": [{"exceptionType": "TRUNCATION"}]}]
)
def test_what_cannot_be_understood_is_unread_and_never_missing(damage: Asset) -> None:
    asset, state = example("google_compute_network")
    found = read({**asset, **damage})
    assert [type(one) for one in found] == [Unread]
    assert drift(declared(("google_compute_network", state)), found) == []


def test_a_nested_member_of_another_kind_is_unread() -> None:
    asset, state = example("google_compute_subnetwork")
    asset["resource"]["data"]["secondaryIpRanges"] = ["no"]
    assert drift(declared(("google_compute_subnetwork", state)), read(asset)) == []


def test_one_whose_name_lies_in_what_cannot_be_read_makes_its_type_not_checked() -> None:
    asset, state = example("google_storage_bucket")
    found = read({**asset, "resource": {}})
    assert [type(one) for one in found] == [NotChecked]
    assert drift(declared(("google_storage_bucket", state)), found) == []


def test_what_changed_shortly_before_is_left_for_the_next_time() -> None:
    asset, state = example("google_compute_network")
    asset["resource"]["data"]["mtu"] = 1500
    asset["updateTime"] = "2026-11-26T03:59:00Z"
    assert drift(declared(("google_compute_network", state)), read(asset)) == []
    asset["updateTime"] = "2026-11-26T03:57:00Z"
    assert [one.path for one in drift(declared(("google_compute_network", state)), read(asset))] == ["mtu"]


def test_a_resource_of_another_project_is_not_missed_here() -> None:
    _, state = example("google_compute_network")
    state.update(project="shop-stage", id="projects/shop-stage/global/networks/core")
    assert drift(declared(("google_compute_network", state)), []) == []


def test_every_name_of_a_key_is_an_attribute_of_the_type() -> None:
    for kind in TYPES:
        assert set(names_in(kind.key)) <= set(SCHEMA.attribute_schema(kind.type) or ()), kind.type
    for one in GRANTABLE:
        assert set(names_in(one.key)) <= set(SCHEMA.attribute_schema(one.prefix + MEMBER) or ()), one.prefix


def test_every_type_is_one_of_the_provider() -> None:
    assert set(specs()) <= SCHEMA.known_types()
    assert SCHEMA.known_count == len(SCHEMA.known_types()) > 1000


def test_names_follow_by_rule_and_a_table_that_names_what_is_not_there_is_refused() -> None:
    assert camel("ip_cidr_range") == "ipCidrRange"
    with pytest.raises(ValueError, match="has no mtv"):
        fields_of(GoogleType("google_compute_network", ("compute.googleapis.com/Network",), "mtv"))
    with pytest.raises(ValueError, match="does not compare"):
        fields_of(GoogleType("google_compute_network", ("compute.googleapis.com/Network",), "mtu", at={"mtv": "mtu"}))
    with pytest.raises(ValueError, match="the provider has no"):
        fields_of(GoogleType("google_nothing", ("x/Y",), ""))


def test_sets_of_the_provider_have_no_order_and_lists_do() -> None:
    pool, policy = specs()["google_compute_subnetwork"].shapes, specs()["google_compute_firewall"].shapes
    ranges = [{"range_name": "a"}, {"range_name": "b"}]
    assert pool["secondary_ip_range"](ranges) != pool["secondary_ip_range"](ranges[::-1])
    allowed = [{"protocol": "tcp", "ports": ["1"]}, {"protocol": "udp", "ports": ["2"]}]
    assert policy["allow"](allowed) == policy["allow"](allowed[::-1])


def test_the_schema_file_is_written_from_what_terraform_prints() -> None:
    types = {"google_x": {"block": {"attributes": {"name": {"type": "string", "required": True}}}}}
    whole = {"provider_schemas": {"registry.terraform.io/hashicorp/google": {"resource_schemas": types}}}
    text = given_schema_text(json.dumps(whole).encode(), SCHEMA)
    assert text == given_schema_text(json.dumps({"resource_schemas": types}).encode(), SCHEMA)
    assert text.splitlines()[1] == 'google_x\t{"name":"r:s"}'


OLDER = [
    pytest.param("google_container_node_pool", ("node_config", 0, "effective_taints"), id="taints"),
    pytest.param("google_container_node_pool", ("node_config", 0, "logging_variant"), id="logging of nodes"),
    pytest.param(
        "google_container_cluster", ("control_plane_endpoints_config", 0, "ip_endpoints_config"), id="endpoints"
    ),
    pytest.param(
        "google_compute_instance_group_manager",
        ("instance_lifecycle_policy", 0, "default_action_on_failure"),
        id="lifecycle",
    ),
    pytest.param(
        "google_compute_region_instance_group_manager",
        ("update_policy", 0, "instance_redistribution_type"),
        id="spread",
    ),
    pytest.param("google_sql_database_instance", ("settings", 0, "edition"), id="edition"),
]


@pytest.mark.parametrize(("kind", "path"), OLDER)
def test_what_a_state_of_an_older_provider_does_not_hold_is_no_drift(kind: str, path: tuple[str | int, ...]) -> None:
    one = next(one for one in documented() if one.type == kind and one.variant == "minimal")
    state = copy.deepcopy(dict(one.state))
    held: Any = state
    for name in path[:-1]:
        held = held[name]
    del held[path[-1]]
    assert [item for item in drift(declared((kind, state)), read(dict(one.asset))) if item.type == kind] == []


def test_an_older_state_has_all_taints_of_a_pool_among_the_declared_ones() -> None:
    kind = "google_container_node_pool"
    one = next(one for one in documented() if one.type == kind and one.variant == "full")
    state = copy.deepcopy(dict(one.state))
    del state["node_config"][0]["effective_taints"]
    assert drift(declared((kind, state)), read(dict(one.asset))) == []
    asset = copy.deepcopy(dict(one.asset))
    asset["resource"]["data"]["config"]["taints"].append({"key": "a", "value": "b", "effect": "NO_EXECUTE"})
    assert [item.path for item in drift(declared((kind, state)), read(asset))] == ["node_config.effective_taints"]


def test_a_door_of_a_cluster_that_was_shut_is_found() -> None:
    kind = "google_container_cluster"
    one = next(one for one in documented() if one.type == kind and one.variant == "minimal")
    asset = copy.deepcopy(dict(one.asset))
    asset["resource"]["data"]["controlPlaneEndpointsConfig"]["ipEndpointsConfig"]["enabled"] = False
    found = [item for item in drift(declared((kind, dict(one.state))), read(asset)) if item.type == kind]
    assert [str(item.path).partition(".")[0] for item in found] == ["control_plane_endpoints_config"]
