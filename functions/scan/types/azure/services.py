"""Other services: data pipelines, vaults of backups, automation, settings, machine learning, search, gateways of interfaces.

Source: Terraform AzureRM provider 4, resource documentation of each type; ARM template reference, Microsoft.DataFactory,
Microsoft.Databricks, Microsoft.RecoveryServices, Microsoft.Automation, Microsoft.AppConfiguration,
Microsoft.CognitiveServices, Microsoft.Search and Microsoft.ApiManagement.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...domain.shapes import (
    Canonical,
    block,
    boolean,
    default_is,
    document,
    folded_text,
    keyed,
    members,
    number,
    set_of,
    text,
)
from .ids import arm_id
from .mapping import (
    IDENTITY,
    NOT_READ,
    PLACED,
    ZONES,
    Attribute,
    AzureType,
    at,
    enabled,
    flag,
    inverted,
    is_enabled,
    one_block,
    reference,
    some_blocks,
    word,
)

_PUBLIC = enabled("properties.publicNetworkAccess", default=True)
_LOCAL = Attribute(boolean, "properties.disableLocalAuth", inverted, default=True)


def _joined(*parts: object) -> str | None:
    """Write the id of a key of which Azure says vault, name and version apart."""
    vault, name, version = (str(part or "").rstrip("/") for part in parts)
    return "/".join(part for part in (vault, "keys", name, version) if part) if vault and name else None


def _factory_key(found: Any) -> object:
    return _joined(at(found, "vaultBaseUrl"), at(found, "keyName"), at(found, "keyVersion"))


# Terraform's name -> ARM's, of the repository that a factory is kept in
_REPOSITORY = {
    "account_name": "accountName",
    "branch_name": "collaborationBranch",
    "repository_name": "repositoryName",
    "root_folder": "rootFolder",
}


def unless_forbidden(value: object) -> Canonical:
    """A flag that an older provider does not know: what it does not say is allowed."""
    return value is None or boolean(value)


def _repository(kind: str, more: Mapping[str, str]) -> Attribute:
    names = {**_REPOSITORY, **more}

    def spelled(found: Any) -> object:
        if str(at(found, "type") or "").lower() != kind:
            return []
        one = {name: at(found, member) for name, member in names.items()}
        return [{**one, "publishing_enabled": not at(found, "disablePublish")}]

    shapes = {**dict.fromkeys(names, text), "publishing_enabled": unless_forbidden}
    return Attribute(block(shapes), "properties.repoConfiguration", spelled)


def _parameters(found: Any) -> object:
    return [{"name": name, "type": at(item, "type"), "value": at(item, "value")} for name, item in found.items()]


def _is_on(name: str) -> Attribute:
    """Declare a flag that was given to a workspace as a parameter."""
    return flag(f"properties.parameters.{name}.value")


def _workspace_parameters(found: Any) -> object:
    names = {
        "no_public_ip": "enableNoPublicIp",
        "private_subnet_name": "customPrivateSubnetName",
        "public_subnet_name": "customPublicSubnetName",
        "storage_account_name": "storageAccountName",
        "storage_account_sku_name": "storageAccountSkuName",
        "virtual_network_id": "customVirtualNetworkId",
    }
    return [{name: at(found, f"{member}.value") for name, member in names.items()}]


def _backup_key(found: Any) -> object:
    key = at(found, "keyVaultProperties.keyUri")
    return (
        [
            {
                "infrastructure_encryption_enabled": is_enabled(at(found, "infrastructureEncryption")),
                "key_id": key,
                "use_system_assigned_identity": at(found, "kekIdentity.useSystemAssignedIdentity"),
                "user_assigned_identity_id": at(found, "kekIdentity.userAssignedIdentity"),
            }
        ]
        if key
        else []
    )


def _watched(found: Any) -> object:
    return [
        {
            "alerts_for_all_job_failures_enabled": is_enabled(
                at(found, "azureMonitorAlertSettings.alertsForAllJobFailures") or "Enabled"
            ),
            "alerts_for_critical_operation_failures_enabled": is_enabled(
                at(found, "classicAlertSettings.alertsForCriticalOperations") or "Enabled"
            ),
        }
    ]


def watched(value: object) -> Canonical:
    """What a vault of backups tells of; without a block it tells of everything."""
    item = value[0] if isinstance(value, list) and value else None
    names = ("alerts_for_all_job_failures_enabled", "alerts_for_critical_operation_failures_enabled")
    found = members(dict.fromkeys(names, boolean))(item)
    return None if found == dict.fromkeys(names, True) else found


def _automation_key(found: Any) -> object:
    if str(at(found, "keySource") or "").lower() != "microsoft.keyvault":
        return []
    keys = at(found, "keyVaultProperties")
    return [
        {
            "key_vault_key_id": _joined(at(keys, "keyvaultUri"), at(keys, "keyName"), at(keys, "keyVersion")),
            "user_assigned_identity_id": at(found, "identity.userAssignedIdentity"),
        }
    ]


def _settings_key(found: Any) -> object:
    return [
        {"identity_client_id": at(found, "identityClientId"), "key_vault_key_identifier": at(found, "keyIdentifier")}
    ]


def _walls(found: Any) -> object:
    return [
        {
            "bypass": at(found, "bypass"),
            "default_action": at(found, "defaultAction"),
            "ip_rules": [at(item, "value") for item in at(found, "ipRules") or []],
            "virtual_network_rules": [
                {
                    "subnet_id": at(item, "id"),
                    "ignore_missing_vnet_service_endpoint": at(item, "ignoreMissingVnetServiceEndpoint"),
                }
                for item in at(found, "virtualNetworkRules") or []
            ],
        }
    ]


def walls(value: object) -> Canonical:
    """Who reaches an account; without rules, and with none but the usual ones, everybody does."""
    item = value[0] if isinstance(value, list) and value else None
    shapes = {
        "bypass": default_is("none", folded_text),
        "default_action": folded_text,
        "ip_rules": set_of(text),
        "virtual_network_rules": set_of(
            members({"subnet_id": arm_id, "ignore_missing_vnet_service_endpoint": boolean})
        ),
    }
    found = members(shapes)(item)
    is_open = (
        isinstance(found, dict)
        and found["default_action"] == "allow"
        and not any(found[name] for name in ("ip_rules", "virtual_network_rules"))
    )
    return None if is_open else found


TYPES = (
    AzureType(
        "azurerm_data_factory",
        "microsoft.datafactory/factories",
        {
            **PLACED,
            "customer_managed_key_id": Attribute(text, "properties.encryption", _factory_key),
            "customer_managed_key_identity_id": reference("properties.encryption.identity.userAssignedIdentity"),
            "github_configuration": _repository("factorygithubconfiguration", {"git_url": "hostName"}),
            "global_parameter": Attribute(
                keyed("name", {"type": text, "value": document}), "properties.globalParameters", _parameters
            ),
            "identity": IDENTITY,
            "public_network_enabled": _PUBLIC,
            "purview_id": reference("properties.purviewConfiguration.purviewResourceId"),
            "vsts_configuration": _repository(
                "factoryvstsconfiguration", {"project_name": "projectName", "tenant_id": "tenantId"}
            ),
        },
    ),
    AzureType(
        "azurerm_databricks_workspace",
        "microsoft.databricks/workspaces",
        {
            **PLACED,
            "custom_parameters": Attribute(
                block(
                    {
                        "no_public_ip": boolean,
                        "private_subnet_name": folded_text,
                        "public_subnet_name": folded_text,
                        "storage_account_name": text,
                        "storage_account_sku_name": text,
                        "virtual_network_id": arm_id,
                    }
                ),
                "properties.parameters",
                _workspace_parameters,
            ),
            "customer_managed_key_enabled": _is_on("prepareEncryption"),
            "infrastructure_encryption_enabled": _is_on("requireInfrastructureEncryption"),
            "managed_resource_group_id": Attribute(arm_id),
            "network_security_group_rules_required": word("properties.requiredNsgRules"),
            "public_network_access_enabled": _PUBLIC,
            "sku": Attribute(text, "sku.name"),
        },
    ),
    AzureType(
        "azurerm_recovery_services_vault",
        "microsoft.recoveryservices/vaults",
        {
            **PLACED,
            "cross_region_restore_enabled": enabled("properties.redundancySettings.crossRegionRestore"),
            "encryption": Attribute(
                block(
                    {
                        "infrastructure_encryption_enabled": boolean,
                        "key_id": text,
                        "use_system_assigned_identity": boolean,
                        "user_assigned_identity_id": arm_id,
                    }
                ),
                "properties.encryption",
                _backup_key,
            ),
            "identity": IDENTITY,
            "immutability": word("properties.securitySettings.immutabilitySettings.state", unset="disabled"),
            "monitoring": Attribute(watched, "properties.monitoringSettings", _watched),
            "public_network_access_enabled": _PUBLIC,
            "sku": Attribute(text, "sku.name"),
            "soft_delete_enabled": Attribute(
                boolean,
                "properties.securitySettings.softDeleteSettings.softDeleteState",
                lambda found: str(found).lower() in {"enabled", "alwayson"},
                default=NOT_READ,
            ),
            "storage_mode_type": Attribute(text, "properties.redundancySettings.standardTierStorageRedundancy"),
        },
    ),
    AzureType(
        "azurerm_automation_account",
        "microsoft.automation/automationaccounts",
        {
            **PLACED,
            "encryption": Attribute(
                block({"key_vault_key_id": text, "user_assigned_identity_id": arm_id}),
                "properties.encryption",
                _automation_key,
            ),
            "identity": IDENTITY,
            "local_authentication_enabled": _LOCAL,
            "public_network_access_enabled": flag("properties.publicNetworkAccess", default=True),
            "sku_name": Attribute(text, "properties.sku.name"),
        },
    ),
    AzureType(
        "azurerm_app_configuration",
        "microsoft.appconfiguration/configurationstores",
        {
            **PLACED,
            "encryption": Attribute(
                block({"identity_client_id": folded_text, "key_vault_key_identifier": text}),
                "properties.encryption.keyVaultProperties",
                _settings_key,
            ),
            "identity": IDENTITY,
            "local_auth_enabled": _LOCAL,
            "public_network_access": word(),
            "purge_protection_enabled": flag("properties.enablePurgeProtection"),
            "sku": word("sku.name"),
            "soft_delete_retention_days": Attribute(default_is(0, number), "properties.softDeleteRetentionInDays"),
        },
    ),
    AzureType(
        "azurerm_cognitive_account",
        "microsoft.cognitiveservices/accounts",
        {
            **PLACED,
            "custom_subdomain_name": Attribute(text, "properties.customSubDomainName"),
            "dynamic_throttling_enabled": Attribute(boolean),
            "fqdns": Attribute(set_of(folded_text), "properties.allowedFqdnList"),
            "identity": IDENTITY,
            "kind": Attribute(text, "kind"),
            "local_auth_enabled": _LOCAL,
            "network_acls": Attribute(walls, spelled=_walls),
            "outbound_network_access_restricted": flag("properties.restrictOutboundNetworkAccess"),
            "public_network_access_enabled": _PUBLIC,
            "sku_name": Attribute(text, "sku.name"),
            "storage": some_blocks(
                {
                    "identity_client_id": word("identityClientId"),
                    "storage_account_id": Attribute(arm_id, "resourceId"),
                },
                "properties.userOwnedStorage",
            ),
        },
    ),
    AzureType(
        "azurerm_search_service",
        "microsoft.search/searchservices",
        {
            **PLACED,
            "allowed_ips": Attribute(
                set_of(text), "properties.networkRuleSet.ipRules", lambda found: [at(item, "value") for item in found]
            ),
            "authentication_failure_mode": word("properties.authOptions.aadOrApiKey.aadAuthFailureMode"),
            "customer_managed_key_enforcement_enabled": enabled("properties.encryptionWithCmk.enforcement"),
            "hosting_mode": word(unset="default"),
            "identity": IDENTITY,
            "local_authentication_enabled": _LOCAL,
            "network_rule_bypass_option": word("properties.networkRuleSet.bypass", unset="none"),
            "partition_count": Attribute(number),
            "public_network_access_enabled": _PUBLIC,
            "replica_count": Attribute(number),
            "semantic_search_sku": word("properties.semanticSearch", unset="disabled"),
            "sku": word("sku.name"),
        },
    ),
    AzureType(
        "azurerm_api_management",
        "microsoft.apimanagement/service",
        {
            **PLACED,
            "client_certificate_enabled": flag("properties.enableClientCertificate"),
            "gateway_disabled": flag("properties.disableGateway"),
            "identity": IDENTITY,
            "min_api_version": Attribute(text, "properties.apiVersionConstraint.minApiVersion"),
            "notification_sender_email": Attribute(text),
            "public_ip_address_id": Attribute(arm_id),
            "public_network_access_enabled": _PUBLIC,
            "publisher_email": Attribute(text),
            "publisher_name": Attribute(text),
            "sku_name": Attribute(text, "sku", lambda found: f"{at(found, 'name')}_{at(found, 'capacity')}"),
            "virtual_network_configuration": one_block({"subnet_id": Attribute(arm_id, "subnetResourceId")}),
            "virtual_network_type": Attribute(default_is("none", folded_text)),
            "zones": ZONES,
        },
    ),
)
