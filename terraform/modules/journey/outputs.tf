output "job_name" {
  description = "Name of the job; the module `observability` counts its lines."
  value       = google_cloud_run_v2_job.this.name
}
