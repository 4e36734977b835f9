output "attestor_key_version" {
  description = "Version of the key that CI signs with: projects/…/cryptoKeyVersions/N."
  value       = data.google_kms_crypto_key_version.attestor.name
}

output "attestor_name" {
  description = "Attestor that CI signs for."
  value       = google_binary_authorization_attestor.ci.name
}

output "note_name" {
  description = "Note that attestations are attached to."
  value       = google_container_analysis_note.built_by_ci.name
}

output "policy_id" {
  description = "Id of the Binary Authorization policy."
  value       = google_binary_authorization_policy.project.id
}

output "repository_url" {
  description = "Where images are pushed, without a trailing slash."
  value       = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images.repository_id}"
}
