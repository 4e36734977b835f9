output "access_log_bucket" {
  description = "Bucket of the records of who used the others."
  value       = google_storage_bucket.access_logs.name
}

output "bucket_names" {
  description = "Short name to the bucket; `sboms` too."
  value       = { for name, bucket in google_storage_bucket.kept : name => bucket.name }
}
