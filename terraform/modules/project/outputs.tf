output "number" {
  description = "The project's number."
  value       = data.google_project.this.number
}

output "service_agents" {
  description = "Service to the member of its agent, e.g. `sqladmin`; `storage` too."
  value = merge(
    { for name, agent in google_project_service_identity.this : name => agent.member },
    { storage = data.google_storage_project_service_account.this.member },
  )
}
