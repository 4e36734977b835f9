"""Storage accounts, who reaches them, and their containers.

Source: Terraform AzureRM provider 4, resource documentation of each type; ARM template reference, Microsoft.Storage.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ...domain.resources import Attributes as StateAttributes
from ...domain.shapes import (
    Canonical,
    block,
    boolean,
    default_is,
    folded_text,
    list_of,
    members,
    number,
    number_or_zero,
    set_of,
    string_map,
    text,
)
from .ids import arm_id, key_from, key_of, parent_from
from .mapping import (
    IDENTITY,
    NOT_READ,
    PLACED,
    Attribute,
    Attributes,
    AzureType,
    Row,
    Spelling,
    at,
    camel,
    enabled,
    flag,
    heads_of,
    inverted,
    one_block,
    some_blocks,
    word,
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


def _links(value: object) -> Canonical:
    """Resources that pass a firewall, without the scanner that Defender for Storage adds by itself."""
    links = value if isinstance(value, list) else []
    return _LINKS([item for item in links if not _SCANNER.fullmatch(str(at(item, "endpoint_resource_id") or ""))])


_SCANNER = re.compile(
    r"/subscriptions/[^/]+/providers/microsoft\.security/datascanners/storagedatascanner", re.IGNORECASE
)
_LINKS = set_of(members({"endpoint_resource_id": arm_id, "endpoint_tenant_id": folded_text}))
_RULES = {
    "bypass": _bypass,
    "default_action": folded_text,
    "ip_rules": set_of(text),
    "private_link_access": _links,
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
        "private_link_access": None,
        "virtual_network_subnet_ids": None,
    }
    return None if found == is_open else found


def spelled_rules(found: Any) -> dict[str, object]:
    """Write a storage account's firewall as the provider does."""
    return {
        "bypass": [word.strip() for word in str(at(found, "bypass") or "None").split(",")],
        "default_action": at(found, "defaultAction"),
        "ip_rules": [at(item, "value") for item in at(found, "ipRules") or []],
        "private_link_access": _linked(found),
        "virtual_network_subnet_ids": [at(item, "id") for item in at(found, "virtualNetworkRules") or []],
    }


def _one_rule(name: str) -> Spelling:
    return lambda found: spelled_rules(found)[name]


def _storage_container_key(attributes: StateAttributes) -> str | None:
    """Match by the id in ARM, which older versions of the provider keep beside their own (a URL)."""
    return key_of(attributes.get("resource_manager_id") or attributes.get("id"))


_NETWORK_RULE = {name: Attribute(shape, "properties.networkAcls", _one_rule(name)) for name, shape in _RULES.items()}


def _linked(found: Any) -> object:
    return [
        {"endpoint_resource_id": at(item, "resourceId"), "endpoint_tenant_id": at(item, "tenantId")}
        for item in at(found, "resourceAccessRules") or []
    ]


def _files_directory(found: Any) -> object:
    kind = at(found, "directoryServiceOptions")
    if str(kind or "none").lower() == "none":
        return []
    return [
        {
            "directory_type": kind,
            "default_share_level_permission": at(found, "defaultSharePermission"),
            "active_directory": [at(found, "activeDirectoryProperties") or {}],
        }
    ]


def files_directory(value: object) -> Canonical:
    """By whom the shares of an account know people; `None` as permission is none."""
    item = value[0] if isinstance(value, list) and value else None
    return members(
        {
            "directory_type": folded_text,
            "default_share_level_permission": default_is("none", folded_text),
            "active_directory": _directory,
        }
    )(item)


def _directory(value: object) -> Canonical:
    item = value[0] if isinstance(value, list) and value else value
    names = item if isinstance(item, Mapping) else {}
    found = {name: text(names.get(name) or names.get(camel(name))) for name in ("domain_guid", "domain_name")}
    return found if any(found.values()) else None


def _key_type(service: str) -> Attribute:
    return word(f"properties.encryption.services.{service}.keyType", unset="service")


def _own_key(found: Any) -> object:
    """Write the key that an account is encrypted with; Azure names vault, key and version apart."""
    if str(at(found, "keySource") or "").lower() != "microsoft.keyvault":
        return []
    keys = at(found, "keyvaultproperties")
    parts = [str(at(keys, "keyvaulturi") or "").rstrip("/"), "keys", at(keys, "keyname"), at(keys, "keyversion")]
    return [
        {
            "key_vault_key_id": "/".join(str(part) for part in parts if part),
            "user_assigned_identity_id": at(found, "identity.userAssignedIdentity"),
        }
    ]


def own_key(value: object) -> Canonical:
    """The key of an account, in a vault or a managed HSM."""
    item = value[0] if isinstance(value, list) and value else None
    if not isinstance(item, Mapping):
        return None
    return {
        "key": text(item.get("key_vault_key_id") or item.get("managed_hsm_key_id")),
        "user_assigned_identity_id": arm_id(item.get("user_assigned_identity_id")),
    }


def _immutability(found: Any) -> object:
    if not at(found, "enabled"):
        return []
    policy = at(found, "immutabilityPolicy")
    return [
        {
            "allow_protected_append_writes": at(policy, "allowProtectedAppendWrites"),
            "period_since_creation_in_days": at(policy, "immutabilityPeriodSinceCreationInDays"),
            "state": at(policy, "state"),
        }
    ]


ACCOUNTS: Final = "microsoft.storage/storageaccounts"
BLOB_SETTINGS: Final = "blobSettings"
"""Where the reader puts what `blobServices/default` of an account says."""


def has_blobs(row: Row) -> bool:
    """Say whether an account keeps blobs."""
    return str(row.get("kind")).lower() != "filestorage"


def _days(**more: str) -> Spelling:
    """Make a spelling of how long something that was deleted is kept: a policy that is off is none.

    Args:
        more: further members, each with ARM's name.
    """

    def spelled(found: Any) -> object:
        told = {name: at(found, member) for name, member in more.items()}
        return [{"days": at(found, "days"), **told}] if at(found, "enabled") else []

    return spelled


_CORS_RULE: Attributes = {
    "allowed_headers": Attribute(set_of(text)),
    "allowed_methods": Attribute(set_of(folded_text)),
    "allowed_origins": Attribute(set_of(text)),
    "exposed_headers": Attribute(set_of(text)),
    "max_age_in_seconds": Attribute(number),
}
_CORS = some_blocks(_CORS_RULE, "cors.corsRules")
_CORS_SHAPES = {name: item.shape for name, item in _CORS_RULE.items()}
_BLOBS: Attributes = {
    "change_feed_enabled": flag("changeFeed.enabled"),
    "change_feed_retention_in_days": Attribute(number_or_zero, "changeFeed.retentionInDays"),
    "container_delete_retention_policy": Attribute(block({"days": number}), "containerDeleteRetentionPolicy", _days()),
    # The first rule that fits is the one that holds.
    "cors_rule": replace(_CORS, shape=list_of(members(_CORS_SHAPES))),
    "default_service_version": Attribute(text),
    "delete_retention_policy": Attribute(
        block({"days": number, "permanent_delete_enabled": boolean}),
        "deleteRetentionPolicy",
        _days(permanent_delete_enabled="allowPermanentDelete"),
    ),
    "last_access_time_enabled": flag("lastAccessTimeTrackingPolicy.enable"),
    "restore_policy": Attribute(block({"days": number}), "restorePolicy", _days()),
    "versioning_enabled": flag("isVersioningEnabled", default=False),
}
BLOBS_KEPT: Final = heads_of(_BLOBS)

TYPES = (
    AzureType(
        "azurerm_storage_account",
        ACCOUNTS,
        {
            **PLACED,
            "access_tier": Attribute(text),
            "account_kind": Attribute(text, "kind"),
            "account_replication_type": Attribute(text, "sku.name", _replication),
            "account_tier": Attribute(text, "sku.name", _tier),
            "allow_nested_items_to_be_public": flag("properties.allowBlobPublicAccess", default=True),
            "allowed_copy_scope": Attribute(text),
            "azure_files_authentication": Attribute(
                files_directory, "properties.azureFilesIdentityBasedAuthentication", _files_directory
            ),
            # Left out it means "yes" for an old account and "no" for a new one.
            "blob_properties": one_block(_BLOBS, BLOB_SETTINGS, default=NOT_READ),
            "cross_tenant_replication_enabled": flag("properties.allowCrossTenantReplication", default=NOT_READ),
            "custom_domain": Attribute(
                block({"name": folded_text}),
                "properties.customDomain",
                lambda found: [{"name": at(found, "name")}],
            ),
            "customer_managed_key": Attribute(own_key, "properties.encryption", _own_key),
            "default_to_oauth_authentication": Attribute(boolean, "properties.defaultToOAuthAuthentication"),
            "dns_endpoint_type": word(unset="standard"),
            "enable_https_traffic_only": Attribute(boolean, "properties.supportsHttpsTrafficOnly", default=True),
            "https_traffic_only_enabled": Attribute(boolean, "properties.supportsHttpsTrafficOnly", default=True),
            "identity": IDENTITY,
            "immutability_policy": Attribute(
                block(
                    {
                        "allow_protected_append_writes": boolean,
                        "period_since_creation_in_days": number,
                        "state": folded_text,
                    }
                ),
                "properties.immutableStorageWithVersioning",
                _immutability,
            ),
            "infrastructure_encryption_enabled": Attribute(
                boolean, "properties.encryption.requireInfrastructureEncryption"
            ),
            "is_hns_enabled": Attribute(boolean),
            "large_file_share_enabled": enabled("properties.largeFileSharesState"),
            "local_user_enabled": Attribute(boolean, "properties.isLocalUserEnabled", default=True),
            "min_tls_version": Attribute(text, "properties.minimumTlsVersion", default="TLS1_0"),
            "network_rules": Attribute(
                storage_rules, "properties.networkAcls", lambda found: [spelled_rules(found)], default=[]
            ),
            "nfsv3_enabled": Attribute(boolean, "properties.isNfsV3Enabled"),
            "public_network_access_enabled": Attribute(
                boolean,
                "properties.publicNetworkAccess",
                lambda found: str(found).lower() != "disabled",
                default=True,
            ),
            "queue_encryption_key_type": _key_type("queue"),
            "routing": one_block(
                {
                    "choice": word("routingChoice", unset="microsoftrouting"),
                    "publish_internet_endpoints": Attribute(boolean),
                    "publish_microsoft_endpoints": Attribute(boolean),
                },
                "properties.routingPreference",
            ),
            "sas_policy": one_block(
                {"expiration_action": Attribute(text), "expiration_period": Attribute(text, "sasExpirationPeriod")},
                "properties.sasPolicy",
            ),
            "sftp_enabled": Attribute(boolean, "properties.isSftpEnabled"),
            "shared_access_key_enabled": flag("properties.allowSharedKeyAccess", default=True),
            "table_encryption_key_type": _key_type("table"),
        },
        inline={"network_rules": ("azurerm_storage_account_network_rules",)},
        renamed={"enable_https_traffic_only": "https_traffic_only_enabled"},
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
            ),
            "default_encryption_scope": Attribute(default_is("$account-encryption-key", text)),
            "encryption_scope_override_enabled": Attribute(
                boolean, "properties.denyEncryptionScopeOverride", inverted, default=True
            ),
            "metadata": Attribute(string_map, default=NOT_READ),
        },
        key=_storage_container_key,
    ),
)
