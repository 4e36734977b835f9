"""Queues, topics, event hubs and event grids.

Source: Terraform AzureRM provider 4, resource documentation of each type; ARM template reference, Microsoft.ServiceBus,
Microsoft.EventHub and Microsoft.EventGrid.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...domain.shapes import (
    Canonical,
    Shape,
    block,
    boolean,
    default_is,
    folded_text,
    number,
    number_or_zero,
    text,
)
from .ids import arm_id
from .mapping import (
    IDENTITY,
    NOT_READ,
    PLACED,
    Attribute,
    Attributes,
    AzureType,
    at,
    enabled,
    flag,
    inverted,
    one_block,
    reference,
    some_blocks,
    word,
)

_PUBLIC = enabled("properties.publicNetworkAccess", default=True)
_LOCAL = Attribute(boolean, "properties.disableLocalAuth", inverted, default=True)
_PARTITIONS: Final = 16  # that Azure spreads an entity over; it counts the size of all of them together


def duration(value: object) -> Canonical:
    """An ISO 8601 duration; the longest one that .NET knows means "never"."""
    found = text(value)
    return None if isinstance(found, str) and found.startswith("P10675199D") else found


def _size(row: Any) -> object:
    """Write how much an entity holds: outside of premium namespaces Azure says it of all partitions together."""
    size = int(at(row, "properties.maxSizeInMegabytes") or 0)
    is_premium = str(at(row, "sku.name") or "").lower() == "premium"
    return size // _PARTITIONS if at(row, "properties.enablePartitioning") and not is_premium else size


_ENTITY: Attributes = {
    "auto_delete_on_idle": Attribute(duration),
    "batched_operations_enabled": flag("properties.enableBatchedOperations", default=True),
    "default_message_ttl": Attribute(duration, "properties.defaultMessageTimeToLive"),
    "duplicate_detection_history_time_window": Attribute(default_is("PT10M", duration)),
    "enable_batched_operations": Attribute(boolean, default=True),
    "enable_express": Attribute(boolean),
    "enable_partitioning": Attribute(boolean),
    "express_enabled": flag("properties.enableExpress"),
    "max_message_size_in_kilobytes": Attribute(number, default=NOT_READ),
    "max_size_in_megabytes": Attribute(number, "", _size),
    "partitioning_enabled": flag("properties.enablePartitioning"),
    "requires_duplicate_detection": Attribute(boolean),
    "status": word(unset="active"),
}


_RENAMED = {
    "enable_batched_operations": "batched_operations_enabled",
    "enable_express": "express_enabled",
    "enable_partitioning": "partitioning_enabled",
}


def _own_key(found: Any) -> object:
    keys = at(found, "keyVaultProperties") or []
    if not isinstance(keys, list) or not keys:
        return []
    first = keys[0]
    parts = [str(at(first, "keyVaultUri") or "").rstrip("/"), "keys", at(first, "keyName"), at(first, "keyVersion")]
    return [
        {
            "identity_id": at(first, "identity.userAssignedIdentity"),
            "infrastructure_encryption_enabled": at(found, "requireInfrastructureEncryption"),
            "key_vault_key_id": "/".join(str(part) for part in parts if part),
        }
    ]


def _capture(found: Any) -> object:
    target = at(found, "destination")
    return [
        {
            "enabled": at(found, "enabled"),
            "encoding": at(found, "encoding"),
            "interval_in_seconds": at(found, "intervalInSeconds"),
            "size_limit_in_bytes": at(found, "sizeLimitInBytes"),
            "skip_empty_archives": at(found, "skipEmptyArchives"),
            "destination": [
                {
                    "name": at(target, "name"),
                    "archive_name_format": at(target, "properties.archiveNameFormat"),
                    "blob_container_name": at(target, "properties.blobContainer"),
                    "storage_account_id": at(target, "properties.storageAccountResourceId"),
                }
            ],
        }
    ]


_CAPTURE: Mapping[str, Shape] = {
    "enabled": boolean,
    "encoding": folded_text,
    "interval_in_seconds": default_is(300, number),
    "size_limit_in_bytes": default_is(314572800, number),
    "skip_empty_archives": boolean,
    "destination": block(
        {"name": text, "archive_name_format": text, "blob_container_name": text, "storage_account_id": arm_id}
    ),
}

TYPES = (
    AzureType(
        "azurerm_servicebus_namespace",
        "microsoft.servicebus/namespaces",
        {
            **PLACED,
            "capacity": Attribute(default_is(0, number), "sku.capacity"),
            "customer_managed_key": Attribute(
                block({"identity_id": arm_id, "infrastructure_encryption_enabled": boolean, "key_vault_key_id": text}),
                "properties.encryption",
                _own_key,
            ),
            "identity": IDENTITY,
            "local_auth_enabled": _LOCAL,
            "minimum_tls_version": Attribute(text, default="1.2"),
            "premium_messaging_partitions": Attribute(default_is(0, number)),
            "public_network_access_enabled": _PUBLIC,
            "sku": Attribute(text, "sku.name"),
        },
    ),
    AzureType(
        "azurerm_servicebus_queue",
        "microsoft.servicebus/namespaces/queues",
        {
            **_ENTITY,
            "dead_lettering_on_message_expiration": Attribute(boolean),
            "forward_dead_lettered_messages_to": Attribute(text),
            "forward_to": Attribute(text),
            "lock_duration": Attribute(duration),
            "max_delivery_count": Attribute(number),
            "requires_session": Attribute(boolean),
        },
        renamed=_RENAMED,
    ),
    AzureType(
        "azurerm_servicebus_topic",
        "microsoft.servicebus/namespaces/topics",
        {**_ENTITY, "support_ordering": Attribute(boolean)},
        renamed=_RENAMED,
    ),
    AzureType(
        "azurerm_eventhub_namespace",
        "microsoft.eventhub/namespaces",
        {
            **PLACED,
            "auto_inflate_enabled": flag("properties.isAutoInflateEnabled"),
            "capacity": Attribute(number, "sku.capacity"),
            "dedicated_cluster_id": reference("properties.clusterArmId"),
            "identity": IDENTITY,
            "local_authentication_enabled": _LOCAL,
            "maximum_throughput_units": Attribute(default_is(0, number)),
            "minimum_tls_version": Attribute(text, default="1.2"),
            "public_network_access_enabled": _PUBLIC,
            "sku": Attribute(text, "sku.name"),
        },
    ),
    AzureType(
        "azurerm_eventhub",
        "microsoft.eventhub/namespaces/eventhubs",
        {
            "capture_description": Attribute(block(_CAPTURE), spelled=_capture),
            "message_retention": Attribute(number, "properties.messageRetentionInDays"),
            "partition_count": Attribute(number),
            "retention_description": one_block(
                {
                    "cleanup_policy": Attribute(folded_text),
                    "retention_time_in_hours": Attribute(number_or_zero),
                    "tombstone_retention_time_in_hours": Attribute(number_or_zero),
                },
                default=NOT_READ,
            ),
            "status": word(unset="active"),
        },
    ),
    AzureType(
        "azurerm_eventgrid_topic",
        "microsoft.eventgrid/topics",
        {
            **PLACED,
            "identity": IDENTITY,
            "inbound_ip_rule": some_blocks(
                {"action": Attribute(folded_text), "ip_mask": Attribute(text)}, "properties.inboundIpRules"
            ),
            "input_schema": Attribute(text),
            "local_auth_enabled": _LOCAL,
            "public_network_access_enabled": _PUBLIC,
        },
    ),
)
