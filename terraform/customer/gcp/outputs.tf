output "provider_name" {
  description = "Full name of the identity provider: what you give DriftWise."
  value       = google_iam_workload_identity_pool_provider.google.name
}
