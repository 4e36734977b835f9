output "rotation_topic" {
  description = "Topic of the notices that ask for a new version."
  value       = google_pubsub_topic.rotations.id
}

output "secret_ids" {
  description = "Short name to the secret."
  value       = { for name, secret in google_secret_manager_secret.this : name => secret.id }
}
