"""Reachability: ways through the network that go, or lead elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..levels import Severity
from ..plan import Change, Plan
from ..rule import Match, Rule, seen, whole
from ..switches import rule_of
from ..values import holds_mark, is_list, raw, texts

_FAMILY = "reachability"
_WAYS = (
    "aws_route", "aws_route_table", "aws_route_table_association", "aws_nat_gateway", "aws_internet_gateway", "aws_egress_only_internet_gateway", "aws_vpc_peering_connection",
    "aws_vpc_peering_connection_accepter", "aws_ec2_transit_gateway", "aws_ec2_transit_gateway_vpc_attachment", "aws_ec2_transit_gateway_route", "aws_vpn_connection", "aws_vpn_gateway",
    "aws_customer_gateway", "aws_dx_connection", "aws_vpc_endpoint", "aws_lb", "aws_alb", "aws_lb_listener", "aws_alb_listener", "aws_lb_listener_rule", "aws_lb_target_group", "aws_lb_target_group_attachment",
    "aws_subnet", "aws_eip", "aws_eip_association", "aws_cloudfront_distribution", "aws_globalaccelerator_accelerator", "aws_api_gateway_rest_api", "aws_apigatewayv2_api",
    "google_compute_router", "google_compute_router_nat", "google_compute_route", "google_compute_vpn_tunnel", "google_compute_ha_vpn_gateway", "google_compute_forwarding_rule", "google_compute_global_forwarding_rule",
    "google_compute_network_peering", "google_compute_subnetwork", "google_vpc_access_connector", "google_service_networking_connection", "google_compute_service_attachment", "google_compute_backend_service",
    "google_compute_url_map", "google_compute_interconnect_attachment", "google_access_context_manager_service_perimeter", "google_compute_address", "google_compute_global_address",
    "azurerm_route", "azurerm_route_table", "azurerm_subnet_route_table_association", "azurerm_virtual_network_peering", "azurerm_virtual_network_gateway", "azurerm_virtual_network_gateway_connection",
    "azurerm_local_network_gateway", "azurerm_express_route_circuit", "azurerm_firewall", "azurerm_private_endpoint", "azurerm_nat_gateway", "azurerm_subnet", "azurerm_lb", "azurerm_lb_rule",
    "azurerm_application_gateway", "azurerm_public_ip", "azurerm_cdn_frontdoor_profile", "azurerm_cdn_frontdoor_route", "azurerm_subnet_nat_gateway_association",
)  # fmt: skip
_DESTINATIONS = ("gateway_id", "nat_gateway_id", "transit_gateway_id", "vpc_peering_connection_id", "network_interface_id", "vpc_endpoint_id", "next_hop_gateway", "next_hop_ip", "next_hop_instance",
                 "next_hop_vpn_tunnel", "next_hop_in_ip_address", "next_hop_type", "egress_only_gateway_id", "core_network_arn", "next_hop_ilb")  # fmt: skip
_GROUPS = ("vpc_security_group_ids", "security_groups")


def _way_gone(change: Change, _plan: Plan) -> Iterator[Match]:
    if change.is_delete and change.deposed is None:
        yield Match((whole(change),))
    elif change.is_replace:
        is_late = change.actions[0] != "create"
        yield Match(
            (whole(change),),
            "high" if is_late else "medium",
            "There is a gap until the new one is there." if is_late else "",
        )


def _way_moved(change: Change, _plan: Plan) -> Iterator[Match]:
    if not change.is_update:
        return
    moved = [
        name
        for name in _DESTINATIONS
        if raw(change.before, name) != raw(change.after, name) and raw(change.before, name)
    ]
    if moved:
        yield Match(tuple(seen(name, raw(change.before, name), raw(change.after, name)) for name in moved))


def _routes_lost(change: Change, _plan: Plan) -> Iterator[Match]:
    """Entries of a table that are no longer in it; only what is known is compared."""
    if change.before is None or change.after is None or holds_mark(raw(change.after, "route")):
        return
    was, will = (
        {_text(item) for item in found} if is_list(found := raw(side, "route")) else set[str]()
        for side in (change.before, change.after)
    )
    if was - will:
        severity: Severity = "high" if any("0.0.0.0/0" in text or "::/0" in text for text in was - will) else "medium"
        yield Match((seen("route", raw(change.before, "route"), raw(change.after, "route")),), severity)


def _text(item: object) -> str:
    return json.dumps(item, sort_keys=True, default=str)


def _groups_detached(change: Change, _plan: Plan) -> Iterator[Match]:
    if not change.is_update:
        return
    for name in _GROUPS:
        after = raw(change.after, name)
        if not holds_mark(after) and set(texts(raw(change.before, name))) - set(texts(after)):
            yield Match((seen(name, raw(change.before, name), after),))


def _perimeter(change: Change, _plan: Plan) -> Iterator[Match]:
    """A route to everywhere through an internet gateway, in a table that had none."""

    def leads_out(document: object) -> bool:
        routes = raw(document, "route") if change.type == "aws_route_table" else [document]
        return any(
            isinstance(route, dict)
            and route.get("cidr_block", route.get("destination_cidr_block")) == "0.0.0.0/0"
            and str(route.get("gateway_id") or "").startswith("igw-")
            for route in (routes if is_list(routes) else ())
        )

    if leads_out(change.after) and not leads_out(change.before):
        yield Match((seen("route", raw(change.before, "route"), raw(change.after, "route")),))


RULES: tuple[Rule, ...] = (
    rule_of("way-gone", _FAMILY, "network-reachability", "high", "A way through the network goes", _WAYS, _way_gone),
    rule_of("way-moved", _FAMILY, "network-reachability", "high", "A route leads elsewhere", ("aws_route", "google_compute_route", "azurerm_route"), _way_moved, paths=("gateway_id", "nat_gateway_id", "next_hop_in_ip_address")),
    rule_of("routes-lost", _FAMILY, "network-reachability", "medium", "Routes are taken out of a table", ("aws_route_table", "aws_default_route_table", "azurerm_route_table"), _routes_lost, paths=("route",)),
    rule_of("security-group-detached", _FAMILY, "network-reachability", "medium", "A security group is detached", ("aws_instance", "aws_db_instance", "aws_rds_cluster", "aws_lb", "aws_alb", "aws_elasticache_replication_group"), _groups_detached),
    rule_of("aws-subnets-made-public", _FAMILY, "network-reachability", "medium", "Everything behind this table can now be reached from the internet, where addresses and rules allow it", ("aws_route", "aws_route_table"), _perimeter),
)  # fmt: skip
