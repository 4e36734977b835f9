"""Networks: what they are made of, and who stands in them.

Source: Terraform AzureRM provider 4, resource documentation of each type; ARM template reference, Microsoft.Network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...domain.shapes import (
    Canonical,
    boolean,
    cidr,
    default_is,
    folded_text,
    ip_address,
    list_of,
    number,
    set_of,
    text,
)
from .ids import arm_id, inside, joined_key, key_from, parent_from
from .mapping import (
    LOCATION,
    PLACED,
    TAGS,
    ZONES,
    Attribute,
    AzureType,
    any_of,
    at,
    ids,
    inverted,
    named_blocks,
    one_block,
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


_IP_CONFIGURATION = {
    "private_ip_address_allocation": Attribute(folded_text, "properties.privateIPAllocationMethod"),
    "private_ip_address_version": Attribute(
        default_is("IPv4", text), "properties.privateIPAddressVersion", default="IPv4"
    ),
    "public_ip_address_id": Attribute(arm_id, "properties.publicIPAddress.id"),
    "subnet_id": Attribute(arm_id, "properties.subnet.id"),
}


def _connection(row: Any) -> object:
    manual = at(row, "properties.manualPrivateLinkServiceConnections") or []
    found = [*(at(row, "properties.privateLinkServiceConnections") or []), *manual]
    return [
        {
            "name": at(item, "name"),
            "private_connection_resource_id": at(item, "properties.privateLinkServiceId"),
            "subresource_names": at(item, "properties.groupIds") or [],
            "is_manual_connection": item in manual,
        }
        for item in found
    ]


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
            "flow_timeout_in_minutes": Attribute(default_is(0, number)),
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
            "dns_servers": Attribute(list_of(ip_address), "properties.dnsSettings.dnsServers"),
            "internal_dns_name_label": Attribute(text, "properties.dnsSettings.internalDnsNameLabel"),
            "ip_configuration": named_blocks(_IP_CONFIGURATION, "properties.ipConfigurations"),
            "ip_forwarding_enabled": Attribute(boolean, "properties.enableIPForwarding"),
            "enable_ip_forwarding": Attribute(boolean, "properties.enableIPForwarding"),
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
            "domain_name_label": Attribute(text, "properties.dnsSettings.domainNameLabel"),
            "idle_timeout_in_minutes": Attribute(number),
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
            "prefix_length": Attribute(number),
            "sku": Attribute(folded_text, "sku.name"),
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
    AzureType(
        "azurerm_lb",
        "microsoft.network/loadbalancers",
        {
            **PLACED,
            "frontend_ip_configuration": named_blocks(
                {
                    "public_ip_address_id": Attribute(arm_id, "properties.publicIPAddress.id"),
                    "subnet_id": Attribute(arm_id, "properties.subnet.id"),
                    "zones": Attribute(set_of(text), "zones"),
                },
                "properties.frontendIPConfigurations",
            ),
            "sku": Attribute(folded_text, "sku.name"),
            "sku_tier": Attribute(default_is("regional", folded_text), "sku.tier"),
        },
    ),
    AzureType(
        "azurerm_lb_backend_address_pool",
        "microsoft.network/loadbalancers/backendaddresspools",
        {},
    ),
    AzureType(
        "azurerm_lb_probe",
        "microsoft.network/loadbalancers/probes",
        {
            "interval_in_seconds": Attribute(number),
            "number_of_probes": Attribute(number),
            "port": Attribute(number),
            "protocol": Attribute(folded_text),
            "request_path": Attribute(text),
        },
    ),
    AzureType(
        "azurerm_lb_rule",
        "microsoft.network/loadbalancers/loadbalancingrules",
        {
            "backend_port": Attribute(number),
            "frontend_port": Attribute(number),
            "idle_timeout_in_minutes": Attribute(default_is(4, number)),
            "load_distribution": Attribute(default_is("default", folded_text)),
            "probe_id": Attribute(arm_id, "properties.probe.id"),
            "protocol": Attribute(folded_text),
        },
    ),
    AzureType(
        "azurerm_private_endpoint",
        "microsoft.network/privateendpoints",
        {
            **PLACED,
            "private_service_connection": Attribute(
                set_of(
                    lambda item: (
                        {
                            "name": text(item.get("name")),
                            "private_connection_resource_id": arm_id(item.get("private_connection_resource_id")),
                            "subresource_names": set_of(folded_text)(item.get("subresource_names")),
                            "is_manual_connection": boolean(item.get("is_manual_connection")),
                        }
                        if isinstance(item, Mapping)
                        else None
                    )
                ),
                "",
                _connection,
            ),
            "subnet_id": Attribute(arm_id, "properties.subnet.id"),
        },
    ),
    AzureType("azurerm_private_dns_zone", "microsoft.network/privatednszones", {"tags": TAGS}),
    AzureType(
        "azurerm_private_dns_zone_virtual_network_link",
        "microsoft.network/privatednszones/virtualnetworklinks",
        {
            "registration_enabled": Attribute(boolean),
            "tags": TAGS,
            "virtual_network_id": Attribute(arm_id, "properties.virtualNetwork.id"),
        },
    ),
    AzureType("azurerm_dns_zone", "microsoft.network/dnszones", {"tags": TAGS}),
    AzureType("azurerm_network_watcher", "microsoft.network/networkwatchers", PLACED),
    AzureType(
        "azurerm_bastion_host",
        "microsoft.network/bastionhosts",
        {
            **PLACED,
            "copy_paste_enabled": Attribute(boolean, "properties.disableCopyPaste", inverted, default=True),
            "file_copy_enabled": Attribute(boolean, "properties.enableFileCopy"),
            "ip_connect_enabled": Attribute(boolean, "properties.enableIpConnect"),
            "scale_units": Attribute(default_is(2, number)),
            "shareable_link_enabled": Attribute(boolean, "properties.enableShareableLink"),
            "sku": Attribute(folded_text, "sku.name"),
            "tunneling_enabled": Attribute(boolean, "properties.enableTunneling"),
        },
    ),
    AzureType(
        "azurerm_local_network_gateway",
        "microsoft.network/localnetworkgateways",
        {
            **PLACED,
            "address_space": Attribute(set_of(cidr), "properties.localNetworkAddressSpace.addressPrefixes"),
            "gateway_address": Attribute(ip_address, "properties.gatewayIpAddress"),
            "gateway_fqdn": Attribute(text, "properties.fqdn"),
        },
    ),
    AzureType("azurerm_network_ddos_protection_plan", "microsoft.network/ddosprotectionplans", PLACED),
    AzureType(
        "azurerm_ip_group",
        "microsoft.network/ipgroups",
        {**PLACED, "cidrs": Attribute(prefixes, "properties.ipAddresses")},
    ),
    AzureType(
        "azurerm_firewall",
        "microsoft.network/azurefirewalls",
        {
            "location": LOCATION,
            "tags": TAGS,
            "firewall_policy_id": Attribute(arm_id, "properties.firewallPolicy.id"),
            "sku_name": Attribute(text, "properties.sku.name"),
            "sku_tier": Attribute(text, "properties.sku.tier"),
            "threat_intel_mode": Attribute(folded_text),
            "zones": ZONES,
        },
    ),
)
