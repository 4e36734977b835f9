output "number" {
  description = "The project's number."
  value       = data.google_project.this.number
}

output "project_id" {
  description = "The project, known once its interfaces are on: what takes it from here waits for them."
  value       = var.project_id
  depends_on  = [google_project_service.this]
}

output "service_agents" {
  description = "Service to the member of its agent, e.g. `sqladmin`; `storage` too."
  value = merge(
    { for name, agent in google_project_service_identity.this : name => agent.member },
    { storage = data.google_storage_project_service_account.this.member },
  )
}
