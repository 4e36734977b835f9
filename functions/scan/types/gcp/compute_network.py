"""Networks, addresses and the ways in and out of them.

Source: https://cloud.google.com/compute/docs/reference/rest/v1 (networks, subnetworks, firewalls, routes, routers, addresses,
vpnTunnels, vpnGateways, targetVpnGateways, externalVpnGateways, networkEndpointGroups, serviceAttachments);
Terraform Google provider 6.50, resource documentation of each type.
"""

from __future__ import annotations

from ...domain.shapes import cidr, default_is, folded_text, set_of, text
from .assets import Asset
from .forms import unless
from .mapping import GoogleType, Item, member

_API = "compute.googleapis.com/"


def _is_default_network(asset: Asset) -> bool:
    data = asset.data
    return (
        data.get("name") == "default"
        and data.get("description") == "Default network for the project"
        and data.get("autoCreateSubnetworks") is True
    )


def _is_made_route(asset: Asset) -> bool:
    """Tell the routes that come with a network, a subnetwork or a peering, and go with it."""
    data = asset.data
    if data.get("nextHopNetwork") or data.get("nextHopPeering"):
        return True
    return (
        str(data.get("name")).startswith("default-route-")
        and data.get("description") == "Default route to the Internet."
        and str(data.get("nextHopGateway")).endswith("/global/gateways/default-internet-gateway")
    )


def _enabled_log(data: Item, _asset: Asset) -> object:
    """A log that is off is no block in a state."""
    log = data.get("logConfig")
    return log if member(log, "enable") is True else None


def _metadata_fields(data: Item, _asset: Asset) -> object:
    """Which fields are logged; the API goes on to tell them when `metadata` no longer asks for them, and they do nothing."""
    return data.get("metadataFields") if data.get("metadata") == "CUSTOM_METADATA" else None


TYPES = (
    GoogleType(
        "google_compute_network",
        (_API + "Network",),
        "auto_create_subnetworks bgp_always_compare_med bgp_best_path_selection_mode bgp_inter_region_cost description"
        " enable_ula_internal_ipv6 internal_ipv6_range mtu"
        " network_firewall_policy_enforcement_order routing_mode",
        at={
            "bgp_always_compare_med": "routingConfig.bgpAlwaysCompareMed",
            "bgp_best_path_selection_mode": "routingConfig.bgpBestPathSelectionMode",
            "bgp_inter_region_cost": "routingConfig.bgpInterRegionCost",
            "routing_mode": "routingConfig.routingMode",
        },
        made=_is_default_network,
    ),
    GoogleType(
        "google_compute_subnetwork",
        (_API + "Subnetwork",),
        "description ip_cidr_range ipv6_access_type log_config network private_ip_google_access private_ipv6_google_access"
        " purpose role secondary_ip_range stack_type",
        at={"secondary_ip_range": "secondaryIpRanges"},
        read={"log_config": _enabled_log, "log_config.metadata_fields": _metadata_fields},
        shapes={"private_ipv6_google_access": unless("DISABLE_GOOGLE_ACCESS"), "purpose": unless("PRIVATE")},
        inside={
            "log_config": "aggregation_interval filter_expr flow_sampling metadata metadata_fields",
            "secondary_ip_range": "ip_cidr_range range_name reserved_internal_range",
        },
        present=frozenset({"log_config"}),
    ),
    GoogleType(
        "google_compute_firewall",
        (_API + "Firewall",),
        "allow deny description destination_ranges direction disabled log_config network priority source_ranges"
        " source_service_accounts source_tags target_service_accounts target_tags",
        at={"allow": "allowed", "allow.protocol": "IPProtocol", "deny": "denied", "deny.protocol": "IPProtocol"},
        read={"log_config": _enabled_log},
        shapes={
            "allow.protocol": folded_text,
            "allow.ports": set_of(text),
            "deny.protocol": folded_text,
            "deny.ports": set_of(text),
            "source_ranges": set_of(cidr),
            "destination_ranges": set_of(cidr),
        },
        present=frozenset({"log_config"}),
    ),
    GoogleType(
        "google_compute_route",
        (_API + "Route",),
        "description dest_range network next_hop_gateway next_hop_ilb next_hop_ip next_hop_vpn_tunnel priority tags",
        made=_is_made_route,
    ),
    GoogleType(
        "google_compute_router",
        (_API + "Router",),
        "bgp description encrypted_interconnect_router network",
        shapes={"bgp.advertised_groups": set_of(text)},
        inside={"bgp": "advertise_mode advertised_groups advertised_ip_ranges asn identifier_range keepalive_interval"},
    ),
    GoogleType(
        "google_compute_router_nat",
        (_API + "Router",),
        "auto_network_tier drain_nat_ips enable_dynamic_port_allocation enable_endpoint_independent_mapping endpoint_types"
        " icmp_idle_timeout_sec log_config max_ports_per_vm min_ports_per_vm nat_ip_allocate_option nat_ips rules source_subnetwork_ip_ranges_to_nat subnetwork"
        " tcp_established_idle_timeout_sec tcp_time_wait_timeout_sec tcp_transitory_idle_timeout_sec type udp_idle_timeout_sec",
        at={"subnetwork": "subnetworks"},
        shapes={
            # The provider writes the documented default where the API says nothing.
            "icmp_idle_timeout_sec": default_is(30, lambda value: _whole(value, 30)),
            "tcp_established_idle_timeout_sec": default_is(1200, lambda value: _whole(value, 1200)),
            "tcp_time_wait_timeout_sec": default_is(120, lambda value: _whole(value, 120)),
            "tcp_transitory_idle_timeout_sec": default_is(30, lambda value: _whole(value, 30)),
            "type": unless("PUBLIC"),
            "udp_idle_timeout_sec": default_is(30, lambda value: _whole(value, 30)),
        },
        key="//compute.googleapis.com/projects/{project}/regions/{region:tail}/routers/{router:tail}/nats/{name}",
        live_key="{asset}/nats/{name}",
        within="nats",
    ),
    GoogleType(
        "google_compute_address",
        (_API + "Address",),
        "address address_type description ip_version labels network network_tier prefix_length purpose subnetwork",
        shapes={"address_type": unless("EXTERNAL"), "ip_version": unless("IPV4")},
    ),
    GoogleType(
        "google_compute_global_address",
        (_API + "GlobalAddress",),
        "address address_type description ip_version labels network prefix_length purpose",
        shapes={"address_type": unless("EXTERNAL"), "ip_version": unless("IPV4")},
    ),
    GoogleType("google_compute_vpn_gateway", (_API + "TargetVpnGateway",), "description network"),
    GoogleType(
        "google_compute_ha_vpn_gateway",
        (_API + "VpnGateway",),
        "description gateway_ip_version labels network stack_type",
        shapes={"gateway_ip_version": unless("IPV4")},
    ),
    GoogleType(
        "google_compute_external_vpn_gateway",
        (_API + "ExternalVpnGateway",),
        "description interface labels redundancy_type",
        at={"interface": "interfaces"},
    ),
    GoogleType(
        "google_compute_vpn_tunnel",
        (_API + "VpnTunnel",),
        "description ike_version labels local_traffic_selector peer_external_gateway peer_external_gateway_interface"
        " peer_gcp_gateway peer_ip remote_traffic_selector router target_vpn_gateway vpn_gateway vpn_gateway_interface",
    ),
    GoogleType(
        "google_compute_network_endpoint_group",
        (_API + "NetworkEndpointGroup",),
        "default_port description network network_endpoint_type subnetwork",
        when=lambda asset: "/zones/" in asset.name,
    ),
    GoogleType(
        "google_compute_service_attachment",
        (_API + "ServiceAttachment",),
        "connection_preference consumer_accept_lists consumer_reject_lists description domain_names enable_proxy_protocol"
        " nat_subnets propagated_connection_limit reconcile_connections target_service",
    ),
)


def _whole(value: object, default: int) -> int:
    """A number of seconds; zero is never meant."""
    return int(str(value)) if value not in (None, "", 0) else default
