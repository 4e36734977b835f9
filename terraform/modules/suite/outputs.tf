output "buckets" {
  description = "Buckets whose objects are written once: short name to retention_days."
  value       = try(local.suite.buckets, {})
}

output "database" {
  description = "Name and major version of the one database."
  value       = local.suite.database
}

output "entry_points" {
  description = "Every deployed service: entry point to its function, service name, trigger and limits (MiB, vCPU, requests at once, seconds, instances)."
  value       = local.entry_points
}

output "functions" {
  description = "Every function: database roles (null without a database), keys, secrets it reads and secrets it rotates, buckets, topics it publishes to, whether it calls the internet, its entry points."
  value       = local.functions
}

output "http_services" {
  description = "Function to the service that serves its public paths."
  value       = { for entry_point in local.entry_points : entry_point.function => entry_point.service if entry_point.trigger == "http" }
}

output "kms_keys" {
  description = "Keys that functions sign and wrap with: purpose, algorithm of signing keys, rotation_days of wrapping keys."
  value       = local.suite.kms_keys
}

output "name" {
  description = "Name of the suite; resources begin with it."
  value       = local.suite.suite
}

output "paths" {
  description = "Function to its public path templates to their methods."
  value       = { for name, found in local.suite.functions : name => found.paths }
}

output "publishers" {
  description = "Topic to the functions that may publish to it."
  value = {
    for topic in keys(local.suite.topics) : topic => [
      for name, found in local.suite.functions : name if contains(found.publishes, topic)
    ]
  }
}

output "schedules" {
  description = "Calls that are made again and again: every_seconds, function, entry point, path."
  value       = local.suite.schedules
}

output "secrets" {
  description = "Secrets whose first version is random: generated_bytes."
  value       = local.suite.secrets
}

output "subscriptions" {
  description = "Push subscriptions: topic, target, seconds and attempts."
  value       = local.suite.subscriptions
}

output "topics" {
  description = "Topics of the queue."
  value       = keys(local.suite.topics)
}
