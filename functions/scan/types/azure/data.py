"""Where data lies: storage accounts, databases, caches.

Source: Terraform AzureRM provider 4, resource documentation of each type; ARM template reference, Microsoft.Storage, Microsoft.Sql,
Microsoft.DBforPostgreSQL, Microsoft.DBforMySQL, Microsoft.DocumentDB, Microsoft.Cache.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...domain.resources import Attributes
from ...domain.shapes import Canonical, boolean, default_is, folded_text, ip_address, members, number, set_of, text
from .ids import arm_id, key_from, key_of, parent_from
from .mapping import (
    IDENTITY,
    LOCATION,
    PLACED,
    TAGS,
    ZONES,
    Attribute,
    AzureType,
    Spelling,
    at,
    is_enabled,
    location,
    one_block,
)


def _tier(found: Any) -> object:
    return str(found).partition("_")[0]


def _replication(found: Any) -> object:
    return str(found).partition("_")[2]


def _bypass(value: object) -> Canonical:
    """Services that pass a firewall: `Logging, Metrics` in ARM, a set in Terraform."""
    words = value.split(",") if isinstance(value, str) else value
    found = set_of(lambda item: folded_text(str(item).strip()))(words)
    return None if found == ("none",) else found


_RULES = {
    "bypass": _bypass,
    "default_action": folded_text,
    "ip_rules": set_of(text),
    "virtual_network_subnet_ids": set_of(arm_id),
}


def storage_rules(value: object) -> Canonical:
    """A storage account's firewall; without one it is open, as the provider's default says too."""
    item = value[0] if isinstance(value, list) and value else value
    found = members(_RULES)(item)
    is_open = {
        "bypass": ("azureservices",),
        "default_action": "allow",
        "ip_rules": None,
        "virtual_network_subnet_ids": None,
    }
    return None if found == is_open else found


def spelled_rules(found: Any) -> dict[str, object]:
    """Write a storage account's firewall as the provider does."""
    return {
        "bypass": [word.strip() for word in str(at(found, "bypass") or "None").split(",")],
        "default_action": at(found, "defaultAction"),
        "ip_rules": [at(item, "value") for item in at(found, "ipRules") or []],
        "virtual_network_subnet_ids": [at(item, "id") for item in at(found, "virtualNetworkRules") or []],
    }


def _one_rule(name: str) -> Spelling:
    return lambda found: spelled_rules(found)[name]


def _storage_container_key(attributes: Attributes) -> str | None:
    """Match by the id in ARM, which older versions of the provider keep beside their own (a URL)."""
    return key_of(attributes.get("resource_manager_id") or attributes.get("id"))


def _public(word: str) -> Attribute:
    return Attribute(boolean, f"properties.{word}", is_enabled, default=True)


_NETWORK_RULE = {name: Attribute(shape, "properties.networkAcls", _one_rule(name)) for name, shape in _RULES.items()}
_NOT_PUBLIC = _public("publicNetworkAccess")
_SIZE = Attribute(number, "properties.maxSizeBytes", lambda found: int(found) // 2**30)
_GEO: Attribute = Attribute(
    lambda value: (
        {
            str(location(item.get("location"))): {
                "failover_priority": number(item.get("failover_priority")),
                "zone_redundant": boolean(item.get("zone_redundant")),
            }
            for item in value
            if isinstance(item, Mapping)
        }
        if isinstance(value, list)
        else None
    ),
    "properties.locations",
    lambda found: [
        {
            "location": at(item, "locationName"),
            "failover_priority": at(item, "failoverPriority"),
            "zone_redundant": at(item, "isZoneRedundant"),
        }
        for item in found
    ],
)

TYPES = (
    AzureType(
        "azurerm_storage_account",
        "microsoft.storage/storageaccounts",
        {
            **PLACED,
            "access_tier": Attribute(text),
            "account_kind": Attribute(text, "kind"),
            "account_replication_type": Attribute(text, "sku.name", _replication),
            "account_tier": Attribute(text, "sku.name", _tier),
            "allow_nested_items_to_be_public": Attribute(boolean, "properties.allowBlobPublicAccess", default=True),
            "cross_tenant_replication_enabled": Attribute(
                boolean, "properties.allowCrossTenantReplication", default=True
            ),
            "default_to_oauth_authentication": Attribute(boolean, "properties.defaultToOAuthAuthentication"),
            "enable_https_traffic_only": Attribute(boolean, "properties.supportsHttpsTrafficOnly", default=True),
            "https_traffic_only_enabled": Attribute(boolean, "properties.supportsHttpsTrafficOnly", default=True),
            "identity": IDENTITY,
            "infrastructure_encryption_enabled": Attribute(
                boolean, "properties.encryption.requireInfrastructureEncryption"
            ),
            "is_hns_enabled": Attribute(boolean),
            "local_user_enabled": Attribute(boolean, "properties.isLocalUserEnabled", default=True),
            "min_tls_version": Attribute(text, "properties.minimumTlsVersion", default="TLS1_0"),
            "network_rules": Attribute(
                storage_rules, "properties.networkAcls", lambda found: [spelled_rules(found)], default=[]
            ),
            "nfsv3_enabled": Attribute(boolean, "properties.isNfsV3Enabled"),
            "public_network_access_enabled": _NOT_PUBLIC,
            "sftp_enabled": Attribute(boolean, "properties.isSftpEnabled"),
            "shared_access_key_enabled": Attribute(boolean, "properties.allowSharedKeyAccess", default=True),
        },
        inline={"network_rules": ("azurerm_storage_account_network_rules",)},
    ),
    AzureType(
        "azurerm_storage_account_network_rules",
        "",
        _NETWORK_RULE,
        key=key_from("storage_account_id"),
        parent=parent_from("azurerm_storage_account", "storage_account_id", "network_rules"),
    ),
    AzureType(
        "azurerm_storage_container",
        "microsoft.storage/storageaccounts/blobservices/containers",
        {
            "container_access_type": Attribute(
                default_is("private", folded_text),
                "properties.publicAccess",
                lambda found: {"none": "private"}.get(str(found).lower(), str(found).lower()),
                default="private",
            )
        },
        key=_storage_container_key,
    ),
    AzureType(
        "azurerm_mssql_server",
        "microsoft.sql/servers",
        {
            **PLACED,
            "administrator_login": Attribute(text),
            "azuread_administrator": one_block(
                {
                    "azuread_authentication_only": Attribute(boolean, "azureADOnlyAuthentication"),
                    "login_username": Attribute(text, "login"),
                    "object_id": Attribute(folded_text, "sid"),
                },
                "properties.administrators",
            ),
            "identity": IDENTITY,
            "minimum_tls_version": Attribute(text, "properties.minimalTlsVersion"),
            "outbound_network_restriction_enabled": Attribute(
                boolean, "properties.restrictOutboundNetworkAccess", is_enabled
            ),
            "public_network_access_enabled": _NOT_PUBLIC,
            "version": Attribute(text),
        },
    ),
    AzureType(
        "azurerm_mssql_database",
        "microsoft.sql/servers/databases",
        {
            "collation": Attribute(text),
            "elastic_pool_id": Attribute(arm_id),
            "ledger_enabled": Attribute(boolean, "properties.isLedgerOn"),
            "max_size_gb": _SIZE,
            "read_scale": Attribute(boolean, "properties.readScale", is_enabled),
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
            "license_type": Attribute(text),
            "max_size_gb": _SIZE,
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
    *(
        AzureType(
            f"azurerm_{word}_flexible_server",
            arm,
            {
                **PLACED,
                "administrator_login": Attribute(text),
                "backup_retention_days": Attribute(number, "properties.backup.backupRetentionDays"),
                "geo_redundant_backup_enabled": Attribute(boolean, "properties.backup.geoRedundantBackup", is_enabled),
                "delegated_subnet_id": Attribute(arm_id, "properties.network.delegatedSubnetResourceId"),
                "high_availability": Attribute(
                    lambda value: (
                        folded_text(value[0].get("mode"))
                        if isinstance(value, list) and value and isinstance(value[0], Mapping)
                        else None
                    ),
                    "properties.highAvailability",
                    lambda found: (
                        [] if str(at(found, "mode")).lower() in {"disabled", "none"} else [{"mode": at(found, "mode")}]
                    ),
                ),
                "identity": IDENTITY,
                "sku_name": Attribute(text, "", _flexible_sku),
                "version": Attribute(text),
                "zone": Attribute(text, "properties.availabilityZone"),
                **more,
            },
        )
        for word, arm, _flexible_sku, more in (
            (
                "postgresql",
                "microsoft.dbforpostgresql/flexibleservers",
                lambda row: "_".join(
                    (
                        {"burstable": "B", "generalpurpose": "GP", "memoryoptimized": "MO"}.get(
                            str(at(row, "sku.tier")).lower(), str(at(row, "sku.tier"))
                        ),
                        str(at(row, "sku.name")),
                    )
                ),
                {
                    "public_network_access_enabled": Attribute(
                        boolean, "properties.network.publicNetworkAccess", is_enabled
                    ),
                    "storage_mb": Attribute(
                        number, "properties.storage.storageSizeGB", lambda found: int(found) * 1024
                    ),
                },
            ),
            (
                "mysql",
                "microsoft.dbformysql/flexibleservers",
                lambda row: "_".join(
                    (
                        {
                            "burstable": "B",
                            "generalpurpose": "GP",
                            "memoryoptimized": "MO",
                            "businesscritical": "MO",
                        }.get(str(at(row, "sku.tier")).lower(), str(at(row, "sku.tier"))),
                        str(at(row, "sku.name")),
                    )
                ),
                {},
            ),
        )
    ),
    AzureType(
        "azurerm_cosmosdb_account",
        "microsoft.documentdb/databaseaccounts",
        {
            "tags": TAGS,
            "automatic_failover_enabled": Attribute(boolean, "properties.enableAutomaticFailover"),
            "consistency_policy": one_block(
                {"consistency_level": Attribute(text, "defaultConsistencyLevel")}, "properties.consistencyPolicy"
            ),
            "free_tier_enabled": Attribute(boolean, "properties.enableFreeTier"),
            "geo_location": _GEO,
            "identity": IDENTITY,
            "is_virtual_network_filter_enabled": Attribute(boolean),
            "kind": Attribute(text, "kind"),
            "local_authentication_disabled": Attribute(boolean, "properties.disableLocalAuth"),
            "minimal_tls_version": Attribute(folded_text),
            "multiple_write_locations_enabled": Attribute(boolean, "properties.enableMultipleWriteLocations"),
            "public_network_access_enabled": _NOT_PUBLIC,
        },
    ),
    AzureType(
        "azurerm_redis_cache",
        "microsoft.cache/redis",
        {
            "location": LOCATION,
            "tags": TAGS,
            "capacity": Attribute(number, "properties.sku.capacity"),
            "family": Attribute(text, "properties.sku.family"),
            "identity": IDENTITY,
            "minimum_tls_version": Attribute(text, default="1.0"),
            "non_ssl_port_enabled": Attribute(boolean, "properties.enableNonSslPort"),
            "public_network_access_enabled": _NOT_PUBLIC,
            "redis_version": Attribute(lambda value: text(str(value or "").partition(".")[0])),
            "shard_count": Attribute(default_is(0, number)),
            "sku_name": Attribute(text, "properties.sku.name"),
            "subnet_id": Attribute(arm_id),
            "zones": ZONES,
        },
    ),
)
