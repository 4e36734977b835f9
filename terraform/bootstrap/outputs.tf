output "platform_account" {
  description = "Account that CI applies Terraform as."
  value       = google_service_account.platform.email
}

output "principal_sets" {
  description = "The variable `ci` of the environment: who builds and who deploys."
  value = {
    builder  = [for jobs in local.systems : "${local.pool}/attribute.${jobs.builds}"]
    deployer = [for jobs in local.systems : "${local.pool}/attribute.${jobs.deploys}"]
  }
}

output "state_bucket" {
  description = "For `terraform init -backend-config=bucket=…` of the environment."
  value       = google_storage_bucket.state.name
}

output "workload_identity_providers" {
  description = "What the CI system names as its audience: github and gitlab."
  value = merge(
    { for provider in google_iam_workload_identity_pool_provider.github : "github" => provider.name },
    { for provider in google_iam_workload_identity_pool_provider.gitlab : "gitlab" => provider.name },
  )
}
