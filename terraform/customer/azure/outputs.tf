output "client_id" {
  description = "Client id of the identity: what you give DriftWise, with the tenant's id."
  value       = azurerm_user_assigned_identity.driftwise.client_id
}

output "tenant_id" {
  description = "Tenant of the identity."
  value       = azurerm_user_assigned_identity.driftwise.tenant_id
}
