"""What stands at the edges of networks: load balancers, private endpoints, name zones, bastions, gateways, firewalls.

Source: Terraform AzureRM provider 4, resource documentation of each type; ARM template reference, Microsoft.Network.
"""

from __future__ import annotations

from typing import Any

from ...domain.shapes import block, boolean, cidr, default_is, folded_text, ip_address, number, set_of, text
from .ids import arm_id
from .mapping import (
    LOCATION,
    NOT_READ,
    PLACED,
    TAGS,
    ZONES,
    Attribute,
    Attributes,
    AzureType,
    at,
    flag,
    ids,
    inverted,
    last_segment,
    named_blocks,
    one_block,
    reference,
    some_blocks,
    word,
)
from .network import fixed_addresses, prefixes

_ALIAS = ".azure.privatelinkservice"


def _connections(row: Any) -> list[Any]:
    manual = at(row, "properties.manualPrivateLinkServiceConnections") or []
    found = [(item, False) for item in at(row, "properties.privateLinkServiceConnections") or []]
    return [_connection(item, is_manual=flagged) for item, flagged in [*found, *((item, True) for item in manual)]]


def _connection(item: Any, *, is_manual: bool) -> dict[str, object]:
    target = at(item, "properties.privateLinkServiceId")
    is_alias = str(target or "").lower().endswith(_ALIAS)
    return {
        "name": at(item, "name"),
        "private_connection_resource_id": None if is_alias else target,
        "private_connection_resource_alias": target if is_alias else None,
        "request_message": at(item, "properties.requestMessage") if is_manual else None,
        "subresource_names": at(item, "properties.groupIds") or [],
        "is_manual_connection": is_manual,
    }


_CONNECTION: Attributes = {
    "name": Attribute(text, "name"),
    "private_connection_resource_id": Attribute(arm_id, "private_connection_resource_id"),
    "private_connection_resource_alias": word("private_connection_resource_alias"),
    "request_message": Attribute(text, "request_message"),
    "subresource_names": Attribute(set_of(folded_text), "subresource_names"),
    "is_manual_connection": flag("is_manual_connection"),
}
_FRONTEND: Attributes = {
    "gateway_load_balancer_frontend_ip_configuration_id": reference("properties.gatewayLoadBalancer.id"),
    "private_ip_address": Attribute(ip_address, "properties.privateIPAddress"),
    "private_ip_address_allocation": word("properties.privateIPAllocationMethod"),
    "private_ip_address_version": word("properties.privateIPAddressVersion", unset="ipv4"),
    "public_ip_address_id": reference("properties.publicIPAddress.id"),
    "public_ip_prefix_id": reference("properties.publicIPPrefix.id"),
    "subnet_id": reference("properties.subnet.id"),
    "zones": Attribute(set_of(text), "zones"),
}
_ADDRESS: Attributes = {
    "public_ip_address_id": reference("properties.publicIPAddress.id"),
    "subnet_id": reference("properties.subnet.id"),
}


def _name_servers(found: Any) -> object:
    """Write which name servers a firewall asks; versions of the provider differ in what they make of them without its proxy."""
    servers = _listed(found, "Network.DNS.Servers")
    is_proxied = str(found.get("Network.DNS.EnableProxy") or "").lower() == "true"
    return NOT_READ if servers and not is_proxied else servers


def _listed(found: Any, name: str) -> list[str]:
    """Return a list that a firewall keeps as one text."""
    return [item.strip() for item in str(found.get(name) or "").split(",") if item.strip()]


_EXTRA = "properties.additionalProperties"

TYPES = (
    AzureType(
        "azurerm_lb",
        "microsoft.network/loadbalancers",
        {
            **PLACED,
            "frontend_ip_configuration": fixed_addresses(
                named_blocks(_FRONTEND, "properties.frontendIPConfigurations")
            ),
            "sku": word("sku.name"),
            "sku_tier": word("sku.tier", unset="regional"),
        },
    ),
    AzureType(
        "azurerm_lb_backend_address_pool",
        "microsoft.network/loadbalancers/backendaddresspools",
        {
            "synchronous_mode": word("properties.syncMode", default=NOT_READ),
            "tunnel_interface": some_blocks(
                {
                    "identifier": Attribute(number),
                    "port": Attribute(number),
                    "protocol": Attribute(folded_text),
                    "type": Attribute(folded_text),
                },
                "properties.tunnelInterfaces",
            ),
            "virtual_network_id": Attribute(arm_id, "properties.virtualNetwork.id", default=NOT_READ),
        },
    ),
    AzureType(
        "azurerm_lb_probe",
        "microsoft.network/loadbalancers/probes",
        {
            "interval_in_seconds": Attribute(number),
            "number_of_probes": Attribute(number),
            "port": Attribute(number),
            "probe_threshold": Attribute(default_is(1, number)),
            "protocol": Attribute(folded_text),
            "request_path": Attribute(text),
        },
    ),
    AzureType(
        "azurerm_lb_rule",
        "microsoft.network/loadbalancers/loadbalancingrules",
        {
            "backend_address_pool_ids": Attribute(set_of(arm_id), "properties.backendAddressPools", ids),
            "backend_port": Attribute(number),
            "disable_outbound_snat": Attribute(boolean),
            "enable_floating_ip": flag("properties.enableFloatingIP"),
            "enable_tcp_reset": Attribute(boolean),
            "floating_ip_enabled": flag("properties.enableFloatingIP"),
            "frontend_ip_configuration_name": Attribute(text, "properties.frontendIPConfiguration.id", last_segment),
            "frontend_port": Attribute(number),
            "idle_timeout_in_minutes": Attribute(default_is(4, number)),
            "load_distribution": Attribute(default_is("default", folded_text)),
            "probe_id": reference("properties.probe.id"),
            "protocol": Attribute(folded_text),
            "tcp_reset_enabled": flag("properties.enableTcpReset"),
        },
        renamed={"enable_floating_ip": "floating_ip_enabled", "enable_tcp_reset": "tcp_reset_enabled"},
    ),
    AzureType(
        "azurerm_private_endpoint",
        "microsoft.network/privateendpoints",
        {
            **PLACED,
            "custom_network_interface_name": Attribute(text),
            "ip_configuration": named_blocks(
                {
                    "member_name": Attribute(text),
                    "private_ip_address": Attribute(ip_address, "properties.privateIPAddress"),
                    "subresource_name": word("properties.groupId"),
                },
                "properties.ipConfigurations",
            ),
            "private_service_connection": some_blocks(_CONNECTION, "", spelled=_connections),
            "subnet_id": reference("properties.subnet.id"),
        },
    ),
    AzureType("azurerm_private_dns_zone", "microsoft.network/privatednszones", {"tags": TAGS}),
    AzureType(
        "azurerm_private_dns_zone_virtual_network_link",
        "microsoft.network/privatednszones/virtualnetworklinks",
        {
            "registration_enabled": Attribute(boolean),
            "resolution_policy": Attribute(default_is("default", folded_text), default=NOT_READ),
            "tags": TAGS,
            "virtual_network_id": reference("properties.virtualNetwork.id"),
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
            "file_copy_enabled": flag("properties.enableFileCopy"),
            "ip_configuration": named_blocks(_ADDRESS, "properties.ipConfigurations"),
            "ip_connect_enabled": flag("properties.enableIpConnect"),
            "kerberos_enabled": flag("properties.enableKerberos"),
            "scale_units": Attribute(default_is(2, number)),
            "session_recording_enabled": flag("properties.enableSessionRecording"),
            "shareable_link_enabled": flag("properties.enableShareableLink"),
            "sku": word("sku.name"),
            "tunneling_enabled": flag("properties.enableTunneling"),
            "zones": ZONES,
        },
    ),
    AzureType(
        "azurerm_local_network_gateway",
        "microsoft.network/localnetworkgateways",
        {
            **PLACED,
            "address_space": Attribute(set_of(cidr), "properties.localNetworkAddressSpace.addressPrefixes"),
            "bgp_settings": one_block(
                {
                    "asn": Attribute(number),
                    "bgp_peering_address": Attribute(ip_address),
                    "peer_weight": Attribute(default_is(0, number)),
                },
                "properties.bgpSettings",
            ),
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
            "dns_servers": Attribute(set_of(ip_address), _EXTRA, _name_servers),
            "firewall_policy_id": reference("properties.firewallPolicy.id"),
            "ip_configuration": named_blocks(_ADDRESS, "properties.ipConfigurations"),
            "management_ip_configuration": one_block(
                {"name": Attribute(text, "name"), **_ADDRESS}, "properties.managementIpConfiguration"
            ),
            "private_ip_ranges": Attribute(
                prefixes, _EXTRA, lambda found: _listed(found, "Network.SNAT.PrivateRanges")
            ),
            "sku_name": Attribute(text, "properties.sku.name"),
            "sku_tier": Attribute(text, "properties.sku.tier"),
            "threat_intel_mode": Attribute(folded_text),
            "virtual_hub": Attribute(
                block({"virtual_hub_id": arm_id, "public_ip_count": number}),
                "properties",
                lambda found: (
                    [
                        {
                            "virtual_hub_id": at(found, "virtualHub.id"),
                            "public_ip_count": at(found, "hubIPAddresses.publicIPs.count"),
                        }
                    ]
                    if at(found, "virtualHub.id")
                    else []
                ),
            ),
            "zones": ZONES,
        },
    ),
)
