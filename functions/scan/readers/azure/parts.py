"""What ARM keeps inside another resource and Terraform as one of its own: subnets, rules, routes, pools, links.

Source: ARM template reference, properties of each parent; Terraform AzureRM provider 4, "Import" of each type (its id).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...domain.resources import LiveResource, Parent
from ...types.azure import ANYTHING, BY_TYPE, scale_sets
from ...types.azure.compute import machine_type
from ...types.azure.identity import access_policy
from ...types.azure.ids import key_of
from ...types.azure.mapping import Row, at, location
from ...types.azure.storage import spelled_rules

# ARM type -> (where the children are, their Terraform type, the parent's Terraform type, the attribute that may hold them)
_CHILDREN: Mapping[str, tuple[tuple[str, str, str, str], ...]] = {
    "microsoft.network/virtualnetworks": (
        ("properties.subnets", "azurerm_subnet", "azurerm_virtual_network", "subnet"),
        ("properties.virtualNetworkPeerings", "azurerm_virtual_network_peering", "azurerm_virtual_network", "peering"),
    ),
    "microsoft.network/networksecuritygroups": (
        (
            "properties.securityRules",
            "azurerm_network_security_rule",
            "azurerm_network_security_group",
            "security_rule",
        ),
    ),
    "microsoft.network/routetables": (("properties.routes", "azurerm_route", "azurerm_route_table", "route"),),
    "microsoft.network/loadbalancers": (
        ("properties.backendAddressPools", "azurerm_lb_backend_address_pool", "azurerm_lb", "backend_address_pool"),
        ("properties.probes", "azurerm_lb_probe", "azurerm_lb", "probe"),
        ("properties.loadBalancingRules", "azurerm_lb_rule", "azurerm_lb", "rule"),
    ),
}


_ASSOCIATIONS = (
    "azurerm_subnet_network_security_group_association",
    "azurerm_subnet_route_table_association",
    "azurerm_subnet_nat_gateway_association",
)
PART_TYPES: Mapping[str, tuple[str, ...]] = {
    **{kind: tuple(child[1] for child in children) for kind, children in _CHILDREN.items()},
    "microsoft.network/virtualnetworks": ("azurerm_subnet", "azurerm_virtual_network_peering", *_ASSOCIATIONS),
    "microsoft.network/networkinterfaces": ("azurerm_network_interface_security_group_association",),
    "microsoft.network/natgateways": ("azurerm_nat_gateway_public_ip_association",),
    "microsoft.compute/virtualmachines": ("azurerm_virtual_machine_data_disk_attachment",),
    "microsoft.containerservice/managedclusters": ("azurerm_kubernetes_cluster_node_pool",),
    "microsoft.keyvault/vaults": ("azurerm_key_vault_access_policy",),
    scale_sets.ARM: (scale_sets.EXTENSION,),
    "microsoft.storage/storageaccounts": ("azurerm_storage_account_network_rules",),
}
"""ARM type -> Terraform types that are read with it: nothing is known of them when it cannot be read."""


def parts_of(row: Row, *, cloud_made: bool) -> Iterator[LiveResource]:
    """Yield what a resource holds and Terraform declares apart.

    Args:
        row: the resource as Resource Graph gives it.
        cloud_made: Azure made the resource, and with it its parts.
    """
    kind = str(row.get("type") or "").lower()
    for path, child, owner, attribute in _CHILDREN.get(kind, ()):
        for item in _objects(at(row, path)):
            yield from _part(child, row, item, Parent(owner, key_of(row.get("id")) or "", attribute), cloud_made)
    links = _LINKS.get(kind)
    if links:
        yield from links(row, cloud_made)


def region_of(row: Row) -> str:
    """Return the location of a resource, `global` for one without."""
    return str(location(row.get("location")) or "global")


def _part(kind: str, row: Row, item: Row, parent: Parent, cloud_made: bool) -> Iterator[LiveResource]:  # noqa: FBT001  # one caller
    key = key_of(item.get("id"))
    if key is None:
        raise ValueError("a part without an id")
    attributes = BY_TYPE[kind].read(item)
    names = ((ANYTHING, key),)
    yield LiveResource(kind, key, region_of(row), attributes, str(item["id"]), cloud_made, parent, names, document=item)
    if kind == "azurerm_subnet":
        for link in _ASSOCIATIONS:
            found = BY_TYPE[link].read(item)
            name, value = next(iter(found.items()))
            if value:
                yield LiveResource(
                    link, key, region_of(row), found, str(item["id"]), cloud_made, Parent("azurerm_subnet", key, name)
                )


def _link(
    kind: str,
    row: Row,
    key: str,
    found: Mapping[str, object],
    parent: tuple[str, str],
    made: bool,  # noqa: FBT001  # called by table, as its neighbours are
) -> LiveResource:
    owner = Parent(parent[0], key_of(row.get("id")) or "", parent[1])
    return LiveResource(kind, key.lower(), region_of(row), found, str(row.get("id")), made, owner)


def _interface(row: Row, made: bool) -> Iterator[LiveResource]:  # noqa: FBT001  # called by table, as its neighbours are
    group = key_of(at(row, "properties.networkSecurityGroup.id"))
    if group:
        kind = "azurerm_network_interface_security_group_association"
        owner = ("azurerm_network_interface", "network_security_group_id")
        yield _link(kind, row, f"{key_of(row.get('id'))}|{group}", {}, owner, made)


def _gateway(row: Row, made: bool) -> Iterator[LiveResource]:  # noqa: FBT001  # called by table, as its neighbours are
    for item in _objects(at(row, "properties.publicIpAddresses")):
        owner = ("azurerm_nat_gateway", "public_ip_address_ids")
        key = f"{key_of(row.get('id'))}|{key_of(item.get('id'))}"
        yield _link("azurerm_nat_gateway_public_ip_association", row, key, {}, owner, made)


def _machine(row: Row, made: bool) -> Iterator[LiveResource]:  # noqa: FBT001  # called by table, as its neighbours are
    kind = "azurerm_virtual_machine_data_disk_attachment"
    owner = (machine_type(at(row, "properties.storageProfile.osDisk.osType")), "data_disk")
    for item in _objects(at(row, "properties.storageProfile.dataDisks")):
        name = item.get("name")
        if name and at(item, "managedDisk.id"):
            yield _link(kind, row, f"{key_of(row.get('id'))}/datadisks/{name}", BY_TYPE[kind].read(item), owner, made)


def _scale_set(row: Row, made: bool) -> Iterator[LiveResource]:  # noqa: FBT001  # called by table, as its neighbours are
    owner = (scale_sets.set_type(row), "extension")
    for item in _objects(at(row, scale_sets.EXTENSIONS)):
        key = f"{key_of(row.get('id'))}/extensions/{item['name']}"
        yield _link(scale_sets.EXTENSION, row, key, BY_TYPE[scale_sets.EXTENSION].read(item), owner, made)


def _cluster(row: Row, made: bool) -> Iterator[LiveResource]:  # noqa: FBT001  # called by table, as its neighbours are
    kind = "azurerm_kubernetes_cluster_node_pool"
    for item in _objects(at(row, "properties.agentPoolProfiles")):
        key = f"{key_of(row.get('id'))}/agentpools/{item['name']}"
        upgrades = at(row, "properties.autoUpgradeProfile")
        found = BY_TYPE[kind].read({"properties": item, "autoUpgradeProfile": upgrades})
        yield _link(kind, row, key, found, ("azurerm_kubernetes_cluster", "default_node_pool"), made)


def _vault(row: Row, made: bool) -> Iterator[LiveResource]:  # noqa: FBT001  # called by table, as its neighbours are
    kind = "azurerm_key_vault_access_policy"
    for item in _objects(at(row, "properties.accessPolicies")):
        application = at(item, "applicationId")
        tail = f"/applicationid/{application}" if application else ""
        key = f"{key_of(row.get('id'))}/objectid/{item['objectId']}{tail}"
        found = BY_TYPE[kind].read(access_policy(item))
        yield _link(kind, row, key, found, ("azurerm_key_vault", "access_policy"), made)


def _storage(row: Row, made: bool) -> Iterator[LiveResource]:  # noqa: FBT001  # called by table, as its neighbours are
    kind = "azurerm_storage_account_network_rules"
    rules = at(row, "properties.networkAcls")
    if rules:
        found = spelled_rules(rules)
        yield _link(kind, row, key_of(row.get("id")) or "", found, ("azurerm_storage_account", "network_rules"), made)


_LINKS: Mapping[str, Callable[[Row, bool], Iterator[LiveResource]]] = {
    "microsoft.network/networkinterfaces": _interface,
    "microsoft.network/natgateways": _gateway,
    "microsoft.compute/virtualmachines": _machine,
    "microsoft.containerservice/managedclusters": _cluster,
    "microsoft.keyvault/vaults": _vault,
    scale_sets.ARM: _scale_set,
    "microsoft.storage/storageaccounts": _storage,
}


def _objects(value: Any) -> list[Row]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
