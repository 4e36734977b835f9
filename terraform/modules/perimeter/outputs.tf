output "perimeter_name" {
  description = "The perimeter."
  value       = google_access_context_manager_service_perimeter.this.name
}
