"""Networks: what they are made of, and what stands in them.

Source: Terraform AzureRM provider 4, resource documentation of each type; ARM template reference, Microsoft.Network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...domain.shapes import (
    Canonical,
    block,
    boolean,
    cidr,
    default_is,
    folded_text,
    ip_address,
    list_of,
    number,
    set_of,
    string_map,
    text,
)
from .ids import arm_id, inside, joined_key, key_from, parent_from
from .mapping import (
    NOT_READ,
    PLACED,
    ZONES,
    Attribute,
    AzureType,
    any_of,
    at,
    ids,
    inverted,
    named_blocks,
    one_block,
    reference,
    word,
)


def prefix(value: object) -> Canonical:
    """A block of addresses, a service tag or `*`; a single address stays apart from a block of one."""
    found = cidr(value)
    return folded_text(found) if isinstance(found, str) else found


def prefixes(value: object) -> Canonical:
    """Blocks of addresses in any order; one text is a set of one."""
    return set_of(prefix)([value] if isinstance(value, str) and value else value)


_PREFIXES = Attribute(prefixes, "", any_of("properties.addressPrefixes", "properties.addressPrefix"))
_POLICY = Attribute(folded_text, default="Disabled")
_DELEGATION = named_blocks(
    {
        "service_delegation": Attribute(
            list_of(lambda item: folded_text(item.get("name")) if isinstance(item, Mapping) else None),
            "properties.serviceName",
            lambda found: [{"name": found}],
        )
    },
    "properties.delegations",
)
_SUBNET = {
    "address_prefixes": _PREFIXES,
    "default_outbound_access_enabled": Attribute(boolean, "properties.defaultOutboundAccess", default=True),
    "delegation": _DELEGATION,
    "private_endpoint_network_policies": _POLICY,
    "private_link_service_network_policies_enabled": Attribute(
        boolean,
        "properties.privateLinkServiceNetworkPolicies",
        lambda found: str(found).lower() == "enabled",
        default=True,
    ),
    "service_endpoint_policy_ids": Attribute(set_of(arm_id), "properties.serviceEndpointPolicies", ids),
    "sharing_scope": word(default=NOT_READ),
    "service_endpoints": Attribute(
        set_of(text), "properties.serviceEndpoints", lambda found: [at(item, "service") for item in found]
    ),
}
_INLINE_SUBNET = {
    "address_prefixes": _PREFIXES,
    "security_group": Attribute(arm_id, "properties.networkSecurityGroup.id"),
    "route_table_id": Attribute(arm_id, "properties.routeTable.id"),
    "service_endpoints": _SUBNET["service_endpoints"],
}
_inline_subnets = named_blocks(_INLINE_SUBNET, "properties.subnets")


def inline_subnets(value: object) -> Canonical:
    """Subnets within their network; version 3 of the provider knows one block of addresses each, by another name."""
    items = [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
    return _inline_subnets.shape(
        [
            item if item.get("address_prefixes") else {**item, "address_prefixes": item.get("address_prefix")}
            for item in items
        ]
    )


_GROUP_IDS = set_of(arm_id)
_RULE: Mapping[str, Attribute] = {
    "access": Attribute(folded_text),
    "description": Attribute(text),
    "destination_address_prefix": Attribute(prefix),
    "destination_address_prefixes": Attribute(prefixes),
    "destination_application_security_group_ids": Attribute(
        _GROUP_IDS, "properties.destinationApplicationSecurityGroups", ids
    ),
    "destination_port_range": Attribute(text),
    "destination_port_ranges": Attribute(set_of(text)),
    "direction": Attribute(folded_text),
    "priority": Attribute(number),
    "protocol": Attribute(folded_text),
    "source_address_prefix": Attribute(prefix),
    "source_address_prefixes": Attribute(prefixes),
    "source_application_security_group_ids": Attribute(_GROUP_IDS, "properties.sourceApplicationSecurityGroups", ids),
    "source_port_range": Attribute(text),
    "source_port_ranges": Attribute(set_of(text)),
}
_ROUTE = {
    "address_prefix": Attribute(prefix),
    "next_hop_in_ip_address": Attribute(ip_address, "properties.nextHopIpAddress"),
    "next_hop_type": Attribute(folded_text),
}
_NAT = "properties.natGateway.id"
_GROUP = "properties.networkSecurityGroup.id"
_TABLE = "properties.routeTable.id"


def _first_of_subnet(kind: str, attribute: str, path: str) -> AzureType:
    """Make the type of a link that is an attribute of its subnet, by whose id the provider names it."""
    return AzureType(
        kind,
        "",
        {attribute: Attribute(arm_id, path)},
        key=key_from("subnet_id"),
        parent=parent_from("azurerm_subnet", "subnet_id", attribute),
    )


def fixed_addresses(blocks: Attribute) -> Attribute:
    """Compare addresses only where they are fixed: one that Azure hands out is not what anybody declared."""

    def shape(value: object) -> Canonical:
        items = value if isinstance(value, list) else []
        return blocks.shape([_with_fixed_address(item) for item in items if isinstance(item, Mapping)])

    return replace(blocks, shape=shape)


def _with_fixed_address(item: Mapping[str, object]) -> Mapping[str, object]:
    is_fixed = str(item.get("private_ip_address_allocation") or "").lower() == "static"
    return item if is_fixed else {**item, "private_ip_address": None}


_IP_CONFIGURATIONS = fixed_addresses(
    named_blocks(
        {
            "gateway_load_balancer_frontend_ip_configuration_id": reference("properties.gatewayLoadBalancer.id"),
            "primary": Attribute(boolean),
            "private_ip_address": Attribute(ip_address, "properties.privateIPAddress"),
            "private_ip_address_allocation": word("properties.privateIPAllocationMethod"),
            "private_ip_address_version": Attribute(
                default_is("IPv4", text), "properties.privateIPAddressVersion", default="IPv4"
            ),
            "public_ip_address_id": reference("properties.publicIPAddress.id"),
            "subnet_id": reference("properties.subnet.id"),
        },
        "properties.ipConfigurations",
    )
)


def _vnet_encryption(found: Any) -> object:
    return [{"enforcement": at(found, "enforcement")}] if at(found, "enabled") else []


def _ip_tags(found: Any) -> object:
    return {str(at(item, "ipTagType")): at(item, "tag") for item in found}


TYPES = (
    AzureType(
        "azurerm_virtual_network",
        "microsoft.network/virtualnetworks",
        {
            **PLACED,
            "address_space": Attribute(set_of(cidr), "properties.addressSpace.addressPrefixes"),
            "bgp_community": Attribute(text, "properties.bgpCommunities.virtualNetworkCommunity"),
            "ddos_protection_plan": one_block(
                {
                    "id": Attribute(arm_id, "ddosProtectionPlan.id"),
                    "enable": Attribute(boolean, "enableDdosProtection", default=False),
                },
                "properties",
            ),
            "dns_servers": Attribute(list_of(ip_address), "properties.dhcpOptions.dnsServers"),
            "encryption": Attribute(block({"enforcement": folded_text}), "properties.encryption", _vnet_encryption),
            "flow_timeout_in_minutes": Attribute(default_is(0, number)),
            "private_endpoint_vnet_policies": word("properties.privateEndpointVNetPolicies", default=NOT_READ),
            "subnet": replace(_inline_subnets, shape=inline_subnets),
        },
        inline={"subnet": ("azurerm_subnet",)},
    ),
    AzureType(
        "azurerm_subnet",
        "microsoft.network/virtualnetworks/subnets",
        _SUBNET,
        parent=inside("azurerm_virtual_network", "subnets", "subnet"),
    ),
    _first_of_subnet("azurerm_subnet_network_security_group_association", "network_security_group_id", _GROUP),
    _first_of_subnet("azurerm_subnet_route_table_association", "route_table_id", _TABLE),
    _first_of_subnet("azurerm_subnet_nat_gateway_association", "nat_gateway_id", _NAT),
    AzureType(
        "azurerm_virtual_network_peering",
        "microsoft.network/virtualnetworks/virtualnetworkpeerings",
        {
            "allow_forwarded_traffic": Attribute(boolean),
            "allow_gateway_transit": Attribute(boolean),
            "allow_virtual_network_access": Attribute(boolean),
            "local_subnet_names": Attribute(set_of(text)),
            "only_ipv6_peering_enabled": Attribute(boolean, "properties.enableOnlyIPv6Peering"),
            "peer_complete_virtual_networks_enabled": Attribute(boolean, "properties.peerCompleteVnets", default=True),
            "remote_subnet_names": Attribute(set_of(text)),
            "remote_virtual_network_id": Attribute(arm_id, "properties.remoteVirtualNetwork.id"),
            "use_remote_gateways": Attribute(boolean),
        },
    ),
    AzureType(
        "azurerm_network_security_group",
        "microsoft.network/networksecuritygroups",
        {**PLACED, "security_rule": named_blocks(_RULE, "properties.securityRules")},
        inline={"security_rule": ("azurerm_network_security_rule",)},
    ),
    AzureType(
        "azurerm_network_security_rule",
        "microsoft.network/networksecuritygroups/securityrules",
        _RULE,
        parent=inside("azurerm_network_security_group", "securityRules", "security_rule"),
    ),
    AzureType(
        "azurerm_route_table",
        "microsoft.network/routetables",
        {
            **PLACED,
            "bgp_route_propagation_enabled": Attribute(
                boolean, "properties.disableBgpRoutePropagation", inverted, default=True
            ),
            "disable_bgp_route_propagation": Attribute(boolean),
            "route": named_blocks(_ROUTE, "properties.routes"),
        },
        renamed={"disable_bgp_route_propagation": "bgp_route_propagation_enabled"},
        inline={"route": ("azurerm_route",)},
    ),
    AzureType(
        "azurerm_route",
        "microsoft.network/routetables/routes",
        _ROUTE,
        parent=inside("azurerm_route_table", "routes", "route"),
    ),
    AzureType(
        "azurerm_network_interface",
        "microsoft.network/networkinterfaces",
        {
            **PLACED,
            "accelerated_networking_enabled": Attribute(boolean, "properties.enableAcceleratedNetworking"),
            "enable_accelerated_networking": Attribute(boolean),
            "auxiliary_mode": word(unset="none"),
            "auxiliary_sku": word(unset="none"),
            "dns_servers": Attribute(list_of(ip_address), "properties.dnsSettings.dnsServers"),
            "internal_dns_name_label": Attribute(text, "properties.dnsSettings.internalDnsNameLabel"),
            "ip_configuration": _IP_CONFIGURATIONS,
            "ip_forwarding_enabled": Attribute(boolean, "properties.enableIPForwarding"),
            "enable_ip_forwarding": Attribute(boolean, "properties.enableIPForwarding"),
        },
        renamed={
            "enable_accelerated_networking": "accelerated_networking_enabled",
            "enable_ip_forwarding": "ip_forwarding_enabled",
        },
    ),
    AzureType(
        "azurerm_network_interface_security_group_association",
        "",
        {},
        key=joined_key("network_interface_id", "network_security_group_id"),
        parent=parent_from("azurerm_network_interface", "network_interface_id", "network_security_group_id"),
    ),
    AzureType(
        "azurerm_public_ip",
        "microsoft.network/publicipaddresses",
        {
            **PLACED,
            "allocation_method": Attribute(folded_text, "properties.publicIPAllocationMethod"),
            "ddos_protection_mode": Attribute(
                default_is("virtualnetworkinherited", folded_text), "properties.ddosSettings.protectionMode"
            ),
            "ddos_protection_plan_id": reference("properties.ddosSettings.ddosProtectionPlan.id"),
            "domain_name_label": Attribute(text, "properties.dnsSettings.domainNameLabel"),
            "domain_name_label_scope": word("properties.dnsSettings.domainNameLabelScope", default=NOT_READ),
            "idle_timeout_in_minutes": Attribute(number),
            "ip_tags": Attribute(string_map, "properties.ipTags", _ip_tags),
            "ip_version": Attribute(default_is("IPv4", text), "properties.publicIPAddressVersion"),
            "public_ip_prefix_id": Attribute(arm_id, "properties.publicIPPrefix.id"),
            "reverse_fqdn": Attribute(text, "properties.dnsSettings.reverseFqdn"),
            "sku": Attribute(folded_text, "sku.name"),
            "sku_tier": Attribute(default_is("regional", folded_text), "sku.tier"),
            "zones": ZONES,
        },
    ),
    AzureType(
        "azurerm_public_ip_prefix",
        "microsoft.network/publicipprefixes",
        {
            **PLACED,
            "ip_version": Attribute(default_is("IPv4", text), "properties.publicIPAddressVersion"),
            "custom_ip_prefix_id": reference("properties.customIPPrefix.id"),
            "prefix_length": Attribute(number),
            "sku": Attribute(folded_text, "sku.name"),
            "sku_tier": word("sku.tier", unset="regional"),
            "zones": ZONES,
        },
    ),
    AzureType(
        "azurerm_nat_gateway",
        "microsoft.network/natgateways",
        {
            **PLACED,
            "idle_timeout_in_minutes": Attribute(default_is(4, number)),
            "sku_name": Attribute(folded_text, "sku.name"),
            "zones": ZONES,
        },
    ),
    AzureType(
        "azurerm_nat_gateway_public_ip_association",
        "",
        {},
        key=joined_key("nat_gateway_id", "public_ip_address_id"),
        parent=parent_from("azurerm_nat_gateway", "nat_gateway_id", "public_ip_address_ids"),
    ),
    AzureType(
        "azurerm_application_security_group",
        "microsoft.network/applicationsecuritygroups",
        PLACED,
    ),
)
