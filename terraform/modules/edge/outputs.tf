output "addresses" {
  description = "Public addresses of the edge by kind: IPV4, IPV6."
  value       = { for kind, address in google_compute_global_address.edge : kind => address.address }
}

output "backend_service_ids" {
  description = "Backend service of each function that the edge serves: function to id."
  value       = { for function, backend in google_compute_backend_service.function : function => backend.id }
}

output "certificate_ids" {
  description = "Certificate of each domain: domain to id."
  value       = { for domain, certificate in google_certificate_manager_certificate.edge : domain => certificate.id }
}

output "dns_records" {
  description = "Records that the domains need: name, type and data of each."
  value       = local.dns_records
}

output "ip_address" {
  description = "The public IPv4 address of the suite."
  value       = google_compute_global_address.edge["IPV4"].address
}

output "load_balancer_name" {
  description = "Name of the HTTPS URL map: what the load balancer is called in logs and metrics."
  value       = google_compute_url_map.https.name
}

output "name_servers" {
  description = "Name servers to delegate each domain to; empty without zones of this module."
  value       = { for domain, zone in google_dns_managed_zone.edge : domain => zone.name_servers }
}

output "public_url" {
  description = "Address that people and customers use, without a trailing slash."
  value       = "https://${var.domain}"
}

output "routes" {
  description = "Path template and function of each route, in order of priority: what the edge lets through."
  value       = [for route in local.routes : { path = route.path, function = route.function }]
}

output "security_policy_id" {
  description = "Id of the Cloud Armor policy."
  value       = google_compute_security_policy.edge.id
}

output "url_map_id" {
  description = "Id of the HTTPS URL map."
  value       = google_compute_url_map.https.id
}
