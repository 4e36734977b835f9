# What is promised, watched and kept.

module "observability" {
  source = "../../modules/observability"

  project_id               = module.project.project_id
  region                   = var.region
  name                     = local.name
  audit_log_bucket_locked  = var.lock_retention
  backend_services         = { for function, id in module.edge.backend_service_ids : function => local.http_services[function] }
  cache_instance_id        = module.cache.instance_id
  database_instance        = module.database.instance_name
  database_max_connections = module.database.max_connections
  domain                   = var.domain
  journey                  = var.journey == null ? null : { job_name = module.journey[0].job_name, every_seconds = var.journey.every_minutes * 60 }
  labels                   = var.labels
  load_balancer_name       = module.edge.load_balancer_name
  logging_kms_key_id       = module.kms.cmek_key_ids.logging
  notification_emails      = var.notification_emails
  runbook_base_url         = var.runbook_base_url
  services                 = local.services
  subscriptions            = module.suite.subscriptions

  entry_points = {
    for name, found in module.suite.entry_points : name => {
      function    = found.function
      health_path = found.trigger == "http" ? one([for path in keys(module.suite.paths[found.function]) : path if endswith(path, "/health")]) : null
      trigger     = found.trigger
    }
  }
}
