# An identity without a secret: Azure takes tokens that Google signs for DriftWise's own account, made for your external id.

resource "azurerm_resource_group" "driftwise" {
  name     = var.name
  location = var.location
  tags     = var.tags
}

resource "azurerm_user_assigned_identity" "driftwise" {
  name                = var.name
  location            = azurerm_resource_group.driftwise.location
  resource_group_name = azurerm_resource_group.driftwise.name
  tags                = var.tags
}

resource "azurerm_federated_identity_credential" "google" {
  name                = "google"
  resource_group_name = azurerm_resource_group.driftwise.name
  parent_id           = azurerm_user_assigned_identity.driftwise.id
  issuer              = "https://accounts.google.com"
  subject             = var.driftwise_google_account_id
  audience            = [var.external_id]
}

resource "azurerm_federated_identity_credential" "states" {
  for_each = var.state_external_ids

  name                = each.key
  resource_group_name = azurerm_resource_group.driftwise.name
  parent_id           = azurerm_user_assigned_identity.driftwise.id
  issuer              = "https://accounts.google.com"
  subject             = var.driftwise_google_account_id
  audience            = [each.key]
}

# Made from what DriftWise's readers call: python -m infra.build.customer_rights. Keys and secrets are actions (listKeys, getSecret) or
# data, and not granted; the few that Azure calls `read`, and the rows of logs, are taken out by name.
locals {
  rights = jsondecode(file("${path.module}/read_actions.json"))
}

resource "azurerm_role_definition" "read" {
  for_each = var.scanned_subscription_ids

  name        = "${var.name} ${each.key}"
  description = "Reads configuration for drift detection."
  scope       = "/subscriptions/${each.key}"

  permissions {
    actions      = var.reads_every_type ? local.rights.every_type : local.rights.mapped_types
    not_actions  = local.rights.never
    data_actions = []
  }

  assignable_scopes = ["/subscriptions/${each.key}"]
}

resource "azurerm_role_assignment" "read" {
  for_each = var.scanned_subscription_ids

  scope              = "/subscriptions/${each.key}"
  role_definition_id = azurerm_role_definition.read[each.key].role_definition_resource_id
  principal_id       = azurerm_user_assigned_identity.driftwise.principal_id
  principal_type     = "ServicePrincipal"
}

resource "azurerm_role_assignment" "states" {
  for_each = var.state_containers

  scope                = each.key
  role_definition_name = "Storage Blob Data Reader"
  principal_id         = azurerm_user_assigned_identity.driftwise.principal_id
  principal_type       = "ServicePrincipal"
}
