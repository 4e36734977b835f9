output "instance_id" {
  description = "The instance."
  value       = google_redis_instance.this.id
}

output "server_ca" {
  description = "Certificate authorities of the server, PEM."
  value       = join("\n", google_redis_instance.this.server_ca_certs[*].cert)
}

output "url_secret" {
  description = "Secret with the address and the password, and its version: a new password is a new version, and new revisions of the functions."
  value = {
    id      = google_secret_manager_secret.url.secret_id
    version = google_secret_manager_secret_version.url.version
  }
}
