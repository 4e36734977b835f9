"""What is asked of Azure: the queries to Resource Graph, and the lists of what it does not hold.

Source: Azure Resource Graph documentation, "Supported tables and resource types"; Azure REST API of each direct list.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...types.azure import dns
from .client import quoted
from .rights import READS_RECORDS


@dataclass(frozen=True, slots=True)
class DirectList:
    """A list that Resource Graph does not hold.

    Attributes:
        parent: ARM type of what it hangs on.
        segment: what follows the parent's id.
        version: of the API.
        types: Terraform types of its elements; where there are several, each says its ARM type itself.
        skipped_kinds: kinds of the parent that have no such list.
        action: that it needs; empty for the one that reads an element.
    """

    parent: str
    segment: str
    version: str
    types: tuple[str, ...]
    skipped_kinds: frozenset[str] = frozenset()
    action: str = ""


DIRECT: tuple[DirectList, ...] = (
    DirectList(
        "microsoft.storage/storageaccounts",
        "/blobServices/default/containers",
        "2023-05-01",
        ("azurerm_storage_container",),
        frozenset({"filestorage"}),
    ),
    DirectList("microsoft.sql/servers", "/firewallRules", "2021-11-01", ("azurerm_mssql_firewall_rule",)),
    DirectList("microsoft.servicebus/namespaces", "/queues", "2021-11-01", ("azurerm_servicebus_queue",)),
    DirectList("microsoft.servicebus/namespaces", "/topics", "2021-11-01", ("azurerm_servicebus_topic",)),
    DirectList("microsoft.eventhub/namespaces", "/eventhubs", "2021-11-01", ("azurerm_eventhub",)),
    DirectList(
        "microsoft.managedidentity/userassignedidentities",
        "/federatedIdentityCredentials",
        "2023-01-31",
        ("azurerm_federated_identity_credential",),
    ),
    DirectList(dns.ZONE, "/recordsets", "2018-05-01", tuple(item.type for item in dns.TYPES), action=READS_RECORDS),
)
_WHOLE = "id, name, type, kind, location, managedBy, sku, properties, tags, identity, zones"
CONTAINER_QUERY = (
    "resourcecontainers | where type !~ 'microsoft.resources/subscriptions' "
    "| project id, name, type, location, managedBy, properties, tags | order by id asc"
)
RESOURCE_QUERY = f"resources | project {_WHOLE} | order by id asc"
ROLE_QUERY = (
    "authorizationresources | where type in~ ('microsoft.authorization/roleassignments', "
    "'microsoft.authorization/roledefinitions') | where tostring(properties.type) !~ 'BuiltInRole' "
    "| project id, name, type, properties | order by id asc"
)
PARENT_QUERY = (
    f"resources | where type in~ ({', '.join(quoted(kind) for kind in sorted({item.parent for item in DIRECT}))}) "
    "| project id, name, type, kind, location, sku | order by id asc"
)
# What is attached to a machine is reported with it, under the type that the machine's system makes it.
MACHINE_QUERY = (
    "resources | where type =~ 'microsoft.compute/virtualmachines' "
    "| extend osType = tostring(properties.storageProfile.osDisk.osType) | project id, osType | order by id asc"
)
SCALER_QUERY = (
    "resources | where type =~ 'microsoft.insights/autoscalesettings' "
    "| extend target = tostring(properties.targetResourceUri) | extend isOn = tostring(properties.enabled) "
    "| project id, target, isOn | order by id asc"
)
# What a flexible scale set makes of its own accord; Resource Graph gives such machines beside those that people made.
INSTANCE_QUERY = (
    "resources | where type =~ 'microsoft.compute/virtualmachines' "
    "| extend scaleSet = tostring(properties.virtualMachineScaleSet.id) | where isnotempty(scaleSet) "
    "| project id, scaleSet | order by id asc"
)
