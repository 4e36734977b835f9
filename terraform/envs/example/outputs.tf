output "egress_addresses" {
  description = "Addresses that the suite calls the internet from; customers may allow-list them."
  value       = module.network.nat_addresses
}

output "function_accounts" {
  description = "Function to the account that it acts as; customers' clouds name the one of scan."
  value       = { for name, account in module.identity.functions : name => account.email }
}

output "migrations_job" {
  description = "Job that applies migrations."
  value       = module.migrations.job_name
}

output "revisions" {
  description = "Service to the revision of this apply."
  value       = merge([for function in module.function : function.revisions]...)
}

output "serving_revisions" {
  description = "Service to the revision that serves everybody, or all but the canary's share; `stable_revisions` of the next apply."
  value = {
    for service, revision in merge([for function in module.function : function.revisions]...) :
    service => var.canary_percent == 100 ? revision : lookup(var.stable_revisions, service, revision)
  }
}
