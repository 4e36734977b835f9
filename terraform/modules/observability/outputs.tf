output "alert_policy_names" {
  description = "Alert policy of each alert: alert to projects/…/alertPolicies/…"
  value = merge(
    { for alert, policy in google_monitoring_alert_policy.burn : alert => policy.name },
    { for alert, policy in google_monitoring_alert_policy.limit : alert => policy.name },
    { for alert, policy in google_monitoring_alert_policy.quiet : alert => policy.name },
    { for alert, policy in google_monitoring_alert_policy.asked : alert => policy.name },
    { for alert, policy in google_monitoring_alert_policy.audited : alert => policy.name },
  )
}

output "audit_bucket" {
  description = "Id of the log bucket that keeps audit logs."
  value       = google_logging_project_bucket_config.audit.id
}

output "runbooks" {
  description = "Page of infra/runbooks of each alert: alert to page, without its ending."
  value = merge(
    { for alert, facts in local.burns : alert => facts.runbook },
    { for alert, facts in local.limits : alert => facts.runbook },
    { for alert, facts in local.quiet : alert => facts.runbook },
    { for alert, facts in local.asked : alert => facts.runbook },
    { for alert, facts in local.audited : alert => facts.runbook },
  )
}

output "slo_names" {
  description = "Service level objectives: objective to projects/…/serviceLevelObjectives/…"
  value = merge(
    { for objective, facts in local.objectives : objective => facts.name },
    { for slo in google_monitoring_slo.journey : "journey" => slo.name },
  )
}

output "uptime_check_ids" {
  description = "Uptime check of each step: step to id."
  value       = { for step, check in google_monitoring_uptime_check_config.step : step => check.uptime_check_id }
}
