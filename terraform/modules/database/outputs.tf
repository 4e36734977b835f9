output "connection_name" {
  description = "What the connector calls the instance: project:region:name."
  value       = google_sql_database_instance.this.connection_name
}

output "database_name" {
  description = "The database."
  value       = google_sql_database.this.name
}

output "instance_name" {
  description = "The instance."
  value       = google_sql_database_instance.this.name
}

output "max_connections" {
  description = "Connections that the server takes."
  value       = var.max_connections
}

output "users" {
  description = "Function (`migrations` too) to the name that it logs in as."
  value       = { for name, user in google_sql_user.this : name => user.name }
}
