"""Groups of resources, who may do what with them, and what locks them.

Source: Terraform AzureRM provider 4, resource documentation of each type; Azure REST API, "Role Assignments", "Role
Definitions", "Management Locks"; Azure Resource Graph, table `authorizationresources`.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from ...domain.resources import Attributes
from ...domain.shapes import Canonical, boolean, folded_text, list_of, number, set_of, text
from .ids import arm_id, inside, key_of
from .mapping import PLACED, Attribute, AzureType, at, word


def _assignment_key(attributes: Attributes) -> str | None:
    """Match by the assignment's name; for another tenant the provider puts that tenant behind the id (`<id>|<tenant>`).

    The name is a GUID, unique in the tenant; the scope before it is compared as an attribute.
    """
    return name_key(str(attributes.get("id") or "").partition("|")[0])


def _definition_key(attributes: Attributes) -> str | None:
    """Match by the definition's name; the provider's own id puts the scope behind ARM's (`<id>|<scope>`)."""
    return name_key(attributes.get("role_definition_resource_id") or str(attributes.get("id") or "").partition("|")[0])


def name_key(value: object) -> str | None:
    """Return the name at the end of an ARM id: roles are the same at whatever scope an id names them."""
    return (key_of(value) or "").rpartition("/")[2] or None


def role_id(value: object) -> Canonical:
    """A role definition; the same one can be named at any scope, so its name alone counts (a GUID, unique in a tenant)."""
    found = arm_id(value)
    return found.rpartition("/")[2] if isinstance(found, str) else found


_actions = set_of(folded_text)


def _permissions(value: object) -> Canonical:
    items = [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
    names = ("actions", "not_actions", "data_actions", "not_data_actions")
    return [{name: _actions(item.get(name)) for name in names} for item in items] or None


def _spelled_permissions(found: Any) -> object:
    names = {
        "actions": "actions",
        "not_actions": "notActions",
        "data_actions": "dataActions",
        "not_data_actions": "notDataActions",
    }
    return [{name: at(item, member) or [] for name, member in names.items()} for item in found]


def _is_custom(row: Any) -> bool:
    return str(at(row, "properties.type") or "").lower() == "customrole"


_PERMISSIONS = (
    "certificate_permissions", "key_permissions", "secret_permissions", "storage_permissions",
)  # fmt: skip


def access_policy(value: Any) -> dict[str, object]:
    """Write one access policy of a vault as the provider does."""
    found: dict[str, object] = {
        name: at(value, f"permissions.{name.split('_', 1)[0]}{'' if name.startswith('storage') else 's'}") or []
        for name in _PERMISSIONS
    }
    return {
        "object_id": at(value, "objectId"),
        "tenant_id": at(value, "tenantId"),
        "application_id": at(value, "applicationId"),
        **found,
    }


def access_policies(value: object) -> Canonical:
    """Access policies of a vault, by whom they are for."""
    found: dict[str, Canonical] = {}
    for item in value if isinstance(value, list) else ():
        if isinstance(item, Mapping):
            who = "/".join(str(item.get(name) or "").lower() for name in ("object_id", "application_id")).rstrip("/")
            found[who] = {name: _actions(item.get(name)) for name in _PERMISSIONS}
    return dict(found) or None


_OPEN: Mapping[str, Canonical] = {
    "bypass": "azureservices", "default_action": "allow", "ip_rules": None, "virtual_network_subnet_ids": None,
}  # fmt: skip


def network_acls(value: object) -> Canonical:
    """Rules of a vault's firewall; none at all is what Azure does without them: everybody is let through."""
    item = value[0] if isinstance(value, list) and value and isinstance(value[0], Mapping) else None
    if item is None:
        return None
    found: dict[str, Canonical] = {
        "bypass": folded_text(item.get("bypass")),
        "default_action": folded_text(item.get("default_action")),
        "ip_rules": set_of(_address)(item.get("ip_rules")),
        "virtual_network_subnet_ids": set_of(arm_id)(item.get("virtual_network_subnet_ids")),
    }
    return None if found == _OPEN else found


def _address(value: object) -> Canonical:
    """An address of a rule: a block of one address is the address."""
    found = text(value)
    return found.removesuffix("/32") if isinstance(found, str) else found


def spelled_acls(found: Any) -> dict[str, object]:
    return {
        "bypass": at(found, "bypass"),
        "default_action": at(found, "defaultAction"),
        "ip_rules": [at(item, "value") for item in at(found, "ipRules") or []],
        "virtual_network_subnet_ids": [at(item, "id") for item in at(found, "virtualNetworkRules") or []],
    }


TYPES = (
    AzureType(
        "azurerm_resource_group",
        "microsoft.resources/subscriptions/resourcegroups",
        {**PLACED, "managed_by": Attribute(arm_id, "managedBy")},
    ),
    AzureType(
        "azurerm_role_assignment",
        "microsoft.authorization/roleassignments",
        {
            "condition": Attribute(text),
            "condition_version": Attribute(text),
            "delegated_managed_identity_resource_id": Attribute(arm_id),
            "description": Attribute(text),
            "principal_id": Attribute(folded_text),
            "principal_type": Attribute(text),
            "role_definition_id": Attribute(role_id),
            "scope": Attribute(arm_id),
        },
        key=_assignment_key,
        live_key=name_key,
    ),
    AzureType(
        "azurerm_role_definition",
        "microsoft.authorization/roledefinitions",
        {
            "assignable_scopes": Attribute(set_of(arm_id)),
            "description": Attribute(text),
            "name": Attribute(text, "properties.roleName"),
            "permissions": Attribute(_permissions, "properties.permissions", _spelled_permissions),
        },
        when=_is_custom,
        key=_definition_key,
        live_key=name_key,
    ),
    AzureType(
        "azurerm_management_lock",
        "microsoft.authorization/locks",
        {"lock_level": Attribute(folded_text, "properties.level"), "notes": Attribute(text)},
    ),
    AzureType(
        "azurerm_user_assigned_identity",
        "microsoft.managedidentity/userassignedidentities",
        {
            **PLACED,
            "client_id": Attribute(folded_text),
            "isolation_scope": word(unset="none"),
            "principal_id": Attribute(folded_text),
        },
    ),
    AzureType(
        "azurerm_federated_identity_credential",
        "microsoft.managedidentity/userassignedidentities/federatedidentitycredentials",
        {
            "audience": Attribute(list_of(text), "properties.audiences"),
            "issuer": Attribute(text),
            "subject": Attribute(text),
        },
    ),
    AzureType(
        "azurerm_key_vault",
        "microsoft.keyvault/vaults",
        {
            **PLACED,
            "access_policy": Attribute(
                access_policies, "properties.accessPolicies", lambda found: [access_policy(item) for item in found]
            ),
            "enable_rbac_authorization": Attribute(boolean),
            "rbac_authorization_enabled": Attribute(boolean, "properties.enableRbacAuthorization"),
            "enabled_for_deployment": Attribute(boolean),
            "enabled_for_disk_encryption": Attribute(boolean),
            "enabled_for_template_deployment": Attribute(boolean),
            "network_acls": Attribute(network_acls, "properties.networkAcls", lambda found: [spelled_acls(found)]),
            "public_network_access_enabled": Attribute(
                boolean,
                "properties.publicNetworkAccess",
                lambda found: str(found).lower() != "disabled",
                default=True,
            ),
            "purge_protection_enabled": Attribute(boolean, "properties.enablePurgeProtection"),
            "sku_name": Attribute(folded_text, "properties.sku.name"),
            "soft_delete_retention_days": Attribute(number, "properties.softDeleteRetentionInDays", default=90),
            "tenant_id": Attribute(folded_text),
        },
        inline={"access_policy": ("azurerm_key_vault_access_policy",)},
        renamed={"enable_rbac_authorization": "rbac_authorization_enabled"},
    ),
    AzureType(
        "azurerm_key_vault_access_policy",
        "",
        {name: Attribute(_actions, "", itemgetter(name)) for name in _PERMISSIONS},
        parent=inside("azurerm_key_vault", "objectId", "access_policy"),
    ),
)
