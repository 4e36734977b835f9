output "secret_ids" {
  description = "Short name to the secret."
  value       = { for name, secret in google_secret_manager_secret.this : name => secret.id }
}
