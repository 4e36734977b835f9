"""Databases and caches.

Source: Terraform AzureRM provider 4, resource documentation of each type; ARM template reference, Microsoft.Sql,
Microsoft.DBforPostgreSQL, Microsoft.DBforMySQL, Microsoft.DocumentDB, Microsoft.Cache.
Longer than others: the flexible servers share their rules, and every kind says the same things in spellings of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ...domain.shapes import (
    Canonical,
    Shape,
    block,
    boolean,
    default_is,
    folded_text,
    ip_address,
    members,
    number,
    number_or_zero,
    set_of,
    string_map,
    text,
)
from .ids import arm_id
from .mapping import (
    IDENTITY,
    LOCATION,
    NOT_READ,
    PLACED,
    TAGS,
    ZONES,
    Attribute,
    Attributes,
    AzureType,
    Spelling,
    at,
    enabled,
    flag,
    inverted,
    is_enabled,
    last_segment,
    location,
    one_block,
    reference,
    some_blocks,
    word,
)

_PUBLIC = enabled("properties.publicNetworkAccess", default=True)
_GIB = 2**30
_UPKEEP = Attribute(default_is("sql_default", folded_text), "properties.maintenanceConfigurationId", last_segment)
_ENCLAVE = Attribute(default_is("default", folded_text), "properties.preferredEnclaveType")
_LICENSE = Attribute(text)


def _tls(found: Any) -> object:
    return {"none": "Disabled"}.get(str(found).lower(), found)


def _exact_gib(found: Any) -> object:
    return Decimal(int(found)) / _GIB


def redis_version(value: object) -> Canonical:
    """The major version of a cache, which is all that can be asked for."""
    return text(str(value or "").partition(".")[0])


def _sku(tiers: Mapping[str, str]) -> Spelling:
    """Make the spelling of a flexible server's size: its tier in short, then its name."""

    def spelled(found: Any) -> object:
        tier = str(at(found, "tier"))
        return f"{tiers.get(tier.lower(), tier)}_{at(found, 'name')}"

    return spelled


_TIERS = {"burstable": "B", "generalpurpose": "GP", "memoryoptimized": "MO"}


def _own_key(found: Any) -> object:
    if str(at(found, "type") or "").lower() != "azurekeyvault":
        return []
    return [
        {
            "geo_backup_key_vault_key_id": at(found, "geoBackupKeyURI"),
            "key_vault_key_id": at(found, "primaryKeyURI"),
            "primary_user_assigned_identity_id": at(found, "primaryUserAssignedIdentityId"),
        }
    ]


def _window(found: Any) -> object:
    if str(at(found, "customWindow") or "").lower() != "enabled":
        return []
    return [{name: at(found, member) or 0 for name, member in _WINDOW.items()}]


_WINDOW = {"day_of_week": "dayOfWeek", "start_hour": "startHour", "start_minute": "startMinute"}


def upkeep_window(value: object) -> Canonical:
    """When a server may be looked after; Sunday at midnight is a window too."""
    item = value[0] if isinstance(value, list) and value else None
    return members(dict.fromkeys(_WINDOW, number_or_zero))(item)


def _availability(found: Any) -> object:
    mode = at(found, "mode")
    return [] if str(mode).lower() in {"disabled", "none"} else [{"mode": mode}]


def availability(value: object) -> Canonical:
    """How a server is kept available; in which zone its standby is changes with every failover."""
    item = value[0] if isinstance(value, list) and value else None
    return folded_text(item.get("mode")) if isinstance(item, Mapping) else None


def _signing_in(found: Any) -> object:
    return [
        {
            "active_directory_auth_enabled": is_enabled(at(found, "activeDirectoryAuth")),
            "password_auth_enabled": is_enabled(at(found, "passwordAuth") or "Enabled"),
        }
    ]


def signing_in(value: object) -> Canonical:
    """How people sign in to a server: by password, unless somebody says otherwise."""
    item = value[0] if isinstance(value, list) and value else None
    return members({"active_directory_auth_enabled": boolean, "password_auth_enabled": boolean})(item)


def _flexible(network: str) -> Attributes:
    return {
        **PLACED,
        "administrator_login": Attribute(text),
        "backup_retention_days": Attribute(number, "properties.backup.backupRetentionDays"),
        "customer_managed_key": Attribute(
            block(
                {
                    "geo_backup_key_vault_key_id": text,
                    "key_vault_key_id": text,
                    "primary_user_assigned_identity_id": arm_id,
                }
            ),
            "properties.dataEncryption",
            _own_key,
        ),
        "delegated_subnet_id": reference("properties.network.delegatedSubnetResourceId"),
        "geo_redundant_backup_enabled": enabled("properties.backup.geoRedundantBackup"),
        "high_availability": Attribute(availability, "properties.highAvailability", _availability),
        "identity": IDENTITY,
        "maintenance_window": Attribute(upkeep_window, "properties.maintenanceWindow", _window),
        "private_dns_zone_id": reference(f"properties.network.{network}"),
        "public_network_access_enabled": enabled("properties.network.publicNetworkAccess"),
        "version": Attribute(text),
        "zone": Attribute(text, "properties.availabilityZone"),
    }


def _storage(found: Any) -> object:
    scales = is_enabled(at(found, "autoIoScaling"))
    return [
        {
            "auto_grow_enabled": is_enabled(at(found, "autoGrow")),
            "io_scaling_enabled": scales,
            "iops": None if scales else at(found, "iops"),
            "log_on_disk_enabled": is_enabled(at(found, "logOnDisk")),
            "size_gb": at(found, "storageSizeGB"),
        }
    ]


def mysql_storage(value: object) -> Canonical:
    """Where a server keeps its data; how fast that is changes by itself where it scales."""
    item = value[0] if isinstance(value, list) and value else None
    if not isinstance(item, Mapping):
        return None
    seen = {**item, "iops": None} if item.get("io_scaling_enabled") else item
    return members(
        {
            "auto_grow_enabled": boolean,
            "io_scaling_enabled": boolean,
            "iops": number,
            "log_on_disk_enabled": boolean,
            "size_gb": number,
        }
    )(seen)


def places(value: object) -> Canonical:
    """Regions of an account, by name."""
    if not isinstance(value, list):
        return None
    return {
        str(location(item.get("location"))): {
            "failover_priority": number(item.get("failover_priority")),
            "zone_redundant": boolean(item.get("zone_redundant")),
        }
        for item in value
        if isinstance(item, Mapping)
    }


def _places(found: Any) -> object:
    return [
        {
            "location": at(item, "locationName"),
            "failover_priority": at(item, "failoverPriority"),
            "zone_redundant": at(item, "isZoneRedundant"),
        }
        for item in found
    ]


def addresses(value: object) -> Canonical:
    """Addresses that are let in; version 3 of the provider writes them as one text."""
    return set_of(text)(
        [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value
    )


def _throughput(found: Any) -> object:
    return [{"total_throughput_limit": at(found, "totalThroughputLimit")}]


def throughput(value: object) -> Canonical:
    """The most that an account may use; without a limit it says -1."""
    item = value[0] if isinstance(value, list) and value else None
    limit = number(item.get("total_throughput_limit")) if isinstance(item, Mapping) else None
    return None if limit == -1 else limit


def _backup(found: Any) -> object:
    periodic = at(found, "periodicModeProperties")
    return [
        {
            "interval_in_minutes": at(periodic, "backupIntervalInMinutes"),
            "retention_in_hours": at(periodic, "backupRetentionIntervalInHours"),
            "storage_redundancy": at(periodic, "backupStorageRedundancy"),
            "tier": at(found, "continuousModeProperties.tier"),
            "type": at(found, "type"),
        }
    ]


_BACKUP: Mapping[str, Shape] = {
    "interval_in_minutes": number_or_zero,
    "retention_in_hours": number_or_zero,
    "storage_redundancy": folded_text,
    "tier": folded_text,
    "type": folded_text,
}
_MEMORY = {
    "active_directory_authentication_enabled": ("aad-enabled", boolean),
    "aof_backup_enabled": ("aof-backup-enabled", boolean),
    "maxfragmentationmemory_reserved": ("maxfragmentationmemory-reserved", number_or_zero),
    "maxmemory_delta": ("maxmemory-delta", number_or_zero),
    "maxmemory_policy": ("maxmemory-policy", default_is("volatile-lru", folded_text)),
    "maxmemory_reserved": ("maxmemory-reserved", number_or_zero),
    "notify_keyspace_events": ("notify-keyspace-events", text),
    "rdb_backup_enabled": ("rdb-backup-enabled", boolean),
}

TYPES = (
    AzureType(
        "azurerm_mssql_server",
        "microsoft.sql/servers",
        {
            **PLACED,
            "administrator_login": Attribute(text),
            "azuread_administrator": one_block(
                {
                    "azuread_authentication_only": flag("azureADOnlyAuthentication"),
                    "login_username": Attribute(text, "login"),
                    "object_id": word("sid"),
                },
                "properties.administrators",
            ),
            "identity": IDENTITY,
            "minimum_tls_version": Attribute(text, "properties.minimalTlsVersion", _tls, default="Disabled"),
            "outbound_network_restriction_enabled": enabled("properties.restrictOutboundNetworkAccess"),
            "primary_user_assigned_identity_id": Attribute(arm_id),
            "public_network_access_enabled": _PUBLIC,
            "transparent_data_encryption_key_vault_key_id": Attribute(text, "properties.keyId"),
            "version": Attribute(text),
        },
    ),
    AzureType(
        "azurerm_mssql_database",
        "microsoft.sql/servers/databases",
        {
            "auto_pause_delay_in_minutes": Attribute(number_or_zero, "properties.autoPauseDelay"),
            "collation": Attribute(text),
            "elastic_pool_id": Attribute(arm_id),
            "enclave_type": _ENCLAVE,
            "identity": IDENTITY,
            "ledger_enabled": flag("properties.isLedgerOn"),
            "license_type": _LICENSE,
            "maintenance_configuration_name": _UPKEEP,
            "max_size_gb": Attribute(number, "properties.maxSizeBytes", lambda found: int(found) // _GIB),
            "min_capacity": Attribute(number_or_zero),
            "read_replica_count": Attribute(number_or_zero, "properties.highAvailabilityReplicaCount"),
            "read_scale": enabled("properties.readScale"),
            "sku_name": Attribute(text, "properties.currentServiceObjectiveName"),
            "storage_account_type": Attribute(text, "properties.requestedBackupStorageRedundancy"),
            "tags": TAGS,
            "zone_redundant": Attribute(boolean),
        },
    ),
    AzureType(
        "azurerm_mssql_elasticpool",
        "microsoft.sql/servers/elasticpools",
        {
            **PLACED,
            "enclave_type": _ENCLAVE,
            "license_type": _LICENSE,
            "maintenance_configuration_name": _UPKEEP,
            "max_size_gb": Attribute(number, "properties.maxSizeBytes", _exact_gib),
            "per_database_settings": one_block(
                {"max_capacity": Attribute(number), "min_capacity": Attribute(number)}, "properties.perDatabaseSettings"
            ),
            "sku": one_block(
                {
                    "capacity": Attribute(number),
                    "family": Attribute(text),
                    "name": Attribute(text),
                    "tier": Attribute(text),
                },
                "sku",
            ),
            "zone_redundant": Attribute(boolean),
        },
    ),
    AzureType(
        "azurerm_mssql_firewall_rule",
        "microsoft.sql/servers/firewallrules",
        {"end_ip_address": Attribute(ip_address), "start_ip_address": Attribute(ip_address)},
    ),
    AzureType(
        "azurerm_postgresql_flexible_server",
        "microsoft.dbforpostgresql/flexibleservers",
        {
            **_flexible("privateDnsZoneArmResourceId"),
            "authentication": Attribute(signing_in, "properties.authConfig", _signing_in, default=NOT_READ),
            "auto_grow_enabled": enabled("properties.storage.autoGrow"),
            "sku_name": Attribute(text, "sku", _sku(_TIERS)),
            "storage_mb": Attribute(number, "properties.storage.storageSizeGB", lambda found: int(found) * 1024),
            "storage_tier": word("properties.storage.tier", default=NOT_READ),
        },
    ),
    AzureType(
        "azurerm_mysql_flexible_server",
        "microsoft.dbformysql/flexibleservers",
        {
            **_flexible("privateDnsZoneResourceId"),
            "public_network_access": word("properties.network.publicNetworkAccess"),
            "sku_name": Attribute(text, "sku", _sku({**_TIERS, "businesscritical": "MO"})),
            "storage": Attribute(mysql_storage, "properties.storage", _storage),
        },
        renamed={"public_network_access_enabled": "public_network_access"},
    ),
    AzureType(
        "azurerm_cosmosdb_account",
        "microsoft.documentdb/databaseaccounts",
        {
            "tags": TAGS,
            "access_key_metadata_writes_enabled": Attribute(
                boolean, "properties.disableKeyBasedMetadataWriteAccess", inverted, default=True
            ),
            "analytical_storage_enabled": flag("properties.enableAnalyticalStorage"),
            "automatic_failover_enabled": flag("properties.enableAutomaticFailover"),
            "backup": Attribute(block(_BACKUP), "properties.backupPolicy", _backup, default=NOT_READ),
            "burst_capacity_enabled": flag("properties.enableBurstCapacity"),
            "capabilities": some_blocks({"name": Attribute(text)}),
            "capacity": Attribute(throughput, spelled=_throughput),
            "consistency_policy": one_block(
                {
                    "consistency_level": Attribute(text, "defaultConsistencyLevel"),
                    "max_interval_in_seconds": Attribute(default_is(5, number)),
                    "max_staleness_prefix": Attribute(default_is(100, number)),
                }
            ),
            "default_identity_type": word("properties.defaultIdentity", unset="firstpartyidentity"),
            "enable_automatic_failover": Attribute(boolean),
            "enable_free_tier": Attribute(boolean),
            "enable_multiple_write_locations": Attribute(boolean),
            "free_tier_enabled": flag("properties.enableFreeTier"),
            "geo_location": Attribute(places, "properties.locations", _places),
            "identity": IDENTITY,
            "ip_range_filter": Attribute(
                addresses, "properties.ipRules", lambda found: [at(item, "ipAddressOrRange") for item in found]
            ),
            "is_virtual_network_filter_enabled": Attribute(boolean),
            "key_vault_key_id": Attribute(text, "properties.keyVaultKeyUri"),
            "kind": Attribute(text, "kind"),
            "local_authentication_disabled": flag("properties.disableLocalAuth"),
            "minimal_tls_version": Attribute(folded_text),
            "multiple_write_locations_enabled": flag("properties.enableMultipleWriteLocations"),
            "network_acl_bypass_for_azure_services": Attribute(
                boolean, "properties.networkAclBypass", lambda found: str(found).lower() == "azureservices"
            ),
            "network_acl_bypass_ids": Attribute(set_of(arm_id), "properties.networkAclBypassResourceIds"),
            "partition_merge_enabled": flag("properties.enablePartitionMerge"),
            "public_network_access_enabled": _PUBLIC,
            "virtual_network_rule": some_blocks(
                {
                    "id": Attribute(arm_id),
                    "ignore_missing_vnet_service_endpoint": flag("ignoreMissingVNetServiceEndpoint"),
                },
                "properties.virtualNetworkRules",
            ),
        },
        renamed={
            "enable_automatic_failover": "automatic_failover_enabled",
            "enable_free_tier": "free_tier_enabled",
            "enable_multiple_write_locations": "multiple_write_locations_enabled",
        },
    ),
    AzureType(
        "azurerm_redis_cache",
        "microsoft.cache/redis",
        {
            "location": LOCATION,
            "tags": TAGS,
            "access_keys_authentication_enabled": Attribute(
                boolean, "properties.disableAccessKeyAuthentication", inverted, default=True
            ),
            "capacity": Attribute(number, "properties.sku.capacity"),
            "enable_non_ssl_port": Attribute(boolean),
            "family": Attribute(text, "properties.sku.family"),
            "identity": IDENTITY,
            "minimum_tls_version": Attribute(text, default="1.0"),
            "non_ssl_port_enabled": flag("properties.enableNonSslPort"),
            "private_static_ip_address": Attribute(ip_address, "properties.staticIP"),
            "public_network_access_enabled": _PUBLIC,
            "redis_configuration": Attribute(
                block({name: shape for name, (_, shape) in _MEMORY.items()}),
                "properties.redisConfiguration",
                lambda found: [{name: found.get(member) for name, (member, _) in _MEMORY.items()}],
            ),
            "redis_version": Attribute(redis_version),
            "replicas_per_primary": Attribute(number_or_zero),
            "shard_count": Attribute(default_is(0, number)),
            "sku_name": Attribute(text, "properties.sku.name"),
            "subnet_id": Attribute(arm_id),
            "tenant_settings": Attribute(string_map),
            "zones": ZONES,
        },
        renamed={"enable_non_ssl_port": "non_ssl_port_enabled"},
    ),
)
