# Both wait for the grants: who uses a key right away must not come before the right to use it.

output "cmek_key_ids" {
  description = "Service to the key that it encrypts under."
  value       = { for service, grant in google_kms_crypto_key_iam_member.services : service => grant.crypto_key_id }
}

output "key_ids" {
  description = "Short name to the key that functions use."
  value       = { for name, key in google_kms_crypto_key.functions : name => key.id }
}

output "key_ring_id" {
  description = "Ring of the services' keys; other modules may keep keys of the platform there."
  value       = google_kms_key_ring.services.id
}
