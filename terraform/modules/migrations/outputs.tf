output "job_name" {
  description = "The job; `gcloud run jobs execute` runs it."
  value       = google_cloud_run_v2_job.this.name
}
