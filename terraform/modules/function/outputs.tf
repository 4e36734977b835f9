output "revisions" {
  description = "Service to its new revision."
  value       = { for service in local.services : service.name => service.revision }
}

output "services" {
  description = "Entry point to its service; `audience` is what the token of a caller must name, `uri` where the queue and the scheduler call."
  value = {
    for entry_point, service in google_cloud_run_v2_service.this : entry_point => {
      audience = local.services[entry_point].address
      id       = service.id
      name     = service.name
      trigger  = local.services[entry_point].trigger
      uri      = local.services[entry_point].address
    }
  }
}
