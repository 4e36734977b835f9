output "internet_tag" {
  description = "Network tag of the instances that may call the internet."
  value       = local.internet_tag
}

output "nat_addresses" {
  description = "Addresses that calls to the internet come from."
  value       = google_compute_address.nat[*].address
}

output "network_id" {
  description = "The network."
  value       = google_compute_network.this.id
}

output "private_services_network_id" {
  description = "The network again, for what needs Private Service Access: known once the peering stands."
  value       = google_service_networking_connection.private_services.network
}

output "private_services_range_name" {
  description = "Range that Cloud SQL and Memorystore take addresses from."
  value       = google_compute_global_address.private_services.name
}

output "subnet_id" {
  description = "Subnet of the functions' instances."
  value       = google_compute_subnetwork.functions.id
}
